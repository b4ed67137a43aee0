"""Options that several commands share, and what their values name."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Iterable

from ts_retry_ext.cli.printing import USAGE, CommandError, as_command_error, warn

if TYPE_CHECKING:
    from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
    from ts_retry_ext.judge import Rule

_RULES = "TS_RETRY_RULES"


def add_rules_option(parser: argparse.ArgumentParser) -> None:
    """Add ``--rules`` for a command that judges."""
    parser.add_argument(
        "--rules",
        metavar="PATH",
        default=os.environ.get(_RULES) or None,
        help="your own rules, asked before the built-in ones: YAML files or folders of them, "
        f"separated by commas (default: ${_RULES})",
    )


def rules_named(path: str | None) -> tuple[Rule, ...]:
    """Return the rules to judge by: those that ``--rules`` names, then the built-in ones.

    Raises:
        CommandError: a file or folder cannot be read; a rule that is wrong is named, and left out.
    """
    from ts_retry_ext.judge.builtin import BUILTIN_RULES

    if path is None:
        return tuple(BUILTIN_RULES)
    from ts_retry_ext.frontend.rules_file import RulesFileError
    from ts_retry_ext.snapshot.own_rules import read_rules

    with as_command_error(RulesFileError):
        own, problems = read_rules(path)
    for problem in problems:
        warn(f"ts-retry: rule left out: {problem}")
    return (*own, *BUILTIN_RULES)


def archives_named(
    paths: Iterable[str], configuration: ServerConfiguration | None = None
) -> list[str]:
    """Return the archives and model folders that a command line names, see `models_at`.

    Args:
        configuration: that of the server they are for, or None.

    Raises:
        CommandError: a path names none.
    """
    from ts_retry_ext.archive.model_archive import ArchiveError
    from ts_retry_ext.archive.model_store import models_at

    properties = configuration.properties if configuration else {}
    default_handler = properties.get("default_service_handler")
    with as_command_error(ArchiveError):
        return [found for path in paths for found in models_at(path, default_handler)]


def configuration_named(ts_config: str | None) -> ServerConfiguration:
    """Return the configuration of a server that was started here and now.

    Args:
        ts_config: its ``config.properties``; without it, what a server would find by itself.

    Raises:
        CommandError: there is no such file.
    """
    from ts_retry_ext.check.environment import configuration_here

    if ts_config is not None and not os.path.isfile(ts_config):
        msg = f"--ts-config {ts_config}: there is no such file"
        raise CommandError(msg)
    return configuration_here(ts_config)


def positive_number(text: str) -> float:
    """Return the value of an option that is a number above 0.

    Raises:
        ValueError: the text is none.
    """
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError
    return value


def positive_count(text: str) -> int:
    """Return the value of an option that is a whole number of at least 1.

    Raises:
        ValueError: the text is none.
    """
    value = int(text)
    if value < 1:
        raise ValueError
    return value


# What argparse calls them where it says that a value is none.
positive_number.__name__ = "number above 0"
positive_count.__name__ = "whole number of at least 1"


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
        ts_config: the configuration file that it started with; None for any.

    Raises:
        CommandError: `pid` is no frontend, or several run and none stands out.
    """
    from ts_retry_ext.frontend.choice import (
        NoServerError,
        SeveralServersError,
        Wanted,
        choose_server,
    )

    try:
        return choose_server(Wanted(pid=pid, ts_config=ts_config))
    except NoServerError as error:
        if pid is not None:
            raise CommandError(str(error)) from error
        return None
    except SeveralServersError as error:
        told = f"several servers run, choose one with --pid: {error}"
        raise CommandError(told, USAGE) from error
