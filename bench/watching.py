"""Measure what watching for the end of a halt costs a holder, by the number of the model's files.

    python -m bench.watching [--watch SECONDS]

Lays out a model of so many files, writes the baseline as a failing worker does, and watches twice a second
as a holder does. Then it edits files, and measures how long it takes until that is seen. Prints a table,
and the numbers as JSON on the last line.
"""

from __future__ import annotations

import gc
import multiprocessing
import random
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Mapping

import psutil

from bench.report import Table, now, parser, publish
from bench.spread import spread
from ts_retry_ext.store.trial_schedule import FILES, MODULE, PACKAGES
from ts_retry_ext.worker.baseline import read_baseline, write_baseline
from ts_retry_ext.worker.take_baseline import Failed, take_baseline
from ts_retry_ext.worker.watched_causes import Watch

COUNTS = (20, 2_000, 20_000)
FILES_A_DIRECTORY = 100
#: How often a holder asks, in seconds.
_INTERVAL = 0.5
#: A change has to be seen within so many seconds.
_PATIENCE = 200.0
_ROWS = (
    ("baseline_ms", "time a failing worker takes for it", "{:.0f} ms"),
    ("watched_kb", "`watched.json`", "{:,.0f} kB"),
    ("cpu_percent_of_a_core", "a core, while nothing changes", "{:.2f} %"),
    ("resident_mb", "memory that it adds to a holder", "{:.1f} MB"),
    ("replaced_s", "until a replaced file is seen (median)", "{:.1f} s"),
    ("in_place_s", "until a file edited in place is seen (median)", "{:.1f} s"),
)


def lay_out(folder: Path, count: int) -> list[Path]:
    """Make a model of `count` files, and return them."""
    files = []
    for number in range(count):
        parent = folder / "data" / f"shard-{number // FILES_A_DIRECTORY:05d}"
        if number % FILES_A_DIRECTORY == 0:
            parent.mkdir(parents=True)
        files.append(parent / f"sample-{number:07d}.json")
        files[-1].write_text("{}")
    return files


def measure(count: int, watch: float, edits: int) -> dict[str, Any]:
    """Return what a model of `count` files costs; times in seconds unless the name says otherwise."""
    with tempfile.TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        model.mkdir()
        store = Path(folder) / "ts_retry" / "server-1-1" / "m-00000000"
        store.mkdir(parents=True)
        files = lay_out(model, count)
        time.sleep(0.1)
        begun = time.time_ns()
        waits_for = (FILES, PACKAGES, MODULE + "acme")
        failed = Failed(str(model), str(model), begun, begun, waits_for, (str(store),))
        begin = time.perf_counter()
        write_baseline(str(store), take_baseline(failed, None))
        took = time.perf_counter() - begin
        ours, theirs = multiprocessing.Pipe()
        holder = multiprocessing.get_context("spawn").Process(
            target=_hold, args=(str(store), watch, theirs)
        )
        holder.start()
        cost = ours.recv()
        replaced = [_until_seen(ours, _replace, each) for each in random.sample(files, edits)]
        in_place = [_until_seen(ours, _edit, each) for each in random.sample(files, edits)]
        ours.send("end")
        holder.join()
        return {
            "files": count,
            "baseline_ms": took * 1e3,
            "watched_kb": (store / "watched.json").stat().st_size / 1e3,
            **cost,
            "replaced_s": spread(replaced),
            "in_place_s": spread(in_place),
        }


def _hold(store: str, watch: float, parent: Connection) -> None:
    """Watch as a holder does; report the cost, then each change."""
    process = psutil.Process()
    read_baseline("/nowhere")
    gc.collect()
    before = process.memory_info().rss
    watching = Watch(store)
    assert watching.seen() is None
    added = process.memory_info().rss - before
    begin, used = time.monotonic(), sum(process.cpu_times()[:2])
    while time.monotonic() - begin < watch:
        assert watching.seen() is None
        time.sleep(_INTERVAL)
    share = (sum(process.cpu_times()[:2]) - used) / (time.monotonic() - begin)
    parent.send({"cpu_percent_of_a_core": share * 100, "resident_mb": added / 1e6})
    while not parent.poll():
        said = watching.seen()
        if said is not None and watching.absorb():
            parent.send(said)
        time.sleep(_INTERVAL)


def _until_seen(holder: Connection, change: Any, path: Path) -> float:
    change(path)
    begin = time.monotonic()
    assert holder.poll(_PATIENCE)
    assert path.name in holder.recv()
    return time.monotonic() - begin


def _replace(path: Path) -> None:
    fresh = path.with_name(".fresh")
    fresh.write_text('{"repaired": true}')
    fresh.rename(path)


def _edit(path: Path) -> None:
    path.write_text('{"edited": true}')


def table(found: Mapping[str, Any]) -> Table:
    """Return the figures, a column for each size of a model."""
    rows = []
    for key, title, form in _ROWS:
        values = [each[key] for each in found["models"]]
        cells = [form.format(v["median"] if isinstance(v, dict) else v) for v in values]
        rows.append([title, *cells])
    return Table(["", *(f"{each['files']:,} files" for each in found["models"])], rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--watch", type=float, default=60, help="seconds to watch the CPU")
    options.add_argument("--edits", type=int, default=5, help="edits of each kind")
    arguments = options.parse_args()
    begun_at = now()
    models = [measure(count, arguments.watch, arguments.edits) for count in COUNTS]
    found = {"models": models, "watched_s": arguments.watch}
    publish("watching", found, table(found), begun_at)


if __name__ == "__main__":
    main()
