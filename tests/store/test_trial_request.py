from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.store.trial_request import (
    REQUEST_FILE,
    TrialRequest,
    ask_for_trial,
    request_stands,
    take_request,
)


def test_a_request_is_taken_once(tmp_path: Path) -> None:
    wanted = TrialRequest("ts-retry resume", for_real=True)
    assert not request_stands(str(tmp_path))
    ask_for_trial(str(tmp_path), wanted)
    assert request_stands(str(tmp_path))
    assert take_request(str(tmp_path)) == wanted
    assert take_request(str(tmp_path)) is None
    assert not request_stands(str(tmp_path))


def test_a_later_request_takes_the_place_of_an_earlier_one(tmp_path: Path) -> None:
    ask_for_trial(str(tmp_path), TrialRequest("one"))
    ask_for_trial(str(tmp_path), TrialRequest("two"))
    assert take_request(str(tmp_path)) == TrialRequest("two")


@pytest.mark.parametrize("content", [b"", b"{", b'{"schema": 1}', b'{"schema": 9, "why": "x"}'])
def test_what_is_no_request_is_removed_and_asks_for_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / REQUEST_FILE).write_bytes(content)
    assert take_request(str(tmp_path)) is None
    assert not request_stands(str(tmp_path))
