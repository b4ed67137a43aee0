"""The command ``ts-retry``: a module for each of its commands."""
