"""The page of commands, from the parsers of ``ts_retry_ext/cli``.

The words are those of ``--help``; argparse's own form differs between versions of Python.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import Any, NamedTuple

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


class Command(NamedTuple):
    """A command, as its ``--help`` describes it.

    Attributes:
        name: its name.
        summary: what it does, in a line; description: the same in sentences.
        usage: how it is called, without the program's name.
        options: its arguments and options, each with what it means.
        examples: command lines.
    """

    name: str
    summary: str
    description: str
    usage: str
    options: tuple[tuple[str, str], ...]
    examples: tuple[str, ...]


def all_commands() -> list[Command]:
    """Return every command, in the order of the help."""
    added = argparse.ArgumentParser(prog="ts-retry").add_subparsers()
    for name in COMMANDS:
        import_module(f"ts_retry_ext.cli.{name}").add_parser(added)
    summaries = {str(action.dest): action.help or "" for action in added._choices_actions}
    return [_command(name, summaries[name], added.choices[name]) for name in COMMANDS]


def _command(name: str, summary: str, parser: argparse.ArgumentParser) -> Command:
    actions = [action for action in parser._actions if action.dest != "help"]
    examples = (parser.epilog or "").partition("examples:\n")[2].split("\n")
    return Command(
        name,
        summary,
        str(parser.description),
        " ".join([name, *map(_in_usage, actions)]),
        tuple((_named(action), _help(action)) for action in actions),
        tuple(example.strip() for example in examples),
    )


def commands_page() -> str:
    """Return the page."""
    commands = all_commands()
    rows = [(f"[`{command.name}`](#{command.name})", command.summary) for command in commands]
    return "".join([_HEAD, table(("command", ""), rows), *map(_section, commands)])


def _section(command: Command) -> str:
    options = table(("", ""), [(f"`{name}`", meaning) for name, meaning in command.options])
    examples = "".join(f"    {example}\n" for example in command.examples)
    return (
        f"\n## {command.name}\n\n    ts-retry {command.usage}\n\n{command.description}\n\n{options}"
        f"\nExamples:\n\n{examples}"
    )


def _named(action: argparse.Action) -> str:
    return f"{', '.join(action.option_strings)} {_value(action)}".strip()


def _in_usage(action: argparse.Action) -> str:
    value = _value(action)
    if not action.option_strings:
        forms: dict[Any, str] = {
            None: value,
            "?": f"[{value}]",
            "*": f"[{value} …]",
            "+": f"{value} […]",
        }
        return forms.get(action.nargs, value)
    return f"[{action.option_strings[0]} {value}".rstrip() + "]"


def _value(action: argparse.Action) -> str:
    if action.nargs == 0:
        return ""
    if action.option_strings and action.nargs == "?":
        return f"[{action.metavar}]"
    if action.choices is not None:
        return "{" + ",".join(map(str, action.choices)) + "}"
    return str(action.metavar or action.dest.upper())


def _help(action: argparse.Action) -> str:
    return (action.help or "") % {"default": action.default, "prog": "ts-retry"}
