"""``ts-retry resume``: let halted models load again, wait, and tell whether they serve."""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

from ts_retry_ext.cli.printing import (
    ERROR,
    HALTED,
    OK,
    USAGE,
    CommandError,
    print_json,
    print_line,
    warn,
)
from ts_retry_ext.cli.shared_options import positive_number

if TYPE_CHECKING:
    from ts_retry_ext.snapshot.model import ModelStatus, Snapshot
    from ts_retry_ext.snapshot.real_load import Resumption

TIMEOUT_SEC = 120.0


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the command line."""
    from ts_retry_ext.cli.sources import add_source_options

    parser = commands.add_parser(
        "resume",
        help="let a halted model load again, and tell whether it serves",
        description="Let the workers of a halted model load it again, wait, and tell whether the "
        "model serves. Exits with 0 when it does, 3 when it is halted again, 1 otherwise.",
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help="name of the model")
    parser.add_argument("--version", help="version of the model, where it has several")
    parser.add_argument("--all", action="store_true", help="every halted model")
    parser.add_argument(
        "--timeout",
        type=positive_number,
        default=TIMEOUT_SEC,
        metavar="SECONDS",
        help="how long to wait for each model (default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_source_options(parser)
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the command."""
    from ts_retry_ext.cli.sources import snapshot_of
    from ts_retry_ext.frontend.choice import no_server

    if bool(arguments.model) == arguments.all:
        msg = "name one model, or --all"
        raise CommandError(msg, USAGE)
    if arguments.all and arguments.version:
        msg = "--version goes with one model, not with --all"
        raise CommandError(msg, USAGE)
    snapshot = snapshot_of(arguments)
    if snapshot.server is None or not snapshot.server.running:
        msg = f"{no_server()}, so that nothing can be resumed"
        raise CommandError(msg)
    wanted = _wanted(snapshot, arguments)
    codes, results = [OK], []
    for model in wanted:
        try:
            code, content = _resume(model, snapshot.server.pid, arguments)
        except CommandError as error:
            if not arguments.all:
                raise
            # What keeps one model from being resumed is no reason to leave the others.
            warn(f"ts-retry: {error}")
            code, content = error.exit_code, _content(model, "failed", str(error))
        codes.append(code)
        results.append(content)
    if arguments.json:
        print_json(results)
    elif not wanted:
        print_line("no model is halted")
    return HALTED if HALTED in codes else max(codes)


def _wanted(snapshot: Snapshot, arguments: argparse.Namespace) -> list[ModelStatus]:
    from ts_retry_ext.cli.sources import model_in

    if arguments.all:
        return [model for model in snapshot.models if model.can_be_resumed]
    return [model_in(snapshot, arguments.model, arguments.version)]


def _resume(
    model: ModelStatus, pid: int, arguments: argparse.Namespace
) -> tuple[int, dict[str, Any]]:
    from ts_retry_ext.cli.servers import chosen_server
    from ts_retry_ext.frontend.condition import ManagementError
    from ts_retry_ext.frontend.management import management_api_of
    from ts_retry_ext.snapshot.observed_server import observed
    from ts_retry_ext.snapshot.resumption import resume
    from ts_retry_ext.snapshot.state import State

    name = f"{model.model} {model.version}"
    # One that recovers may be past its window with nobody left to retry it; else this retries it now.
    if not model.can_be_resumed and model.state is not State.RECOVERING:
        told = f"{name} is not halted: it is {model.state.value}"
        if model.out_of_reach:
            told += f", {model.out_of_reach}"
        _tell(arguments, told)
        code = OK if model.state is State.SERVING else ERROR
        return code, _content(model, "not-halted", told)
    server = chosen_server(pid)
    if server is None:
        msg = f"{name}: the server has ended"
        raise CommandError(msg)
    try:
        done = resume(
            observed(server, arguments.state_dir),
            management_api_of(server.configuration),
            model,
            timeout_sec=arguments.timeout,
            tell=lambda text: _tell(arguments, f"{name}: {text}"),
        )
    except ManagementError as error:
        msg = f"{name}: {error}{_what_was_done(model)}"
        raise CommandError(msg) from error
    except OSError as error:
        msg = f"{name}: cannot remove the exit marker: {error}"
        raise CommandError(msg) from error
    code, told = _outcome(name, done, arguments.timeout)
    _tell(arguments, told)
    return code, _content(done.status or model, done.result.value, told)


def _what_was_done(model: ModelStatus) -> str:
    """Return what to add where the frontend did not tell how it went."""
    from ts_retry_ext.store.marker import marker_path

    registration = model.registration
    if registration is None or registration.marker is None:
        return ""
    if os.path.exists(marker_path(registration.directory)):
        return ""
    return "; its exit marker is removed, so that it loads again: look with ts-retry status"


def _outcome(name: str, done: Resumption, timeout: float) -> tuple[int, str]:
    from ts_retry_ext.snapshot.real_load import ResumeResult

    if done.result is ResumeResult.SERVES:
        return OK, f"{name} serves again, after {done.seconds:.0f} s"
    if done.status is None:
        return ERROR, f"{name} is not registered any more"
    cause = done.status.cause or "no cause known"
    if done.result is ResumeResult.FAILED_AGAIN:
        return HALTED, f"{name} is halted again: {cause}"
    state = done.status.state.value
    return ERROR, f"{name} does not serve after {timeout:g} s: it is {state}, {cause}"


def _content(model: ModelStatus, result: str, told: str) -> dict[str, Any]:
    return {
        "model": model.model,
        "version": model.version,
        "result": result,
        "state": model.state.value,
        "message": told,
    }


def _tell(arguments: argparse.Namespace, text: str) -> None:
    """Print a step; on stderr where stdout is for JSON."""
    (warn if arguments.json else print_line)(text)
