"""``ts-retry resume``: let models that are down load again, wait, and tell whether they serve."""

from __future__ import annotations

import argparse
import os
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import TYPE_CHECKING, Any, NamedTuple

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
    from ts_retry_ext.snapshot.model import ModelStatus
    from ts_retry_ext.snapshot.server_snapshot import Snapshot

TIMEOUT_SEC = 120.0
_CODES = {"serves": OK, "failed-again": HALTED}
#: So many models are resumed side by side.
SIDE_BY_SIDE = 16


class Told(NamedTuple):
    """What came of one model: the exit code, its entry for ``--json``, and what to add at the end."""

    code: int
    content: dict[str, Any]
    note: str | None = None


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from ts_retry_ext.cli.sources import add_source_options

    parser = commands.add_parser(
        "resume",
        help="make a trial load of a model that is down, and report whether it serves",
        description="Make a trial load of a model that is halted, waiting or retired, now. The model is "
        "loaded once in a process of its own, which TorchServe does not notice. If the load succeeds, "
        "the model's workers are started. If it fails, the model stays as it is, and the command reports "
        "the line that failed. The trial load uses the archive as TorchServe unpacked it at registration. "
        "So an archive that was packed again has to be registered again first (ts-retry deploy). Exits "
        "with 0 if the model serves, 3 if it has failed again, 1 otherwise.",
        epilog="examples:\n"
        "  ts-retry resume my_model\n"
        "  ts-retry resume --cause 4f1d2c9a77b0e831\n"
        "  ts-retry resume --all",
    )
    parser.add_argument("model", metavar="MODEL", nargs="?", help="name of the model")
    parser.add_argument("--version", help="version of the model, if it has several")
    parser.add_argument(
        "--all", action="store_true", help="resume every model that is down or has lost workers"
    )
    parser.add_argument(
        "--cause",
        metavar="FINGERPRINT",
        help="resume every model that is down for this cause (see: ts-retry status -o wide)",
    )
    parser.add_argument(
        "--timeout",
        type=positive_number,
        default=TIMEOUT_SEC,
        metavar="SECONDS",
        help="how long to wait for each model, without the time of other models' trial loads "
        "(default: %(default)g)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_source_options(parser)


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.cli.sources import snapshot_of
    from ts_retry_ext.frontend.choice import no_server

    several = arguments.all or arguments.cause is not None
    if [bool(arguments.model), arguments.all, arguments.cause is not None].count(True) != 1:
        msg = "name one model, or a --cause, or --all"
        raise CommandError(msg, USAGE)
    if several and arguments.version:
        msg = "--version goes with one model"
        raise CommandError(msg, USAGE)
    snapshot = snapshot_of(arguments)
    if snapshot.server is None or not snapshot.server.running:
        msg = f"{no_server()}, so that nothing can be resumed"
        raise CommandError(msg)
    wanted = _wanted(snapshot, arguments)
    if snapshot.unheard is not None and not any(_is_down(model) for model in wanted):
        # What its workers wrote down shows no trouble, and proves nothing of now.
        raise CommandError(snapshot.unheard)
    command = ResumeCommand(snapshot.server.pid, arguments)
    if several:
        told = _side_by_side(command, wanted)
    else:
        told = [command.resume(model) for model in wanted]
    for note in dict.fromkeys(one.note for one in told if one.note):
        command.tell(note)
    if arguments.json:
        print_json([one.content for one in told])
    elif not wanted:
        print_line("no model has to be resumed")
    codes = [OK, *(one.code for one in told)]
    return HALTED if HALTED in codes else max(codes)


def _side_by_side(command: ResumeCommand, wanted: list[ModelStatus]) -> list[Told]:
    """Resume several models at once: what keeps one from it is no reason to leave the others."""

    def resume(model: ModelStatus) -> Told:
        try:
            return command.resume(model)
        except CommandError as error:
            warn(f"ts-retry: {error}")
            return Told(error.exit_code, _content(model, "failed", str(error)))

    if len(wanted) > 1:
        command.tell(f"{len(wanted)} models: one trial load at a time, the rest side by side")
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool:
        return list(pool.map(resume, wanted))


def _wanted(snapshot: Snapshot, arguments: argparse.Namespace) -> list[ModelStatus]:
    from ts_retry_ext.cli.sources import model_in

    if arguments.all:
        return [model for model in snapshot.models if model.can_be_resumed]
    if arguments.cause is not None:
        return list(_of_cause(snapshot, arguments.cause))
    return [model_in(snapshot, arguments.model, arguments.version)]


def _of_cause(snapshot: Snapshot, fingerprint: str) -> tuple[ModelStatus, ...]:
    from ts_retry_ext.snapshot.server_snapshot import causes_of

    causes = {cause.fingerprint: cause for cause in causes_of(snapshot.models)}
    if fingerprint not in causes:
        known = ", ".join(sorted(filter(None, causes))) or "none"
        msg = f"no model is down for the cause {fingerprint}; the causes are: {known}"
        raise CommandError(msg)
    return causes[fingerprint].models


class ResumeCommand:
    """Resumes models of one server, and tells each step."""

    def __init__(self, pid: int, arguments: argparse.Namespace) -> None:
        self._pid = pid
        self._arguments = arguments
        self._lock = Lock()

    def resume(self, model: ModelStatus) -> Told:
        """Resume one model.

        Raises:
            CommandError: the frontend refuses, or the server has ended.
        """
        from ts_retry_ext.cli.shared_options import chosen_server
        from ts_retry_ext.frontend.condition import ManagementError
        from ts_retry_ext.frontend.management import management_api_of
        from ts_retry_ext.snapshot.observed_server import observed
        from ts_retry_ext.snapshot.resumption import outcome_in_words, resume, served_copy

        name = f"{model.model} {model.version}"
        if not _is_down(model):
            return self._needs_none(name, model)
        server = chosen_server(self._pid)
        if server is None:
            msg = f"{name}: the server has ended"
            raise CommandError(msg)
        timeout = self._arguments.timeout
        try:
            done = resume(
                observed(server, self._arguments.state_dir),
                management_api_of(server.configuration),
                model,
                timeout_sec=timeout,
                tell=lambda text: self._step(name, text),
            )
        except ManagementError as error:
            msg = f"{name}: {error}{_what_was_done(model)}"
            raise CommandError(msg) from error
        except OSError as error:
            msg = f"{name}: cannot read or write the state directory: {error}"
            raise CommandError(msg) from error
        told = f"{name} {outcome_in_words(done, timeout_sec=timeout, now=time.time())}"
        self.tell(told)
        code = _CODES.get(done.result.value, ERROR)
        content = _content(done.status or model, done.result.value, told)
        return Told(code, content, served_copy(done, server.configuration))

    def _needs_none(self, name: str, model: ModelStatus) -> Told:
        from ts_retry_ext.snapshot.state import State

        told = f"{name} needs no resume: it is {model.state.value}"
        if model.out_of_reach:
            told += f", {model.out_of_reach}"
        self.tell(told)
        code = OK if model.state is State.SERVING else ERROR
        return Told(code, _content(model, "not-needed", told))

    def _step(self, name: str, text: str) -> None:
        """Tell a step; of many models that wait for each other's trials, that is none."""
        from ts_retry_ext.snapshot.trial_on_demand import QUEUED

        if text != QUEUED or not self._arguments.all:
            self.tell(f"{name}: {text}")

    def tell(self, text: str) -> None:
        """Print a step; on stderr where stdout is for JSON."""
        with self._lock:
            (warn if self._arguments.json else print_line)(text)


def _is_down(model: ModelStatus) -> bool:
    """Tell whether there is something to resume.

    One that recovers may be past its window with nobody left to retry it; else it is retried now.
    """
    from ts_retry_ext.snapshot.state import State

    return model.can_be_resumed or model.state is State.RECOVERING


def _what_was_done(model: ModelStatus) -> str:
    """Return what to add where the frontend did not tell how it went."""
    from ts_retry_ext.store.directory import marker_path

    if model.marker is None or model.directory is None:
        return ""
    if os.path.exists(marker_path(model.directory)):
        return ""
    return "; its marker is removed, so it loads again: see ts-retry status"


def _content(model: ModelStatus, result: str, told: str) -> dict[str, Any]:
    place = model.failing_line
    return {
        "model": model.model,
        "version": model.version,
        "result": result,
        "state": model.state.value,
        "message": told,
        "at": place._asdict() if place is not None and result != "serves" else None,
    }
