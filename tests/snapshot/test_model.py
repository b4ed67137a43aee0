from __future__ import annotations

import json
from typing import Any

from tests.snapshot.writing import failure, marker, record
from ts_retry_ext.snapshot.model import ModelStatus, ServerStatus, Snapshot
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store import journal
from ts_retry_ext.store.history import summarise
from ts_retry_ext.store.marker import Marker

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
]
RECORDS = (
    record(journal.START, 0), record(journal.LOAD, 1), failure(2), record(journal.HOLD, 3, 2)
)  # fmt: skip


def status(
    *records: dict[str, Any], stops: Marker | None = None, state: State = State.RECOVERING
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

    assert halted.is_halted
    assert (content["action"], content["rule"], content["scope"]) == (
        "hold",
        "syntax-error",
        "model",
    )
    assert content["exception"]["type"] == "SyntaxError"


def test_model_without_a_journal_has_unknown_counts_not_zero() -> None:
    content = ModelStatus("m", "1.0", State.SERVING, None, None, 300, "frontend", False).to_json()

    assert list(content) == MODEL_KEYS
    assert (content["worker_starts"], content["loads"], content["exception"]) == (None, None, None)


def test_cause_is_the_type_and_the_first_line_of_the_message() -> None:
    assert status(*RECORDS).cause == "ConnectionError: refused second line"
    assert status(failure(1, exception={"type": "KeyError", "message": ""})).cause == "KeyError"
    assert status(record(journal.START, 0)).cause is None


def test_no_server_is_null() -> None:
    assert Snapshot(None, ()).to_json() == {"server": None, "models": []}
