"""``ts-retry doctor``: is everything in place for a halt to work, and what to do where it is not."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ts_retry_ext.cli.printing import (
    ERROR,
    OK,
    CommandError,
    print_json,
    print_line,
    print_table,
    print_wrapped,
)
from ts_retry_ext.cli.shared_options import add_server_option, chosen_server

if TYPE_CHECKING:
    from ts_retry_ext.doctor.examination import Examination


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "doctor",
        help="check that everything is in place, and say what to do if not",
        description="Check the environment that TorchServe runs in. Is the start-up hook active in "
        "it? Are Java, TorchServe, torch and PyYAML there? Can the state directory be used? Which "
        "settings are in force, and where do they come from? Does TorchServe accept every key and value "
        "of config.properties? Exits with 1 if something is wrong.",
        epilog="examples:\n  ts-retry doctor\n  ts-retry doctor --ts-config config.properties",
    )
    parser.add_argument(
        "--python",
        metavar="FILE",
        help="interpreter that TorchServe uses (default: that of the running server, or else this one)",
    )
    parser.add_argument(
        "--ts-config",
        metavar="FILE",
        help="config.properties to check, before a server is started with it or after; other servers "
        "are left out",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_server_option(parser)


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.doctor.examination import examine

    # With a file, it is the running server that started with it, if one did.
    server = chosen_server(arguments.pid, None if arguments.pid else arguments.ts_config)
    try:
        found = examine(server, python=arguments.python, ts_config=arguments.ts_config)
    except OSError as error:
        msg = f"cannot read {error.filename}: {error.strerror}"
        raise CommandError(msg) from error
    if arguments.json:
        print_json(found.to_json())
    else:
        _print(found)
    return OK if found.is_healthy else ERROR


def _print(found: Examination) -> None:
    rows = [(one.name, one.outcome, one.found) for one in found.diagnoses]
    print_table(("CHECK", "OUTCOME", "FOUND"), rows)
    for one in found.diagnoses:
        if one.remedy:
            print_wrapped(f"{one.name}: {one.remedy}")
    print_line()
    print_line(f"settings, with {found.config_file or 'no config.properties'}:")
    settings = [(n, r.value, r.source) for n, r in found.settings._asdict().items()]
    print_table(("SETTING", "VALUE", "SOURCE"), settings)
