"""The man page, from the same tables as the page of commands."""

from __future__ import annotations

from reference.commands_page import Command, all_commands

_HEAD = r""".\" made by: python -m reference
.TH TS\-RETRY 1 "" "ts-retry-ext" "User Commands"
.SH NAME
ts\-retry \- stop TorchServe from reloading a model that cannot load, and keep the cause
.SH SYNOPSIS
.B ts\-retry
.I COMMAND
[\fIOPTION\fR...]
.SH DESCRIPTION
A TorchServe worker that fails is either worth retrying or it is not. With ts\-retry\-ext installed beside TorchServe, what
cannot recover stops after one load, and what can recover is retried. These commands show the models and their causes, and act on them.
.SH COMMANDS
"""
_TAIL = r""".SH EXIT STATUS
.TP
.B 0
fine
.TP
.B 1
an error, which is named
.TP
.B 2
usage: the command line is wrong
.TP
.B 3
at least one model is halted, waiting, retired or not registered, or failed the check
"""


def man_page() -> str:
    """Return the page in man's macros (groff_man(7))."""
    return "".join([_HEAD, *map(_section, all_commands()), _TAIL])


def _section(command: Command) -> str:
    lines = [f".SS {_text(f'ts-retry {command.usage}')}", _text(command.description)]
    for name, meaning in command.options:
        lines += [".TP", f".B {_text(name)}", _text(meaning)]
    lines += [".PP", "Examples:", ".RS", ".nf", *map(_text, command.examples), ".fi", ".RE"]
    return "".join(f"{line}\n" for line in lines)


def _text(words: str) -> str:
    """Return `words` so that no character of theirs is a command of the typesetter's."""
    escaped = words.replace("\\", "\\e").replace("-", "\\-").replace("…", "...").replace("\n", " ")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
