"""Measure how soon models serve again after an outage: TorchServe alone, and with the package.

    python -m bench.outages [--outages SECONDS …] [--lanes N]

Each kind of outage happens to one model on a pair of servers, TorchServe alone and with the package,
at the same time. Several pairs, the lanes, work at once. Longer outages than can be waited for are
computed from the functions that decide (`bench.timeline`), and said so. Prints a table, and the
numbers as JSON on the last line.
"""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from itertools import product
from pathlib import Path
from queue import Empty, Queue
from statistics import median
from typing import Any, Iterable, Mapping, Sequence

from bench.contender import interpreters, server_of
from bench.outage import Kind, Outage, as_json, follow, pack_model, serves_after
from bench.report import Table, now, parser, publish
from bench.timeline import Case, Course, alone, with_package
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC

SHORT_WINDOW_SEC = 10
#: How long to watch after the end of an outage, at the least, and as a multiple of its length.
WATCHED_SEC, TIMES_WATCHED = 120.0, 2.0
MEASURED_SEC = (10, 30, 60, 120)
#: The outage that models with several workers, and the picture, are about.
USUAL_SEC, WORKERS = 60, 4
COMPUTED_SEC = (300, 600, 1800, 3600)
#: How long a load takes, most of it torch, where nothing else runs; in seconds.
LOAD_SEC = 3.0
_COLUMNS = (
    "outage", "failure", "window", "workers", "TorchServe alone: serves after", "loads", "processor time",
    "memory", "with the package: serves after", "loads", "processor time", "memory",
)  # fmt: skip


def kinds(outages: Iterable[int]) -> list[Kind]:
    """Return what is measured, the longest first: lanes are then done at about the same time."""
    found = []
    for outage, is_known in product(outages, (True, False)):
        found.append(Kind(outage, is_known, 1, DEFAULT_WINDOW_SEC))
        if outage > SHORT_WINDOW_SEC:
            found.append(Kind(outage, is_known, 1, SHORT_WINDOW_SEC))
        if outage == USUAL_SEC:
            found.append(Kind(outage, is_known, WORKERS, DEFAULT_WINDOW_SEC))
    return sorted(found, key=lambda kind: -kind.outage_sec)


def measure(wanted: Sequence[Kind], lanes: int) -> list[dict[str, Any]]:
    """Return what was seen of each kind, in the order of `wanted`."""
    waiting: Queue[Kind] = Queue()
    for kind in wanted:
        waiting.put(kind)
    with tempfile.TemporaryDirectory() as folder, ExitStack() as running:
        root = Path(folder)
        for kind in wanted:
            pack_model(root / "store", kind)
        python = interpreters(root / "envs")
        pairs = []
        for lane in range(lanes):
            pair = [
                server_of(root / f"{name}{lane}", each)
                for name, each in (("alone", python.alone), ("with", python.with_package))
            ]
            for server in pair:
                server.store.mkdir(parents=True)
                for archive in (root / "store").iterdir():
                    (server.store / archive.name).symlink_to(archive)
                running.enter_context(server)
            pairs.append(pair)
        with ThreadPoolExecutor(lanes) as pool:
            results = dict(
                each for lane in pool.map(lambda p: _lane(p, waiting), pairs) for each in lane
            )
    return [results[kind] for kind in wanted]


def _lane(pair: Sequence[TorchServe], waiting: Queue[Kind]) -> list[tuple[Kind, dict[str, Any]]]:
    """Take one kind after the other, as long as any waits."""
    done: list[tuple[Kind, dict[str, Any]]] = []
    while True:
        try:
            kind = waiting.get_nowait()
        except Empty:
            return done
        outages = [Outage(server, kind) for server in pair]
        follow(outages, max(WATCHED_SEC, TIMES_WATCHED * kind.outage_sec))
        seen = {name: as_json(o.close()) for name, o in zip(("alone", "with_package"), outages)}
        done.append((kind, {**kind._asdict(), **seen}))


def computed(outages: Iterable[int], load_sec: float) -> list[dict[str, Any]]:
    """Return what becomes of longer outages, if a load takes `load_sec`."""
    found = []
    for outage, is_known, window in product(
        outages, (True, False), (DEFAULT_WINDOW_SEC, SHORT_WINDOW_SEC)
    ):
        case = Case(outage, load_sec, window, is_known)
        kind = Kind(outage, is_known, 1, window)
        courses = {"alone": alone(case), "with_package": with_package(case)}
        seen = {name: _as_seen(course, outage) for name, course in courses.items()}
        found.append({**kind._asdict(), **seen})
    return found


def _as_seen(course: Course, outage_sec: float) -> dict[str, Any]:
    delay = course.delay_sec
    return {
        "outage_sec": outage_sec,
        "serves_at_sec": None if delay is None else outage_sec + delay,
        "loads": course.loads,
    }


def length_of_a_load(rows: Iterable[Mapping[str, Any]]) -> float:
    """Return how long a load of TorchServe alone took, in seconds, by its first retry, which waits 1 s."""
    retries: list[float] = [row["alone"]["loads_at_sec"][1] for row in rows if row["workers"] == 1]
    return median(retries) - 1.0


def table(found: Mapping[str, Any]) -> Table:
    """Return the figures; a row that was computed says so, and the last one how busy the machine was."""
    rows = [_row(row, "") for row in sorted(found["measured"], key=_order)]
    rows += [_row(row, ", computed") for row in found["computed"]]
    took = f"{length_of_a_load(found['measured']):.0f} s"
    rows.append(["a load took, median", "", "", "1", took, *[""] * (len(_COLUMNS) - 5)])
    return Table(_COLUMNS, rows)


def _order(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return (row["outage_sec"], -row["window_sec"], row["workers"], not row["is_known"])


def _row(row: Mapping[str, Any], how: str) -> list[str]:
    cells = [
        f"{_length(row['outage_sec'])}{how}",
        "known" if row["is_known"] else "unknown",
        f"{row['window_sec']} s",
        str(row["workers"]),
    ]
    for name in ("alone", "with_package"):
        cells += _cells(row[name])
    return cells


def _cells(seen: Mapping[str, Any]) -> list[str]:
    after = serves_after(seen)
    if "loads" in seen:
        return [after, str(seen["loads"]), "-", "-"]
    loads = str(len(seen["loads_at_sec"]))
    return [after, loads, f"{seen['cpu_sec']:.0f} s", f"{seen['peak_mb']:,.0f} MB"]


def _length(seconds: float) -> str:
    return f"{seconds:g} s" if seconds < 120 else f"{seconds / 60:g} min"


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument(
        "--outages",
        type=int,
        nargs="+",
        default=MEASURED_SEC,
        metavar="SECONDS",
        help="lengths to measure",
    )
    options.add_argument("--lanes", type=int, default=3, help="pairs of servers that work at once")
    arguments = options.parse_args()
    begun_at = now()
    measured = measure(kinds(arguments.outages), arguments.lanes)
    found = {
        "measured": measured,
        "computed": computed(COMPUTED_SEC, LOAD_SEC),
        "ended_at": now(),
    }
    publish("outages", found, table(found), begun_at)


if __name__ == "__main__":
    main()
