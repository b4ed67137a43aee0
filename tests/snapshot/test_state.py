from __future__ import annotations

import pytest

from tests.snapshot.writing import failure, marker, record
from ts_retry_ext.frontend.running_model import RunningModel, RunningWorker
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.state import State, state_of
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.marker import MarkedWorker, Marker
from ts_retry_ext.store.record import Event, Record


def running(*statuses: str, min_workers: int = 1) -> RunningModel:
    workers = tuple(RunningWorker(str(n), status, n + 1, None) for n, status in enumerate(statuses))
    return RunningModel("m", "1.0", "m.mar", min_workers, 2, workers, 300, True, True)


def written(*records: Record, stops: Marker | None = None) -> Registration:
    return Registration("/state/m", records, summarise(records), stops, None)


STARTED = written(record(Event.START, 0), record(Event.LOAD, 1))
FAILED = written(record(Event.START, 0), failure(1), record(Event.START, 2, 2))
LOADED = written(record(Event.START, 0), record(Event.LOADED, 1))
STOPPED = written(record(Event.START, 0), failure(1), stops=marker())
#: What is wrong with the device of one worker, the first: its siblings go on.
ONE_DEVICE = written(
    record(Event.START, 0, socket="/tmp/.ts.sock.0"),
    record(Event.LOADED, 1, pid=2, socket="/tmp/.ts.sock.1"),
    failure(2, socket="/tmp/.ts.sock.0"),
    record(Event.HOLD, 3, pid=3, socket="/tmp/.ts.sock.0"),
    stops=marker(scope="device", worker=MarkedWorker(1, "/tmp/.ts.sock.0", ("/tmp/.ts.sock.0",))),
)
RETIRED = written(record(Event.START, 0), failure(1), stops=marker(action="retire"))


@pytest.mark.parametrize(
    ("model", "registration", "expected"),
    [
        (running("READY"), LOADED, State.SERVING),
        (running("READY"), None, State.SERVING),
        (running("READY", "UNLOADING"), FAILED, State.SERVING),
        (running("READY", "UNLOADING", min_workers=2), FAILED, State.RECOVERING),
        (running("READY", "UNLOADING", min_workers=2), STARTED, State.STARTING),
        (running("UNLOADING"), STARTED, State.STARTING),
        (running("UNLOADING"), FAILED, State.RECOVERING),
        (running("UNLOADING"), None, State.UNKNOWN),
        (running("UNLOADING"), STOPPED, State.HALTED),
        (running("READY", "UNLOADING", min_workers=2), STOPPED, State.SERVING),
        (
            running("READY"),
            written(record(Event.HOLD, 0), stops=marker(action="reject")),
            State.HALTED,
        ),
        (running("UNLOADING"), RETIRED, State.HALTED),
        (running(min_workers=0), RETIRED, State.RETIRED),
        (running(min_workers=0), LOADED, State.UNKNOWN),
        (running("UNLOADING", "READY", min_workers=2), ONE_DEVICE, State.SERVING),
        (running("UNLOADING", "UNLOADING", min_workers=2), ONE_DEVICE, State.RECOVERING),
        (running("UNLOADING", min_workers=1), ONE_DEVICE, State.HALTED),
        (None, ONE_DEVICE, State.SERVING),
        (None, LOADED, State.SERVING),
        (None, FAILED, State.RECOVERING),
        (None, STARTED, State.STARTING),
        (None, STOPPED, State.HALTED),
        (None, None, State.UNKNOWN),
    ],
)
def test_state_follows_from_frontend_and_journal(
    model: RunningModel | None, registration: Registration | None, expected: State
) -> None:
    assert state_of(model, registration, server_runs=True, gave_up=False) is expected


def test_model_that_the_frontend_retries_no_more_is_waiting_unless_it_serves() -> None:
    assert state_of(running("UNLOADING"), FAILED, server_runs=True, gave_up=True) is State.WAITING
    assert state_of(running("READY"), FAILED, server_runs=True, gave_up=True) is State.SERVING
    two = running("READY", "UNLOADING", min_workers=2)
    assert state_of(two, FAILED, server_runs=True, gave_up=True) is State.SERVING


def test_of_a_server_that_is_gone_only_a_halt_is_known() -> None:
    assert state_of(None, LOADED, server_runs=False, gave_up=False) is State.UNKNOWN
    assert state_of(None, STOPPED, server_runs=False, gave_up=False) is State.HALTED
    assert state_of(None, ONE_DEVICE, server_runs=False, gave_up=False) is State.UNKNOWN
