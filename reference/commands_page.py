"""The page of commands, from the parsers of ``ts_retry_ext/cli``.

The words are those of ``--help``; argparse's own form differs between versions of Python.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any

from reference.table import table
from ts_retry_ext.cli.main import COMMANDS

_HEAD = """# Commands

`ts-retry COMMAND --help` prints the same. Every command has these exit codes:

| code | |
| --- | --- |
| 0 | fine |
| 1 | an error, which is named |
| 2 | usage: the command line is wrong |
| 3 | at least one model is halted, waiting, retired or not registered, or failed the check |

"""


def commands_page() -> str:
    """Return the page."""
    main = argparse.ArgumentParser(prog="ts-retry")
    commands = main.add_subparsers()
    for name in COMMANDS:
        import_module(f"ts_retry_ext.cli.{name}").add_parser(commands)
    summaries = {str(action.dest): action.help or "" for action in commands._choices_actions}
    rows = [(f"[`{name}`](#{name})", summaries[name]) for name in COMMANDS]
    lines = [_HEAD, table(("command", ""), rows)]
    lines += [_command(name, commands.choices[name]) for name in COMMANDS]
    return "".join(lines)


def _command(name: str, parser: argparse.ArgumentParser) -> str:
    actions = [a for a in parser._actions if a.dest != "help"]
    usage = " ".join([f"ts-retry {name}", *map(_in_usage, actions)])
    lines = [f"\n## {name}\n\n    {usage}\n\n{parser.description}\n\n"]
    lines.append(table(("", ""), [(f"`{_named(a)}`", _help(a)) for a in actions]))
    examples = (parser.epilog or "").partition("examples:\n")[2]
    lines.append("\nExamples:\n\n" + "".join(f"    {e.strip()}\n" for e in examples.split("\n")))
    return "".join(lines)


def _named(action: argparse.Action) -> str:
    value = "" if action.nargs == 0 else _value(action)
    return f"{', '.join(action.option_strings)} {value}".strip()


def _in_usage(action: argparse.Action) -> str:
    if not action.option_strings:
        value = _value(action)
        forms: dict[Any, str] = {
            None: value,
            "?": f"[{value}]",
            "*": f"[{value} …]",
            "+": f"{value} […]",
        }
        return forms.get(action.nargs, value)
    value = "" if action.nargs == 0 else f" {_value(action)}"
    return f"[{action.option_strings[0]}{value}]"


def _value(action: argparse.Action) -> str:
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return str(action.metavar or action.dest.upper())


def _help(action: argparse.Action) -> str:
    return (action.help or "") % {"default": action.default, "prog": "ts-retry"}
