"""Get the snapshot that a command is about: of a running server, or of the last run kept on disk."""

from __future__ import annotations

import argparse
import os

from ts_retry_ext.cli.printing import USAGE, CommandError, warn
from ts_retry_ext.cli.shared_options import add_server_option, chosen_server
from ts_retry_ext.frontend.choice import (
    NoServerError,
    SeveralServersError,
    Wanted,
    choose_server,
    no_server,
)
from ts_retry_ext.frontend.frontends_here import in_words, running_frontends, unseen_frontends
from ts_retry_ext.frontend.server_configuration import Server
from ts_retry_ext.settings import ENVIRONMENT_PREFIX, STATE_DIRECTORY_NAME
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.observed_server import observed
from ts_retry_ext.snapshot.server_snapshot import Snapshot
from ts_retry_ext.snapshot.take import take_snapshot, take_snapshot_of_run
from ts_retry_ext.store.directory import server_runs, why_unreadable


def add_source_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a server or a state directory."""
    add_server_option(parser)
    parser.add_argument(
        "--state-dir", help="state directory to read (default: that of the server's settings)"
    )


def snapshot_of(arguments: argparse.Namespace) -> Snapshot:
    """Return the snapshot that the command line names.

    Raises:
        CommandError: several servers run, or `--state-dir` or `--pid` names nothing.
    """
    state_dir = arguments.state_dir or _of_ended_job(arguments)
    kept = _runs_under(state_dir)
    server = _running_server(arguments.pid, state_dir if kept else None)
    if server is not None:
        return take_snapshot(observed(server, state_dir))
    if not state_dir:
        kept = [run for place in _usual_places() for run in server_runs(place)]
    if kept:
        return take_snapshot_of_run(kept[0])
    return Snapshot(None, (), tuple(in_words(unseen_frontends())))


def run_directories(arguments: argparse.Namespace) -> list[str]:
    """Return the directories of all runs that the command line names: of one server, or of a state directory.

    Raises:
        CommandError: several servers run, or `--state-dir` or `--pid` names nothing.
    """
    state_dir, pid = arguments.state_dir or _of_ended_job(arguments), arguments.pid
    kept = _runs_under(state_dir)
    if kept and pid is None:
        return kept
    server = chosen_server(pid)
    places = _usual_places() if server is None else observed(server, state_dir).state_dirs
    return [run for place in dict.fromkeys(places) for run in server_runs(place)]


def _of_ended_job(arguments: argparse.Namespace) -> str | None:
    """Return the state directory that a job left in this folder, if no server that runs keeps its own there.

    The folder one stands in is meant rather than a server somewhere else on the machine.
    """
    if arguments.state_dir is not None or arguments.pid is not None:
        return None
    place = next((place for place in _usual_places() if server_runs(place)), None)
    if place is None:
        return None
    try:
        choose_server(Wanted(state_dir=place))
    except NoServerError:
        others = ", ".join(f"--pid {other.pid} (in {other.cwd})" for other in running_frontends())
        if others:
            warn(
                f"ts-retry: {place} is read, which a server that has ended left; running: {others}"
            )
        return place
    except SeveralServersError:
        pass
    return None


def _runs_under(state_dir: str | None) -> list[str]:
    """Return the runs kept under `--state-dir`, none where it is not given. Raises CommandError."""
    if state_dir is None:
        return []
    if not os.path.isdir(state_dir):
        msg = f"--state-dir {state_dir}: there is no such directory"
        raise CommandError(msg)
    unreadable = why_unreadable(state_dir)
    if unreadable is not None:
        msg = f"--state-dir {state_dir}: {unreadable}"
        raise CommandError(msg)
    return server_runs(state_dir)


def _running_server(pid: int | None, state_dir: str | None) -> Server | None:
    if pid is not None or state_dir is None:
        return chosen_server(pid)
    try:
        return choose_server(Wanted(state_dir=state_dir))
    except NoServerError:
        return None  # What it left is still of use.
    except SeveralServersError as error:
        told = f"several servers keep their state there, choose one with --pid: {error}"
        raise CommandError(told, USAGE) from error


def model_in(snapshot: Snapshot, name: str, version: str | None) -> ModelStatus:
    """Return the model `name` of a snapshot.

    Without a version it is the only one, else the one that needs a hand, else the frontend's default
    one.

    Raises:
        CommandError: there is no such model.
    """
    found = models_in(snapshot, name, version)
    wanting = sorted((m for m in found if m.can_be_resumed), key=lambda m: not m.is_down)
    default = [model for model in found if model.running and model.running.is_default]
    return (*wanting, *default, *found)[0]


def models_in(snapshot: Snapshot, name: str, version: str | None = None) -> tuple[ModelStatus, ...]:
    """Return all versions of a model, or the one that is named. Raises CommandError: there is none."""
    found = snapshot.named(name, version)
    if not found:
        raise CommandError(_unknown(snapshot, name, version))
    return found


def _unknown(snapshot: Snapshot, name: str, version: str | None) -> str:
    named = snapshot.named(name)
    if named:
        versions = ", ".join(model.version for model in named)
        return f"model {name!r} has no version {version!r}, its versions are {versions}"
    if not snapshot.models:
        reason = snapshot.problems[-1] if snapshot.problems else no_server()
        return f"no model {name!r} is known: {reason}"
    known = ", ".join(sorted({model.model for model in snapshot.models}))
    return f"no model {name!r} is known, these are: {known}"


def _usual_places() -> list[str]:
    """Return where a server started here would have kept its state."""
    configured = os.environ.get(ENVIRONMENT_PREFIX + "STATE_DIR")
    logs = os.environ.get("LOG_LOCATION", "logs")
    return [*([configured] if configured else []), os.path.join(logs, STATE_DIRECTORY_NAME)]
