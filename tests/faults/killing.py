"""Worker processes without TorchServe and Java, each of them killed a little later than the last.

Run as a script whose command line names the frontend's main class: the process is the frontend,
and forks a worker for each moment that it can be killed at. It prints what the killed workers left,
a JSON line each.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from types import FrameType
from typing import Any, Callable

import ts_retry_ext.worker.predecessor_deaths  # noqa: F401 - imported here once, not in each worker
from ts_retry_ext.store import atomic, directory, journal, marker
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.record import Event
from ts_retry_ext.worker import guard, startup
from ts_retry_ext.worker.marker_in_force import applicable_marker
from ts_retry_ext.worker.session import Session, open_session

_STORE = (atomic.__file__, directory.__file__, journal.__file__, marker.__file__)
#: The system calls that change something, by their names in Python.
_CHANGING = frozenset(
    [
        "open",
        "flock",
        "write",
        "flush",
        "fsync",
        "ftruncate",
        "close",
        "replace",
        "remove",
        "mkdir",
        "chmod",
    ]
)
#: More than a worker has moments; the loop ends when one lives to its end.
MAX_MOMENTS = 1000
#: A nearly full journal has room for what a worker writes before it fails, in bytes.
ROOM = 2000
#: How much longer than the last a torn line is, in bytes.
TEAR = 150


def main(folder: str, what: str, stride: int) -> None:
    """Kill workers in `folder` at every `stride`-th moment, with a ``short``, ``full`` or ``torn`` journal."""
    model_dir = lay_out(folder)
    os.chdir(folder)
    for moment in range(1, MAX_MOMENTS, stride):
        shutil.rmtree(os.path.join(folder, "logs"), ignore_errors=True)
        in_child(lambda: _served(model_dir, full=what == "full"))
        told: dict[str, Any] = {"before": left(folder)}
        kill = _tear if what == "torn" else _kill_at
        told["killed"] = in_child(lambda: _be_killed(model_dir, kill, moment))  # noqa: B023
        told["after"] = left(folder)
        told["holds"] = in_child(lambda: _succeed(model_dir)) == 0
        told["then"] = left(folder)
        print(json.dumps(told))
        if told["killed"] != -signal.SIGKILL:
            return
    raise SystemExit("no worker lived to its end")


def lay_out(folder: str) -> str:
    """Make a model's directory in `folder` and return its path."""
    model_dir = os.path.join(folder, "model")
    os.makedirs(os.path.join(model_dir, "MAR-INF"))
    with open(os.path.join(model_dir, "MAR-INF", "MANIFEST.json"), "w") as stream:
        json.dump({"model": {"modelName": "m", "handler": "h.py"}}, stream)
    return model_dir


def in_child(act: Callable[[], object]) -> int:
    """Run `act` in a process of its own and return how that ended, as `subprocess` does."""
    pid = os.fork()
    if pid == 0:
        try:
            os._exit(int(act() is False))
        except BaseException as error:
            os.write(2, f"{error!r}\n".encode())
            os._exit(3)
    _, status = os.waitpid(pid, 0)
    return -os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def open_worker(model_dir: str, number: int = 0) -> Session:
    """Let this process be a worker of the model."""
    socket = f"/tmp/.s.{9000 + number}"
    sys.argv = ["model_service_worker.py", "--sock-type", "unix", "--sock-name", socket]
    os.chdir(model_dir)
    session = open_session()
    assert session is not None
    return session


def _served(model_dir: str, *, full: bool) -> None:
    """Be a worker that loaded the model and died; its journal is nearly `full` then, or short."""
    session = open_worker(model_dir)
    session.record(Event.START)
    session.record(Event.LOAD)
    path = journal.journal_path(session.directory)
    while full and os.stat(path).st_size < journal.COMPACT_BYTES - ROOM:
        session.record(Event.LOAD, filler="x" * 500)
    session.record(Event.LOADED)


def _be_killed(model_dir: str, kill: Callable[[int], None], moment: int) -> None:
    """Be a worker whose model cannot be loaded, and that `kill` has killed at a moment."""
    kill(moment)
    session = open_worker(model_dir)
    assert startup._judge_crashes(session) is None
    fail_to_load(session)
    sys.setprofile(None)


def fail_to_load(session: Session, cause: BaseException | None = None) -> None:
    """Let the load of this worker fail with `cause`, or because a module is missing.

    Raises:
        OSError: the store cannot be written, so that nobody watches the load.
    """
    watch = guard.LoadGuard(session)
    watch.install()
    watch._begin(session.name)
    try:
        if cause is not None:
            raise cause
        import no_such_module_anywhere  # type: ignore[import-not-found]  # noqa: F401
    except Exception as error:
        watch.failed(error)


def _succeed(model_dir: str) -> bool:
    """Be the next worker; tell whether it would hold."""
    session = open_worker(model_dir)
    applicable = applicable_marker(session) or startup._judge_crashes(session)
    session.record(Event.HOLD if applicable else Event.START)
    return applicable is not None


def _kill_at(call: int) -> None:
    """Have this process killed before that one of the store's system calls which change something."""
    left = call

    def look(frame: FrameType, event: str, function: Any) -> None:
        nonlocal left
        if event != "c_call" or frame.f_code.co_filename not in _STORE:
            return
        if function.__name__ in _CHANGING:
            left -= 1
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.setprofile(look)


def _tear(part: int) -> None:
    """Have this process killed within the line that tells of its failure."""
    write = os.write

    def torn(descriptor: int, data: Any) -> int:
        if b'"event":"failure"' in data and b"no_such_module" in data and part * TEAR < len(data):
            write(descriptor, data[: part * TEAR])
            os.kill(os.getpid(), signal.SIGKILL)
        return write(descriptor, data)

    os.write = torn


def left(folder: str, *, fallback: bool = False) -> dict[str, Any]:
    """Return what the state directory holds: totals, last events, the marker's rule, files."""
    usual = os.path.join(folder, "logs", "ts_retry")
    place = os.path.join(folder, "tmp", f"ts_retry-{os.geteuid()}") if fallback else usual
    for run in directory.server_runs(place):
        for path in directory.model_directories(run):
            records = journal.read(path)
            history, found = summarise(records), marker.read_marker(path)
            with open(journal.journal_path(path), "rb") as stream:
                lines = stream.read().splitlines()
            return {
                "model": history.model,
                "torn": len(lines) - len(records),
                "totals": [history.worker_starts, history.loads, history.failures],
                "events": [record.event.value for record in records][-6:],
                "rule": found.rule if found else None,
                "files": sorted(os.listdir(path)),
            }
    return {}


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]))
