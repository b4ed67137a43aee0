"""Measure the sidecar: memory, processor time, answers, and how soon a halt is seen.

    python bench/sidecar.py [--models 20] [--idle 60]

The frontend is a process that answers as TorchServe does, so that only the sidecar is measured.
Prints a table, and JSON on the last line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.cli.servers import Frontend, described, frontend
from tests.sidecar.sidecars import Sidecar, sidecar
from tests.snapshot.writing import failure, marker, record, write_journal
from ts_retry_ext.store import journal
from ts_retry_ext.store.marker import remove_marker, write_marker

PATHS = ("/ping", "/models", "/config", "/metrics", "/")
ASKED = 50
HALTS = 20
SETTLE_SEC = 5.0


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--models", type=int, default=20)
    parser.add_argument(
        "--idle", type=float, default=60.0, help="seconds to watch it doing nothing"
    )
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, frontend(Path(folder) / "run") as server:
        names = _register(server, arguments.models)
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        with sidecar(Path(folder) / "sidecar", *options) as observing:
            observing.wait_for(lambda: len(observing.states()) == len(names), "it is ready", 120)
            found = {f"median of {path} [ms]": _median_ms(observing, path) for path in PATHS}
            found.update(_halts(server, observing, names[:HALTS]))
            time.sleep(SETTLE_SEC)
            before = observing.cpu_sec()
            time.sleep(arguments.idle)
            found["idle [% of a core]"] = (observing.cpu_sec() - before) / arguments.idle * 100
            found["resident [MB]"] = observing.resident_mb()
    print(f"{arguments.models} models")
    for name, value in found.items():
        print(f"{name:<28}{value:8.2f}")
    print(json.dumps({"models": arguments.models, **found}))


def _register(server: Frontend, count: int) -> list[str]:
    names = [f"model-{number:04d}" for number in range(count)]
    entries = []
    for pid, name in enumerate(names, 100_000):
        worker = {"id": "9000", "status": "READY", "pid": pid}
        entries.append(described(name, workers=[worker]))
        first = (record(journal.START, 0, pid, model=name), failure(1, pid, model=name))
        write_journal(server.kept / name, *first, record(journal.LOADED, 2, pid, model=name))
    server.register(*entries)
    server.api.answers["GET /ping"] = {"status": "Healthy"}
    return names


def _median_ms(observing: Sidecar, path: str) -> float:
    found = []
    for _ in range(ASKED):
        begun = time.perf_counter()
        observing.ask(path)
        found.append((time.perf_counter() - begun) * 1000)
        time.sleep(0.02)
    return statistics.median(found)


def _halts(server: Frontend, observing: Sidecar, names: list[str]) -> dict[str, float]:
    found = []
    for name in names:
        folder = str(server.kept / name)
        write_marker(folder, marker(model=name))
        begun = time.monotonic()
        while name not in observing.ask("/ping").text:
            time.sleep(0.002)
        found.append(time.monotonic() - begun)
        remove_marker(folder)
        while name in observing.ask("/ping").text:
            time.sleep(0.02)
    return {"halt seen, median [s]": statistics.median(found), "halt seen, longest [s]": max(found)}


if __name__ == "__main__":
    main()
