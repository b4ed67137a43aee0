"""The running TorchServe that a command is about."""

from __future__ import annotations

import argparse

from ts_retry_ext.cli.printing import USAGE, CommandError
from ts_retry_ext.frontend.choice import (
    NoServerError,
    SeveralServersError,
    Wanted,
    choose_server,
)
from ts_retry_ext.frontend.server_configuration import Server


def add_server_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--pid``, which names the server where several run."""
    parser.add_argument(
        "--pid",
        type=int,
        help="process id of TorchServe's frontend, if several servers run on this machine",
    )


def chosen_server(pid: int | None, ts_config: str | None = None) -> Server | None:
    """Return the running server that is meant, or None where none runs.

    Args:
        pid: process id of its frontend, or None.
        ts_config: the configuration file that it started with; None for any.

    Raises:
        CommandError: `pid` is no frontend, or several run and none stands out.
    """
    try:
        return choose_server(Wanted(pid=pid, ts_config=ts_config))
    except NoServerError as error:
        if pid is not None:
            raise CommandError(str(error)) from error
        return None
    except SeveralServersError as error:
        told = f"several servers run, choose one with --pid: {error}"
        raise CommandError(told, USAGE) from error
