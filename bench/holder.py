"""Measure the halt on a real TorchServe: how soon it comes, and what a held worker costs.

    python -m bench.holder [--models N] [--watch SECONDS]

Registers broken models one after the other, so that none disturbs another's times. Prints a table,
and the numbers as JSON on the last line. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import re
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Sequence

import psutil

from tests.e2e.archives import pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.store.times import to_seconds

BROKEN = "def handle(data, context)\n"
_STAMP = r"^(\S+) \[\w+ *\] W-\d+-{} \S+ - "


def measure(models: int, watch: float) -> dict[str, object]:
    """Return seconds, milliseconds, bytes and the share of one core, over `models` holders."""
    with tempfile.TemporaryDirectory() as folder, TorchServe(Path(folder)) as server:
        to_error, ready, size = [], [], []
        holders = []
        for number in range(models):
            name = f"broken{number}"
            pack(server.store, name, BROKEN)
            path = f"/models?url={name}.mar&initial_workers=1&synchronous=false"
            assert server.call(path, "POST")[0] == 202
            server.wait_for(lambda name=name: server.is_held(name), f"{name} is held")  # type: ignore[misc]
            pattern = _STAMP.format(name + "_1.0") + r".*-> WORKER_ERROR"
            server.wait_for(lambda p=pattern: _moment(server, p), "the frontend knows")  # type: ignore[misc]
            records = server.journal_of(name)
            failed = next(r for r in records if r["event"] == "failure")
            held = next(r for r in records if r["event"] == "hold")
            to_error.append(_moment(server, pattern) - to_seconds(failed["at"]))
            # The frontend's own clock on both ends: from running the command to the line it waits for.
            run = _moment(server, _STAMP.format(name + "_1.0") + "Worker cmdline", last=True)
            line = _STAMP.format(name + "_1.0-stdout") + "Torch worker started"
            ready.append((_moment(server, line, last=True) - run) * 1e3)
            holders.append(psutil.Process(held["pid"]))
            size.append(holders[-1].memory_info().rss)
        before = [sum(holder.cpu_times()[:2]) for holder in holders]
        time.sleep(watch)
        used = [sum(h.cpu_times()[:2]) - b for h, b in zip(holders, before)]
    return {
        "models": models,
        "failure_to_worker_error_s": _spread(to_error),
        "process_start_to_ready_ms": _spread(ready),
        "resident_mb": _spread([each / 1e6 for each in size]),
        "cpu_percent_of_a_core": sum(used) / models / watch * 100,
        "watched_s": watch,
    }


def _moment(server: TorchServe, pattern: str, last: bool = False) -> float:
    """Return when the frontend's log says `pattern`, in seconds since the epoch, or 0."""
    found = re.findall(pattern, server.log(), re.MULTILINE)
    if not found:
        return 0.0
    stamp = found[-1 if last else 0].replace(",", ".")
    return datetime.fromisoformat(stamp).timestamp()


def _spread(values: Sequence[float]) -> dict[str, float]:
    return {"median": statistics.median(values), "max": max(values)}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--models", type=int, default=10, help="broken models to hold")
    parser.add_argument("--watch", type=float, default=60, help="seconds to watch their CPU")
    arguments = parser.parse_args()
    found = measure(arguments.models, arguments.watch)
    for name, value in found.items():
        shown = (
            f"median {value['median']:.3f}, max {value['max']:.3f}"
            if isinstance(value, dict)
            else value
        )
        print(f"{name:32} {shown}")
    print(json.dumps(found))


if __name__ == "__main__":
    main()
