"""The JSON form of the contract is read, however little or wrong it is."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.parse import failure_from_record, record_of

RECORD: dict[str, Any] = {
    "phase": "import",
    "exc_type": "requests.exceptions.ConnectionError",
    "mro": [
        "ConnectionError",
        "RequestException",
        "OSError",
        "Exception",
        "BaseException",
        "object",
    ],
    "message": "HTTPSConnectionPool: [Errno 111] Connection refused",
    "errno": None,
    "chain": [{"exc_type": "ConnectionRefusedError", "message": "[Errno 111] Connection refused"}],
    "frames": [
        ["/home/m/handler.py", "initialize"],
        ["/v/lib/python3.9/site-packages/requests/api.py", "get"],
    ],
}


def test_the_contract_form_is_read() -> None:
    failure = failure_from_record(RECORD)
    assert failure.phase is Phase.IMPORT
    assert failure.errno == 111
    assert "OSError" in failure.mro
    assert "object" not in failure.mro
    assert failure.chain[0].mro[:3] == ("ConnectionRefusedError", "ConnectionError", "OSError")
    assert [frame.module for frame in failure.frames] == ["handler", "requests.api"]
    assert [frame.in_app for frame in failure.frames] == [True, False]


def test_a_live_failure_survives_the_way_through_json() -> None:
    def raiser() -> None:
        try:
            Path("/no/such/file").read_text()
        except OSError as exc:
            raise RuntimeError("load") from exc

    with pytest.raises(RuntimeError) as caught:
        raiser()
    failure = failure_from_exception(caught.value, Phase.CONSTRUCT)
    assert failure_from_record(json.loads(json.dumps(record_of(failure)))) == failure


@pytest.mark.parametrize(
    "record",
    [
        {},
        {"exc_type": None, "message": None, "mro": None, "chain": None, "frames": None},
        {
            "exc_type": 3,
            "message": ["a"],
            "mro": "x",
            "chain": [1, None, {}],
            "frames": [[], 3, ["a"], None],
        },
        {"phase": "later", "errno": "many", "chain": {"a": 1}, "frames": "abc"},
        {"errno": True, "message": "\ud800 \x00", "exc_type": ""},
    ],
)
def test_what_is_missing_or_wrong_is_taken_as_unknown(record: dict[str, Any]) -> None:
    failure = failure_from_record(record)
    assert failure.phase is Phase.INITIALIZE
    json.dumps(record_of(failure)).encode("utf-8")


def test_something_else_than_an_object_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON object, not list"):
        failure_from_record([])  # type: ignore[arg-type]


def test_bases_of_known_types_are_inferred() -> None:
    failure = failure_from_record(
        {"exc_type": "huggingface_hub.utils.GatedRepoError", "message": "m"}
    )
    assert "OSError" in failure.mro
