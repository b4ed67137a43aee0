"""The plug-in names a model's state as commands and sidecar do: both are asked the same."""

from __future__ import annotations

import itertools
import json
import subprocess
from typing import Any

from tests.snapshot.writing import marker, record
from ts_retry_ext.frontend.running_model import RunningModel, RunningWorker
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.state import State, state_of
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.marker import MarkedWorker, Marker, marker_to_json
from ts_retry_ext.store.record import Event, Record

FIRST, SECOND = "/tmp/.ts.sock.0", "127.0.0.1:1"
MARKERS: tuple[Marker | None, ...] = (
    None,
    *(
        marker(action=action, waits_for=waits_for, holds=holds, worker=MarkedWorker(1, FIRST, only))
        for action in ("hold", "reject", "retire")
        for waits_for in ((), ("files", "packages"), ("time", "files"), ("resume",))
        for holds in (True, False)
        for only in (None, (FIRST,), (FIRST, SECOND), (SECOND,))
    ),
)
WORKERS = tuple(
    tuple(RunningWorker(str(n), status, n + 1, None) for n, status in enumerate(statuses))
    for statuses in ((), ("READY",), ("UNLOADING",), *itertools.product(("READY", "UNLOADING"), repeat=2))
)  # fmt: skip
#: Which workers hold, by the journal: the answer of one that rejects looks like a model's own.
HOLDERS = ((), (1,), (1, 2))
CASES = tuple(itertools.product(MARKERS, WORKERS, HOLDERS, (0, 1, 2)))


def by_python(
    stops: Marker | None, workers: tuple[RunningWorker, ...], holders: tuple[int, ...], least: int
) -> State:
    records: list[Record] = [record(Event.HOLD, n, pid) for n, pid in enumerate(holders)]
    model = RunningModel("m", "1.0", "m.mar", least, 2, workers, 300, True, True)
    written = Registration("/state/m", records, summarise(records), stops, None)
    return state_of(model, written, server_runs=True, gave_up=False)


def given(
    stops: Marker | None, workers: tuple[RunningWorker, ...], holders: tuple[int, ...], least: int
) -> dict[str, Any]:
    return {
        "min_workers": least,
        "workers": [{"id": w.id, "pid": w.pid, "ready": w.is_ready} for w in workers],
        "marker": None if stops is None else marker_to_json(stops),
        "holders": holders,
    }


def test_every_combination_has_the_same_state(class_path: str) -> None:
    done = subprocess.run(
        ["java", "-cp", class_path, "tsretry.States"],
        input=json.dumps([given(*case) for case in CASES]),
        capture_output=True, text=True, check=True, timeout=60,
    )  # fmt: skip
    on_their_way = {State.STARTING: State.RECOVERING}
    wanted = [by_python(*case) for case in CASES]
    told = [State(line) for line in done.stdout.split()]
    wrong = [
        (case, here, there)
        for case, here, there in zip(CASES, wanted, told)
        if on_their_way.get(here, here) is not on_their_way.get(there, there)
    ]
    assert len(told) == len(CASES)
    assert not wrong, wrong[:3]
    assert {State.HALTED, State.WAITING, State.RETIRED, State.SERVING, State.UNKNOWN} <= set(told)
