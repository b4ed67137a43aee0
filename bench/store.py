"""Measure the store: many processes write the journal and the marker of one model at once.

    python -m bench.store [--processes N] [--rounds N]

Each process writes what a failing worker writes: start, load, failure with its report, marker. One
process alone does the same first, so that the cost of the crowd is a ratio. Meanwhile another
process reads both files again and again. At the end every record has to be counted and every read
must have found a whole file. Prints a table, and the numbers as JSON on the last line.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
import tempfile
import time
from typing import Any, Mapping, NamedTuple

from bench.report import Table, now, parser, publish
from bench.spread import spread
from tests.snapshot.writing import failure, marker, record
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import UntrustedFileError
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.marker import MarkedWorker, read_marker, write_marker
from ts_retry_ext.store.record import Event

EVENTS = (Event.START, Event.LOAD, Event.FAILURE)
#: About as long as the report of a real failure, in characters.
TRACEBACK = '  File "handler.py", line 12, in initialize\n    self.model = load(path)\n' * 40
_KINDS = (("journal", "a journal record"), ("marker", "a marker"))

_barrier: Any = None


class Times(NamedTuple):
    """Milliseconds of each write of one process."""

    journal: list[float]
    marker: list[float]


class Reads(NamedTuple):
    """What a reader saw while others wrote."""

    reads: int
    torn: int


def measure(processes: int, rounds: int) -> dict[str, Any]:
    """Return milliseconds for each write and what was lost, for one process and for `processes`."""
    return {
        "rounds": rounds,
        "runs": [_run(1, rounds * processes), _run(processes, rounds)],
    }


def _run(processes: int, rounds: int) -> dict[str, Any]:
    spawning = multiprocessing.get_context("spawn")
    barrier = spawning.Barrier(processes + 1)
    with tempfile.TemporaryDirectory() as folder:
        with spawning.Pool(processes, _meet, (barrier,)) as writing, spawning.Pool(1) as reading:
            ends = os.path.join(folder, "end")
            reader = reading.apply_async(read_until, (folder, ends))
            work = [(folder, number, rounds) for number in range(processes)]
            waiting = writing.starmap_async(_write, work, chunksize=1)
            barrier.wait(300)
            begun = time.perf_counter()
            times = waiting.get(600)
            took_sec = time.perf_counter() - begun
            open(ends, "x").close()
            seen = reader.get(60)
        expected = processes * rounds * len(EVENTS)
        return {
            "processes": processes,
            "writes": expected + processes * rounds,
            "took_sec": took_sec,
            "journal_ms": spread([took for each in times for took in each.journal]),
            "marker_ms": spread([took for each in times for took in each.marker]),
            "records_lost": expected - recorded(folder),
            "marker_is_whole": read_marker(folder) is not None,
            **seen._asdict(),
        }


def _meet(barrier: Any) -> None:
    global _barrier
    _barrier = barrier


def _write(folder: str, number: int, rounds: int) -> Times:
    """Write what a worker writes, as soon as every process is ready."""
    _barrier.wait(300)
    return write(folder, number, rounds)


def write(folder: str, number: int, rounds: int) -> Times:
    """Write `rounds` times what a failing worker writes; `number` tells processes apart."""
    reported = failure(0, pid=number)
    assert reported.exception is not None
    exception = reported.exception._replace(traceback=TRACEBACK)
    plain, reported = record(Event.START, 0, pid=number), reported._replace(exception=exception)
    own = marker(worker=MarkedWorker(number, "s"), exception=exception)
    times = Times([], [])
    for _ in range(rounds):
        for event in EVENTS:
            begun = time.perf_counter()
            failed = event is Event.FAILURE
            journal.append(folder, reported if failed else plain._replace(event=event))
            times.journal.append((time.perf_counter() - begun) * 1e3)
        begun = time.perf_counter()
        write_marker(folder, own)
        times.marker.append((time.perf_counter() - begun) * 1e3)
    return times


def read_until(folder: str, ends: str) -> Reads:
    """Read marker and journal until the file `ends` is there; a file once seen has to stay whole."""
    reads = torn = records = 0
    seen = False
    while not os.path.exists(ends):
        try:
            present = read_marker(folder) is not None
        except UntrustedFileError:
            present = False
        counted = recorded(folder)
        torn += (seen and not present) + (counted < records)
        reads += 2
        seen, records = seen or present, max(records, counted)
    return Reads(reads, torn)


def recorded(folder: str) -> int:
    """Return how many records the journal has, those that gave way to a summary included."""
    told = summarise(journal.read(folder))
    return told.worker_starts + told.loads + told.failures


def table(found: Mapping[str, Any]) -> Table:
    """Return both runs side by side."""
    alone, crowd = found["runs"]
    columns = ["", "1 process", f"{crowd['processes']} processes", "ratio"]
    rows = [["writes", f"{alone['writes']:,}", f"{crowd['writes']:,}", "-"]]
    for key, title in _KINDS:
        for each in ("median", "p99"):
            one, many = (run[f"{key}_ms"][each] for run in (alone, crowd))
            cells = [f"{one:.2f} ms", f"{many:.2f} ms", f"{many / one:.1f}"]
            rows.append([f"{title}, {each}", *cells])
    rates = [run["writes"] / run["took_sec"] for run in (alone, crowd)]
    rows.append(["writes in a second", *(f"{rate:,.0f}" for rate in rates), f"{rates[1] / rates[0]:.1f}"])  # fmt: skip
    rows.append(["records lost", *(f"{run['records_lost']}" for run in (alone, crowd)), "-"])
    rows.append(["reads, torn or missing ones", *(f"{run['reads']:,}, {run['torn']}" for run in (alone, crowd)), "-"])  # fmt: skip
    return Table(columns, rows)


def main() -> None:
    """Measure and print; exit with 1 where anything was lost."""
    options = parser(__doc__)
    options.add_argument("--processes", type=int, default=64, help="processes that write at once")
    options.add_argument("--rounds", type=int, default=50, help="failures that each writes down")
    arguments = options.parse_args()
    begun_at = now()
    found = measure(arguments.processes, arguments.rounds)
    publish("store", found, table(found), begun_at)
    if any(run["records_lost"] or run["torn"] for run in found["runs"]):
        sys.exit(1)


if __name__ == "__main__":
    main()
