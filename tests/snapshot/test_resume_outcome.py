from __future__ import annotations

from pathlib import Path

import pytest

from tests.snapshot.writing import START, failure, marker, record
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.real_load import ResumeResult, Resumption
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.resume_outcome import outcome_in_words, served_copy
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.exception_record import ExceptionRecord, FrameRecord
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_text

FAILED = ExceptionRecord(
    "RuntimeError",
    "not ready",
    frames=(FrameRecord("/m/h.py", "initialize", True),),
    traceback='Traceback (most recent call last):\n  File "/m/h.py", line 8, in initialize\n'
    "    connect()\nRuntimeError: not ready\n",
)


def outcome(
    store: Path,
    result: ResumeResult,
    state: State,
    url: str = "m.mar",
    packed_again: str | None = None,
) -> str:
    stops = marker(
        exception=FAILED,
        model_dir="/m",
        waits_for=("files", "time"),
        next_trial_at=to_text(START + 30),
    )
    records = (record(Event.START, 0), failure(1))
    registration = Registration("/state/m", records, summarise(records), stops, None)
    running = RunningModel("m", "1.0", url, 1, 1, (), 300, True, True)
    status = ModelStatus(
        *("m", "1.0", state, running, registration, 300, "default", False),
        packed_again=packed_again,
    )
    configuration = ServerConfiguration(str(store), None, {}, "/logs", {}, str(store))
    done = Resumption(result, status, False, 7.4)
    words = outcome_in_words(done, timeout_sec=60, now=START + 10)
    return " ".join(filter(None, (words, served_copy(done, configuration))))


def test_model_that_serves_says_after_how_long(tmp_path: Path) -> None:
    assert outcome(tmp_path, ResumeResult.SERVES, State.SERVING) == "serves again, after 7 s"


def test_model_that_fails_again_says_where_and_what_comes_next(tmp_path: Path) -> None:
    words = outcome(tmp_path, ResumeResult.FAILED_AGAIN, State.WAITING)
    assert words.startswith(
        "has failed again at h.py:8 initialize: connect(): RuntimeError: not ready. It is waiting. "
        "Next trial load: at "
    )
    assert (
        ", in 20 s; it also waits for the model's files. TorchServe unpacks an archive once"
        in words
    )


@pytest.mark.parametrize(
    ("packed_again", "words"),
    [(None, "TorchServe unpacks an archive once, at registration"),
     ("/store/m.mar", "m.mar in the model store has changed since it was registered")],
)  # fmt: skip
def test_an_archive_that_was_packed_again_does_not_count_before_it_is_registered_again(
    tmp_path: Path, packed_again: str | None, words: str
) -> None:
    told = outcome(tmp_path, ResumeResult.FAILED_AGAIN, State.WAITING, packed_again=packed_again)
    assert words in told
    assert told.endswith("egister it again (ts-retry deploy), or restart the server.")


def test_model_in_a_folder_is_loaded_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    told = outcome(tmp_path, ResumeResult.FAILED_AGAIN, State.WAITING, url="folder")
    assert "registered" not in told


def test_model_that_is_not_ready_in_time_says_what_it_does(tmp_path: Path) -> None:
    told = outcome(tmp_path, ResumeResult.NOT_YET, State.RECOVERING)
    assert told == "does not serve after 60 s: it is recovering, RuntimeError: not ready"
