"""Measure the halt on a real TorchServe: how soon it comes, and what a held worker costs.

    python -m bench.holder [--models N] [--watch SECONDS]

Registers broken models one after the other, so that none disturbs another's times. Prints a table,
and the numbers as JSON on the last line. Run it on a quiet machine.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from typing import Any, Mapping

import psutil

from bench.contender import moments
from bench.report import Table, now, parser, publish
from bench.spread import spread
from tests.e2e.archives import pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.store.times import to_seconds

BROKEN = "def handle(data, context)\n"
_KNOWN = r".*-> WORKER_ERROR"
_ROWS = (
    ("failure_to_worker_error_s", "from the failure to the frontend's `WORKER_ERROR`", "{:.2f} s"),
    (
        "process_start_to_ready_ms",
        "from a holder's command line to `Torch worker started`",
        "{:.0f} ms",
    ),
    ("resident_mb", "memory of a holder", "{:.1f} MB"),
)


def measure(models: int, watch: float) -> dict[str, Any]:
    """Return seconds, milliseconds, bytes and the share of one core, over `models` holders."""
    with tempfile.TemporaryDirectory() as folder, TorchServe(Path(folder)) as server:
        to_error, ready, size = [], [], []
        holders = []
        for number in range(models):
            name = f"broken{number}"
            pack(server.store, name, BROKEN)
            path = f"/models?url={name}.mar&initial_workers=1&synchronous=false"
            assert server.call(path, "POST")[0] == 202
            known = _until_known(server, name)
            records = server.journal_of(name)
            failed = next(r for r in records if r.event == "failure")
            held = next(r for r in records if r.event == "hold")
            to_error.append(known - to_seconds(failed.at))
            # The frontend's own clock on both ends: from running the command to the line it waits for.
            *_, run = moments(server.log(), name, "Worker cmdline")
            *_, started = moments(server.log(), name, "Torch worker started", "-stdout")
            ready.append((started - run) * 1e3)
            holders.append(psutil.Process(held.pid))
            size.append(holders[-1].memory_info().rss)
        before = [sum(holder.cpu_times()[:2]) for holder in holders]
        time.sleep(watch)
        used = [sum(h.cpu_times()[:2]) - b for h, b in zip(holders, before)]
    return {
        "models": models,
        "failure_to_worker_error_s": spread(to_error),
        "process_start_to_ready_ms": spread(ready),
        "resident_mb": spread([each / 1e6 for each in size]),
        "cpu_percent_of_a_core": sum(used) / models / watch * 100,
        "watched_s": watch,
    }


def _until_known(server: TorchServe, model: str) -> float:
    """Return when the frontend knew of the halt, in seconds since the epoch."""
    server.wait_for(lambda: server.is_held(model), f"{model} is held")
    known = server.wait_for(lambda: list(moments(server.log(), model, _KNOWN)), "it is known")
    return known[0]


def table(found: Mapping[str, Any]) -> Table:
    """Return how the figures of the holders spread."""
    rows = []
    for key, title, form in _ROWS:
        rows.append([title, *(form.format(found[key][each]) for each in ("median", "max"))])
    cpu = f"{found['cpu_percent_of_a_core']:.2f} %"
    rows.append([f"a core, over {found['watched_s']:g} s", cpu, "-"])
    return Table([f"{found['models']} holders", "median", "longest or largest"], rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--models", type=int, default=10, help="broken models to hold")
    options.add_argument("--watch", type=float, default=60, help="seconds to watch their CPU")
    arguments = options.parse_args()
    begun_at = now()
    found = measure(arguments.models, arguments.watch)
    publish("holder", found, table(found), begun_at)


if __name__ == "__main__":
    main()
