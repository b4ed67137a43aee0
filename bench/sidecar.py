"""Measure the sidecar: memory, processor time, answers, and how soon a halt is seen.

    python -m bench.sidecar [--models 10 100 1000 5000] [--idle 60]

The frontend is a process that answers as TorchServe does, so that only the sidecar is measured.
Prints a table, and JSON on the last line.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from pathlib import Path
from typing import Any, Mapping

from bench.report import Table, now, parser, publish
from tests.cli.servers import Frontend, described, frontend
from tests.sidecar.sidecars import Sidecar, sidecar
from tests.snapshot.writing import failure, hold, record, write_journal
from ts_retry_ext.store.marker import remove_marker
from ts_retry_ext.store.record import Event

PATHS = ("/ping", "/models", "/config", "/metrics", "/")
#: Answers that a halt is told by; a probe's and a metric's.
TOLD_BY = ("/ping", "/metrics")
ASKED = 50
HALTS = 20
SETTLE_SEC = 5.0
FIRST_PID = 100_000


def measure(models: int, idle_sec: float) -> dict[str, float]:
    """Return the figures of a sidecar that watches a server with so many models."""
    with tempfile.TemporaryDirectory() as folder, frontend(Path(folder) / "run") as server:
        names = _register(server, models)
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        with sidecar(Path(folder) / "sidecar", *options) as observing:
            observing.wait_for(lambda: len(observing.states()) == len(names), "it is ready", 300)
            found = {f"{path}, median [ms]": _median_ms(observing, path) for path in PATHS}
            for path in TOLD_BY:
                found.update(_halts(server, observing, names[:HALTS], path))
            time.sleep(SETTLE_SEC)
            before = observing.cpu_sec()
            time.sleep(idle_sec)
            found["idle [% of a core]"] = (observing.cpu_sec() - before) / idle_sec * 100
            found["resident [MB]"] = observing.resident_mb()
    return found


def _register(server: Frontend, count: int) -> list[str]:
    names = [f"model-{number:04d}" for number in range(count)]
    entries = []
    for pid, name in enumerate(names, FIRST_PID):
        worker = {"id": "9000", "status": "READY", "pid": pid}
        entries.append(described(name, workers=[worker]))
        _load(server.kept / name, pid)
    server.register(*entries)
    server.api.answers["GET /ping"] = {"status": "Healthy"}
    return names


def _load(folder: Path, pid: int) -> None:
    """Write the journal of a model that has failed once and loaded then."""
    name = folder.name
    first = (record(Event.START, 0, pid, model=name), failure(1, pid, model=name))
    write_journal(folder, *first, record(Event.LOADED, 2, pid, model=name))


def _median_ms(observing: Sidecar, path: str) -> float:
    found = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        observing.ask(path)
        found.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.02)
    return statistics.median(found)


def _halts(server: Frontend, observing: Sidecar, names: list[str], path: str) -> dict[str, float]:
    """Return how long after a marker was written the answer at `path` tells of it."""
    found = []
    for pid, name in enumerate(names, FIRST_PID):
        folder = server.kept / name
        hold(folder, pid, model=name)
        begun = time.monotonic()
        while not _tells(observing, path, name):
            time.sleep(0.002)
        found.append(time.monotonic() - begun)
        remove_marker(str(folder))
        _load(folder, pid)
        while _tells(observing, path, name):
            time.sleep(0.02)
    return {
        f"marker to {path}, median [s]": statistics.median(found),
        f"marker to {path}, longest [s]": max(found),
    }


def _tells(observing: Sidecar, path: str, name: str) -> bool:
    text = observing.ask(path).text
    if path != "/metrics":
        return name in text
    return any(
        line.startswith("ts_retry_model_halted{") and f'"{name}"' in line and line.endswith(" 1.0")
        for line in text.splitlines()
    )


def table(found: Mapping[str, Any]) -> Table:
    """Return a column for each number of models."""
    sizes = list(found["models"])
    names = list(found["models"][sizes[0]])
    rows = [[name, *(f"{found['models'][size][name]:.2f}" for size in sizes)] for name in names]
    return Table(["", *(f"{int(size):,} models" for size in sizes)], rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--models", type=int, nargs="+", default=[10, 100, 1000, 5000])
    options.add_argument("--idle", type=float, default=60.0, help="seconds to watch it do nothing")
    arguments = options.parse_args()
    begun_at = now()
    found = {"models": {str(size): measure(size, arguments.idle) for size in arguments.models}}
    publish("sidecar", found, table(found), begun_at)


if __name__ == "__main__":
    main()
