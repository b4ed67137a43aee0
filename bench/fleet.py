"""Measure many broken models at once beside a sound one: TorchServe alone, then with the package.

    python -m bench.fleet [--models N] [--window SECONDS]

On each server in turn a sound model is asked for predictions, ten a second; then the broken models
are registered, and it is asked on until the server has nothing more to do for them. Before a run the
free memory is looked at: each worker of TorchServe alone takes `WORKER_MB`. Prints a table, and the
numbers as JSON on the last line. 50 models keep two cores busy for some minutes, longer than the
window; ``--models 5 --window 20`` is a quick run.
"""

from __future__ import annotations

import re
import sys
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Mapping

import psutil

from bench.contender import Usage, interpreters, is_final, server_of, usage
from bench.latency import Prediction, settled_at, slower
from bench.report import Table, now, parser, publish
from bench.spread import spread
from tests.e2e.archives import SOUND, pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC
from ts_retry_ext.logs.frontend_log import read_log
from ts_retry_ext.store.record import Event

BROKEN = "def handle(data, context)\n"
#: What a worker takes that has imported torch and no model yet, and what is left to the machine.
WORKER_MB, SPARE_MB = 230, 2_000
#: Pause between two predictions, in seconds.
PAUSE_SEC = 0.1
QUIET_SEC = 20.0
LOOK_SEC = 2.0
#: The last look has to be so long behind the last change of a worker's state.
SETTLED_SEC = 12.0
#: A machine too busy to start a worker in time; nothing is loaded then (0.12.0 WorkerLifeCycle).
_START_TIMEOUT = re.compile(r"WorkerInitializationException: Backend worker startup time out")
_ROWS = (
    ("worker_starts", "worker starts", "{:,}"),
    ("loads", "loads", "{:,}"),
    ("start_timeouts", "starts ended by the frontend's limit of 2 min", "{:,}"),
    ("workers_cpu_sec", "processor time of the workers", "{:,.0f} s"),
    ("peak_load", "machine's 1-minute load, highest", "{:.1f}"),
    ("peak_workers_mb", "memory of the broken models' workers, highest", "{:,.0f} MB"),
    ("end_workers_mb", "the same at the end", "{:,.0f} MB"),
    ("settled_sec", "nothing more happens after", "{:.0f} s"),
    ("usual_ms", "sound model's prediction before (p99)", "{:.0f} ms"),
    ("slower", "predictions slower than that", "{:,}"),
    ("longest_ms", "slowest prediction", "{:,.0f} ms"),
    ("usual_again_sec", "predictions are as before after", "{:.0f} s"),
)
#: What is no gain or loss: how fast the server was before, and that holders stay.
_NO_RATIO = ("usual_ms", "end_workers_mb")


class Asking:
    """Ask the sound model for predictions in a thread of its own, for the time of the context."""

    def __init__(self, server: TorchServe) -> None:
        self.begun = time.monotonic()
        self.predictions: list[Prediction] = []
        self._server = server
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Asking:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._end.wait(PAUSE_SEC):
            begun = time.monotonic()
            code, answer = self._server.predict("sound")
            assert code == 200, answer
            took_ms = (time.monotonic() - begun) * 1e3
            self.predictions.append(Prediction(begun - self.begun, took_ms))


def measure(models: int, window_sec: int) -> dict[str, Any]:
    """Return the figures of TorchServe alone and with the package."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pack(root / "store", "sound", SOUND)
        pack(root / "store", "broken", BROKEN, config=f"maxRetryTimeoutInSec: {window_sec}")
        python = interpreters(root / "envs")
        figures = {}
        for name, each in (("with_package", python.with_package), ("alone", python.alone)):
            server = server_of(root / name, each)
            server.store.mkdir(parents=True)
            for archive in (root / "store").iterdir():
                (server.store / archive.name).symlink_to(archive)
            server.models = {"sound": "sound.mar"}
            with server:
                figures[name] = _watch(server, models)
    return {"models": models, "window_sec": window_sec, "contenders": figures}


def _watch(server: TorchServe, models: int) -> dict[str, Any]:
    names = [f"broken{number}" for number in range(models)]
    server.wait_for(lambda: server.is_ready("sound"), "the sound model serves")
    with Asking(server) as quiet:
        time.sleep(QUIET_SEC)
    usual = spread([each.took_ms for each in quiet.predictions[1:]])
    frontend = server.frontend()
    before = usage(frontend)
    begun = time.monotonic()
    with Asking(server) as asking:
        with ThreadPoolExecutor(8) as registering:
            list(registering.map(lambda name: _register(server, name), names))
        seen, loads, settled_sec = _until_settled(server, frontend, names, begun)
    log = server.log()
    workers = [worker for name, worker in read_log(log).items() if name in names]
    held = sum(server.events(name).count(Event.HOLD) for name in names)
    limit = usual["p99"]
    return {
        "worker_starts": sum(worker.starts for worker in workers),
        "loads": sum(worker.loads for worker in workers) - held,
        "start_timeouts": len(_START_TIMEOUT.findall(log)),
        "workers_cpu_sec": seen[-1].workers_cpu_sec - before.workers_cpu_sec,
        "peak_load": max(loads),
        "peak_workers": max(each.workers for each in seen) - before.workers,
        "peak_workers_mb": max(each.workers_mb for each in seen) - before.workers_mb,
        "end_workers_mb": seen[-1].workers_mb - before.workers_mb,
        "settled_sec": settled_sec,
        "usual_ms": limit,
        "usual_median_ms": usual["median"],
        "slower": slower(asking.predictions, limit),
        "longest_ms": max(each.took_ms for each in asking.predictions),
        "usual_again_sec": settled_at(asking.predictions, limit),
        "predictions": len(asking.predictions),
    }


def _register(server: TorchServe, name: str) -> None:
    path = f"/models?url=broken.mar&model_name={name}&initial_workers=1&synchronous=false"
    code, answer = server.call(path, "POST")
    assert code == 202, answer


def _until_settled(
    server: TorchServe, frontend: psutil.Process, names: list[str], begun: float
) -> tuple[list[Usage], list[float], float]:
    """Return what the processes used at each look, the machine's loads, and when all was settled."""
    seen, loads, since = [], [], None
    while since is None or time.monotonic() - since < SETTLED_SEC:
        time.sleep(LOOK_SEC)
        seen.append(usage(frontend))
        loads.append(psutil.getloadavg()[0])
        workers = read_log(server.log())
        if not all(is_final(workers.get(name)) for name in names):
            since = None
        elif since is None:
            since = time.monotonic()
    return seen, loads, since - begun


def table(found: Mapping[str, Any]) -> Table:
    """Return the figures side by side, and how many times more TorchServe alone takes."""
    alone, ours = (found["contenders"][name] for name in ("alone", "with_package"))
    rows = []
    for key, title, form in _ROWS:
        ratio = "-" if key in _NO_RATIO else _ratio(alone[key], ours[key])
        rows.append([title, form.format(alone[key]), form.format(ours[key]), ratio])
    first = f"{found['models']} broken models, window {found['window_sec']} s"
    return Table([first, "TorchServe alone", "with the package", "ratio"], rows)


def _ratio(alone: float, ours: float) -> str:
    return f"{alone / ours:.1f}" if ours else "-"


def memory_problem(models: int, available_mb: float) -> str | None:
    """Return why `models` broken models do not fit into the free memory, or None where they do."""
    fit = int((available_mb - SPARE_MB) / WORKER_MB)
    if models <= fit:
        return None
    return (
        f"{models} workers take {models * WORKER_MB:,} MB and {available_mb:,.0f} MB are free: "
        f"--models {max(fit, 1)} fits"
    )


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--models", type=int, default=50, help="broken models")
    options.add_argument(
        "--window",
        type=int,
        default=DEFAULT_WINDOW_SEC,
        metavar="SECONDS",
        help="maxRetryTimeoutInSec of the broken models; 300 is TorchServe's default",
    )
    arguments = options.parse_args()
    begun_at = now()
    problem = memory_problem(arguments.models, psutil.virtual_memory().available / 1e6)
    if problem:
        sys.exit(problem)
    found = measure(arguments.models, arguments.window)
    publish("fleet", found, table(found), begun_at)


if __name__ == "__main__":
    main()
