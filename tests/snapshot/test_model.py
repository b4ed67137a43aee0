from __future__ import annotations

import json

from tests.snapshot.writing import failure, marker, record
from ts_retry_ext.frontend.running_model import RunningModel, RunningWorker
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.server_snapshot import ServerStatus, Snapshot
from ts_retry_ext.snapshot.state import State, state_of
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.marker import MarkedWorker, Marker
from ts_retry_ext.store.record import Event, Record

MODEL_KEYS = [
    "model",
    "version",
    "state",
    "action",
    "worker_starts",
    "loads",
    "failures",
    "verdict",
    "basis",
    "rule",
    "fingerprint",
    "phase",
    "scope",
    "exception",
    "reason",
    "remedy",
    "max_retry_timeout_sec",
    "max_retry_timeout_source",
    "first_failure",
    "last_failure",
    "at",
    "since",
    "waits_for",
    "next_trial_at",
    "trials",
    "repaired_at",
]
RECORDS = (
    record(Event.START, 0), record(Event.LOAD, 1), failure(2), record(Event.HOLD, 3, 2)
)  # fmt: skip


def status(
    *records: Record, stops: Marker | None = None, state: State = State.RECOVERING
) -> ModelStatus:
    registration = Registration("/state/m", records, summarise(records), stops, None)
    return ModelStatus("m", "1.0", state, None, registration, 300, "default", False)


def test_json_has_the_keys_of_the_contract_in_their_order() -> None:
    server = ServerStatus(7, True, "0.12.0", "http://127.0.0.1:8081")
    content = Snapshot(server, (status(*RECORDS),)).to_json()

    assert list(content) == ["server", "models"]
    assert list(content["server"]) == ["pid", "running", "torchserve", "management"]
    assert list(content["models"][0]) == MODEL_KEYS
    assert json.loads(json.dumps(content)) == content


def test_failure_that_did_not_halt_comes_from_the_journal() -> None:
    content = status(*RECORDS).to_json()

    assert (content["worker_starts"], content["loads"], content["failures"]) == (2, 1, 1)
    assert (content["verdict"], content["rule"], content["phase"]) == (
        "recoverable",
        "connection-errno",
        "initialize",
    )
    assert content["exception"] == {"type": "ConnectionError", "message": "refused\nsecond line"}
    assert content["first_failure"] == content["last_failure"] == "2020-09-13T12:26:42.000Z"
    assert content["action"] is None


def test_halted_model_shows_what_its_marker_says() -> None:
    halted = status(*RECORDS, stops=marker(), state=State.HALTED)
    content = halted.to_json()

    assert halted.is_down
    assert (content["action"], content["rule"], content["scope"]) == (
        "hold",
        "syntax-error",
        "model",
    )
    assert content["exception"]["type"] == "SyntaxError"


def served_by(*statuses: str, only: list[str] | None = None, gave_up: bool = False) -> ModelStatus:
    """Return a model with a worker for each status, each on a GPU of its own."""
    workers = tuple(RunningWorker(str(9000 + n), s, n + 1, None, n) for n, s in enumerate(statuses))
    running = RunningModel("m", "1.0", "m.mar", len(workers), 4, workers, 300, True, True)
    stops = (
        None if only is None else marker(scope="device", worker=MarkedWorker(1, "s", tuple(only)))
    )
    registration = Registration("/state/m", RECORDS, summarise(RECORDS), stops, None)
    state = state_of(running, registration, server_runs=True, gave_up=gave_up)
    return ModelStatus("m", "1.0", state, running, registration, 300, "default", gave_up)


def test_model_whose_one_device_failed_serves_and_names_it() -> None:
    model = served_by("READY", "UNLOADING", "READY", only=["/tmp/.ts.sock.9001"])

    assert (model.state, model.is_down, model.can_be_resumed) == (State.SERVING, False, True)
    assert model.shortfall == "1 of 3 workers is held: 9001 (GPU 1)"
    content = model.to_json()
    assert list(content) == MODEL_KEYS
    assert (content["state"], content["scope"], content["action"]) == ("serving", "device", "hold")
    assert content["reason"] == f"{model.shortfall}. a source file is not valid Python"


def test_model_with_a_worker_past_its_window_serves_and_names_it() -> None:
    model = served_by("READY", "UNLOADING", gave_up=True)

    assert (model.state, model.can_be_resumed) == (State.SERVING, True)
    assert model.shortfall is not None
    assert model.shortfall.startswith("1 of 2 workers is retried no more")
    assert "9001 (GPU 1)" in model.shortfall


def test_model_past_its_window_says_so_before_what_its_last_failure_was_like() -> None:
    model = served_by("UNLOADING", gave_up=True)

    assert (model.state, model.to_json()["action"]) == (State.WAITING, None)
    assert model.to_json()["reason"] == (
        "the frontend's retry window is over, it starts no worker any more. a service does not answer"
    )
    assert served_by("UNLOADING", only=["127.0.0.1:9000"], gave_up=True).window_over is None
    assert served_by("READY", "UNLOADING", gave_up=True).window_over is None


def test_halted_and_sound_models_have_no_shortfall() -> None:
    assert served_by("UNLOADING", only=["127.0.0.1:9000"]).state is State.HALTED
    assert served_by("UNLOADING", only=["127.0.0.1:9000"]).shortfall is None
    assert served_by("UNLOADING", gave_up=True).shortfall is None
    sound = served_by("READY")
    assert (sound.shortfall, sound.can_be_resumed) == (None, False)


def test_model_with_cpp_workers_says_that_it_is_out_of_reach() -> None:
    worker = RunningWorker("9000", "UNLOADING", None, None)
    running = RunningModel("m", "1.0", "m", 1, 1, (worker,), 300, True, True, runtime="LSP")
    content = ModelStatus(
        "m", "1.0", State.UNKNOWN, running, None, 300, "frontend", False
    ).to_json()

    assert "C++" in content["reason"]
    assert (content["verdict"], content["worker_starts"]) == (None, None)


def test_model_without_a_journal_has_unknown_counts_not_zero() -> None:
    content = ModelStatus("m", "1.0", State.SERVING, None, None, 300, "frontend", False).to_json()

    assert list(content) == MODEL_KEYS
    assert (content["worker_starts"], content["loads"], content["exception"]) == (None, None, None)


def test_cause_is_the_type_and_the_first_line_of_the_message() -> None:
    assert status(*RECORDS).cause == "ConnectionError: refused second line"
    assert status(failure(1, exception=ExceptionRecord("KeyError", ""))).cause == "KeyError"
    assert status(record(Event.START, 0)).cause is None


def test_no_server_is_null() -> None:
    assert Snapshot(None, ()).to_json() == {"server": None, "models": []}


def test_each_state_is_known_with_the_moment_it_began() -> None:
    first, second = record(Event.LOADED, 5, 2), record(Event.LOADED, 7, 3)
    starts = (record(Event.START, 0), record(Event.LOAD, 1), record(Event.START, 2, 2))
    begun = {
        State.HALTED: (status(*RECORDS, stops=marker(), state=State.HALTED), marker().created_at),
        State.RECOVERING: (status(*RECORDS, failure(9)), RECORDS[2].at),
        State.SERVING: (status(*RECORDS, first, second, state=State.SERVING), first.at),
        State.STARTING: (status(*starts, state=State.STARTING), starts[0].at),
        State.UNKNOWN: (status(*RECORDS, state=State.UNKNOWN), None),
    }
    assert {state: model.since for state, (model, _) in begun.items()} == {
        state: at for state, (_, at) in begun.items()
    }
