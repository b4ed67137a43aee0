"""``ts-retry config``: the effective ``maxRetryTimeoutInSec``, and what the frontend ignores."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Iterator

from ts_retry_ext.cli.printing import (
    ERROR,
    OK,
    CommandError,
    print_json,
    print_line,
    print_table,
    print_wrapped,
)
from ts_retry_ext.cli.servers import add_server_option, chosen_server

if TYPE_CHECKING:
    from ts_retry_ext.snapshot.effective import Effective


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    parser = commands.add_parser(
        "config",
        help="show the retry window of each model",
        description="Show the maxRetryTimeoutInSec in force for every model of the running server. "
        "With PATH, show what TorchServe would use for these archives, model folders and model "
        "stores. Archives are read without unpacking them.",
        epilog="examples:\n  ts-retry config\n  ts-retry config model_store/my_model.mar",
    )
    parser.add_argument("paths", nargs="*", metavar="PATH", help="archive, folder or model store")
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_server_option(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ts_retry_ext.archive.config_errors import MissingYamlError

    try:
        found = _of_paths(arguments.paths) if arguments.paths else _of_server(arguments.pid)
        rows = list(found)
    except MissingYamlError as error:
        raise CommandError(str(error)) from error
    if arguments.json:
        print_json([row.to_json() for row in rows])
    else:
        _print(rows)
    return ERROR if any(row.max_retry_timeout_sec is None for row in rows) else OK


def _of_paths(paths: list[str]) -> Iterator[Effective]:
    from ts_retry_ext.cli.shared_options import archives_named
    from ts_retry_ext.snapshot.effective import effective_of_archive

    for archive in archives_named(paths):
        yield effective_of_archive(archive)


def _of_server(pid: int | None) -> Iterator[Effective]:
    from ts_retry_ext.frontend.choice import no_server
    from ts_retry_ext.frontend.condition import ManagementError
    from ts_retry_ext.frontend.management import management_api_of
    from ts_retry_ext.snapshot.effective import effective_of_registered
    from ts_retry_ext.snapshot.window_in_force import worker_folders

    server = chosen_server(pid)
    if server is None:
        msg = f"{no_server()}; or name archives or a model store"
        raise CommandError(msg)
    try:
        models = management_api_of(server.configuration).describe_all()
    except ManagementError as error:
        raise CommandError(str(error)) from error
    for model in models:
        yield effective_of_registered(model, server.configuration, worker_folders(model))


def _print(rows: list[Effective]) -> None:
    if not rows:
        print_line("no model is registered")
        return
    columns = (
        "MODEL",
        "VERSION",
        "WINDOW",
        "SOURCE",
        "CONFIGURED",
        "RETRIES",
        "LAST AT",
        "ARCHIVE",
    )
    print_table(columns, [_cells(row) for row in rows], aside=("ARCHIVE",))
    for row in rows:
        for code, message in row.problems:
            print_wrapped(f"{row.model or row.archive}: {message} [{code}]")


def _cells(row: Effective) -> tuple[object, ...]:
    retries, last = row.schedule or (None, None)
    return (
        row.model,
        row.version,
        None if row.max_retry_timeout_sec is None else f"{row.max_retry_timeout_sec} s",
        row.source,
        row.configured,
        retries,
        None if last is None else f"+{last:.0f} s",
        row.archive,
    )
