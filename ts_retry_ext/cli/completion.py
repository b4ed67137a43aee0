"""``ts-retry completion``: what a shell needs to complete commands and options."""

from __future__ import annotations

import argparse

from ts_retry_ext.cli.printing import OK, CommandError

SHELLS = ("bash", "zsh", "tcsh")


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "completion",
        help="print what a shell needs to complete commands and options",
        description="Print a script that lets a shell complete the commands and options of ts-retry.",
        epilog="examples:\n"
        "  ts-retry completion bash > ~/.local/share/bash-completion/completions/ts-retry\n"
        "  ts-retry completion zsh > ~/.zfunc/_ts-retry",
    )
    parser.add_argument("shell", choices=SHELLS, help="the shell to print it for")


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.cli.main import parser_of_all

    try:
        from shtab import complete
    except ImportError as error:
        msg = "this needs shtab: pip install shtab"
        raise CommandError(msg) from error

    print(complete(parser_of_all(), arguments.shell))
    return OK
