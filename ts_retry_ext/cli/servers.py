"""Choose the running TorchServe that a command is about."""

from __future__ import annotations

import argparse
import os

from ts_retry_ext.cli.output import USAGE, CommandError
from ts_retry_ext.frontend.process import running_frontends
from ts_retry_ext.frontend.server import Server, server_of
from ts_retry_ext.frontend.unseen import in_words, unseen_frontends


def add_server_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--pid``, which names the server where several run."""
    parser.add_argument(
        "--pid",
        type=int,
        help="process id of TorchServe's frontend, where several servers run on this machine",
    )


def chosen_server(pid: int | None) -> Server | None:
    """Return the running server that is meant, or None where none runs.

    Without a `pid` it is the only one, or the one whose working directory is the current one.

    Raises:
        CommandError: `pid` is no frontend, or several run and none stands out.
    """
    frontends = running_frontends()
    if pid is not None:
        named = [frontend for frontend in frontends if frontend.pid == pid]
        if not named:
            unseen = [other for other in unseen_frontends() if other.pid == pid]
            told = in_words(unseen) or [f"process {pid} is no TorchServe frontend"]
            raise CommandError(told[0])
        return server_of(named[0])
    if len(frontends) > 1:
        here = os.path.realpath(os.getcwd())
        near = [frontend for frontend in frontends if os.path.realpath(frontend.cwd) == here]
        if len(near) != 1:
            found = ", ".join(f"{frontend.pid} (in {frontend.cwd})" for frontend in frontends)
            raise CommandError(f"several servers run, choose one with --pid: {found}", USAGE)
        frontends = near
    return server_of(frontends[0]) if frontends else None


def no_server() -> str:
    """Say that no server runs here, or why none of those that do can be looked into."""
    return "; ".join(in_words(unseen_frontends())) or "no TorchServe runs here"
