"""Imported by handler.py; broken by an edit that was never run."""


def scaled(length)
    return length / 4096
