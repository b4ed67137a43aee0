"""Resume against an API that behaves as the frontend does; tests/e2e has the real one."""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.faults.odd_answers import page
from tests.frontend.api import serving
from tests.snapshot.frontdesk import NOBODY, Frontdesk, has_marker, hold
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.management import management_api_of
from ts_retry_ext.frontend.other_process import is_suspended
from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.snapshot import real_load as module
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.real_load import ResumeResult, Resumption
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.resumption import outcome_in_words, resume, served_copy
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.store import journal
from ts_retry_ext.store.directory import LOCK_FILE
from ts_retry_ext.store.exception_record import ExceptionRecord, FrameRecord
from ts_retry_ext.store.journal_totals import summarise
from ts_retry_ext.store.lock import LockTimeoutError
from ts_retry_ext.store.marker import MarkedWorker, write_marker
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.retired import Retired, read_retired, write_retired
from ts_retry_ext.store.times import to_text


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Frontdesk]:
    monkeypatch.setattr(module, "POLL_SEC", 0.02)
    with serving({}) as api:
        yield Frontdesk(tmp_path, api)


def test_marker_is_enough_while_the_frontend_retries(desk: Frontdesk) -> None:
    hold(desk, ago=3)
    desk.ready, desk.pid = True, NOBODY + 1  # what the frontend's retry leads to

    done = desk.resume()

    assert (done.result, done.scaled) == (ResumeResult.SERVES, False)
    assert not has_marker(desk)
    assert desk.scalings == []
    assert journal.read(str(desk.directory))[-1].event is Event.RESUME
    assert desk.steps == [
        "no process is left to make a trial load: its workers load it",
        "its halt has ended: TorchServe's own retry starts its workers",
    ]


def hold_one_of_two(desk: Frontdesk) -> None:
    """Write what is left when one worker's device failed while another worker serves."""
    hold(desk, ago=3)
    desk.siblings = [{"id": "9500", "status": "READY", "pid": os.getpid()}]
    one = MarkedWorker(1, "/tmp/.ts.sock.9000", ("/tmp/.ts.sock.9000",))
    write_marker(str(desk.directory), marker(scope="device", worker=one))


def test_device_that_fails_again_is_told_though_others_serve(desk: Frontdesk) -> None:
    hold_one_of_two(desk)

    def fail_again(_: str | None) -> Any:
        if not has_marker(desk):
            hold_one_of_two(desk)
        return [desk._described()]

    desk.api.answers["GET /models/m/all"] = fail_again

    assert desk.resume().result is ResumeResult.FAILED_AGAIN


def test_worker_held_for_its_device_is_waited_for_though_others_serve(desk: Frontdesk) -> None:
    hold_one_of_two(desk)

    assert desk.resume(timeout_sec=0.5).result is ResumeResult.NOT_YET

    hold_one_of_two(desk)
    desk.ready, desk.pid = True, NOBODY + 1  # what the frontend's retry leads to
    done = desk.resume()
    assert (done.result, done.scaled, desk.scalings) == (ResumeResult.SERVES, False, [])


def test_worker_that_only_rejects_requests_is_not_taken_for_one_that_serves(
    desk: Frontdesk,
) -> None:
    hold(desk, ago=3)
    write_marker(str(desk.directory), marker(action="reject"))
    desk.ready = True  # as it was while the model was halted

    assert desk.resume(timeout_sec=0.5).result is ResumeResult.NOT_YET


def test_model_is_scaled_down_and_up_where_the_window_is_over(desk: Frontdesk) -> None:
    hold(desk, ago=400)

    done = desk.resume()

    assert (done.result, done.scaled) == (ResumeResult.SERVES, True)
    assert desk.scalings == [
        "synchronous=true&min_worker=0&max_worker=0",
        "synchronous=false&min_worker=1&max_worker=3",
    ]
    assert not has_marker(desk)


def test_model_is_scaled_where_the_next_retry_is_far_away(desk: Frontdesk) -> None:
    now = time.time() - START
    starts = [record(Event.START, now - 30 + pid, pid) for pid in range(1, 7)]
    write_journal(desk.directory, *starts, record(Event.HOLD, now - 1, NOBODY))
    write_marker(str(desk.directory), marker())

    assert desk.resume().scaled


@pytest.mark.parametrize("alive", [True, False])
def test_worker_that_is_slow_to_import_torch_is_not_scaled_away(
    desk: Frontdesk, monkeypatch: pytest.MonkeyPatch, alive: bool
) -> None:
    """The frontend does not know its process id until then; the journal does."""
    monkeypatch.setattr(module, "_grace_sec", lambda _: 0.1 - module.LONGEST_WAIT_SEC)
    pid = os.getpid() if alive else NOBODY
    start = start_of(os.getpid())
    now = time.time() - START
    hold(desk, ago=3)
    management = management_api_of(desk.server.configuration)
    status = model_status(desk.server, management, "m", "1.0")
    assert status is not None
    started = record(Event.START, now, pid, start=start)
    with (desk.directory / "journal.jsonl").open("ab") as stream:
        stream.write(journal.line_of(started))

    done = resume(desk.server, management, status, timeout_sec=1, tell=desk.steps.append)

    assert done.scaled is not alive


def test_model_without_workers_gets_one(desk: Frontdesk) -> None:
    hold(desk, ago=3)
    desk.min_workers = 0

    assert desk.resume().result is ResumeResult.SERVES
    assert desk.scalings[-1] == "synchronous=false&min_worker=1&max_worker=3"


def test_numbers_come_back_even_where_the_marker_cannot_be_removed(
    desk: Frontdesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    hold(desk, ago=400)

    def refuse(_: str, **__: str) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(module, "end_halt", refuse)

    with pytest.raises(PermissionError):
        desk.resume()
    assert desk.min_workers == 1


def test_model_that_fails_again_is_halted_again(desk: Frontdesk) -> None:
    hold(desk, ago=400)
    desk.serves_after_scaling = False
    scaled = desk.api.answers["PUT /models/m/1.0"]

    def fail_again(key: str | None) -> Any:
        answer = scaled(key)
        if desk.min_workers:
            write_marker(str(desk.directory), marker())
        return answer

    desk.api.answers["PUT /models/m/1.0"] = fail_again
    done = desk.resume()

    assert done.result is ResumeResult.FAILED_AGAIN
    assert done.status is not None
    assert done.status.cause == "SyntaxError: invalid syntax (h.py, line 1)"


def test_model_that_does_not_get_ready_in_time_is_not_yet_serving(desk: Frontdesk) -> None:
    hold(desk, ago=400)
    desk.serves_after_scaling = False

    begun = time.monotonic()
    done = desk.resume(timeout_sec=0.5)

    assert done.result is ResumeResult.NOT_YET
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("ago", [3, 400], ids=["inside the window", "after it"])
def test_where_the_api_does_not_answer_the_marker_is_removed_only_while_the_frontend_retries(
    desk: Frontdesk, ago: float
) -> None:
    """After the window, a holder that leaves would leave nobody, and nothing could be scaled."""
    hold(desk, ago=ago)
    management = management_api_of(desk.server.configuration)
    status = model_status(desk.server, management, "m", "1.0")
    assert status is not None
    desk.api.answers["GET /models/m/all"] = (500, {"message": "no idea"})

    with pytest.raises(ManagementError, match="no idea"):
        unheard = replace(status, running=None, gave_up=False)
        resume(desk.server, management, unheard, timeout_sec=5, tell=desk.steps.append)
    assert has_marker(desk) is (ago == 400)


def test_model_that_is_unregistered_meanwhile_is_known_no_more(desk: Frontdesk) -> None:
    hold(desk, ago=3)
    management = management_api_of(desk.server.configuration)
    status = model_status(desk.server, management, "m", "1.0")
    assert status is not None
    desk.api.answers.clear()

    done = resume(desk.server, management, status, timeout_sec=5, tell=desk.steps.append)
    assert (done.result, done.status) == (ResumeResult.NOT_YET, None)


def test_retired_model_gets_the_numbers_it_had(desk: Frontdesk) -> None:
    hold(desk, ago=3)
    write_retired(str(desk.directory), 1, 5)
    desk.min_workers = 0

    assert desk.resume().result is ResumeResult.SERVES
    assert desk.scalings[-1] == "synchronous=false&min_worker=1&max_worker=5"
    assert read_retired(str(desk.directory)) is None


def test_numbers_are_on_disk_while_the_model_is_scaled_down(desk: Frontdesk) -> None:
    hold(desk, ago=400)
    scaled = desk.api.answers["PUT /models/m/1.0"]
    seen: list[Retired | None] = []

    def look(key: str | None) -> Any:
        seen.append(read_retired(str(desk.directory)))
        return scaled(key)

    desk.api.answers["PUT /models/m/1.0"] = look
    desk.resume()

    assert [(kept.min_workers, kept.max_workers) for kept in seen if kept] == [(1, 3), (1, 3)]


def test_server_of_another_container_is_resumed_by_its_journal(desk: Frontdesk) -> None:
    hold(desk, ago=400)
    assert desk.resume(sees_processes=False).result is ResumeResult.SERVES


def test_lock_that_somebody_keeps_ends_it_in_time_and_nothing_is_scaled(desk: Frontdesk) -> None:
    hold(desk, ago=400)
    lock = os.open(desk.directory / LOCK_FILE, os.O_RDWR | os.O_CREAT)
    fcntl.flock(lock, fcntl.LOCK_EX)
    begun = time.monotonic()
    with pytest.raises(LockTimeoutError, match="has kept the lock"):
        desk.resume(timeout_sec=1.5)
    assert 1.4 < time.monotonic() - begun < 15
    assert (desk.scalings, has_marker(desk)) == ([], True)

    os.close(lock)
    assert desk.resume().result is ResumeResult.SERVES


def test_suspended_frontend_loses_no_holder(desk: Frontdesk) -> None:
    hold(desk, ago=3)
    with subprocess.Popen(["sleep", "60"]) as suspended:
        suspended.send_signal(signal.SIGSTOP)
        while not is_suspended(suspended.pid):
            time.sleep(0.01)
        frontend = desk.server.frontend._replace(pid=suspended.pid)
        desk.server = desk.server._replace(frontend=frontend)
        management = management_api_of(desk.server.configuration)
        status = model_status(desk.server, management, "m", "1.0")
        assert status is not None
        with pytest.raises(ManagementError, match="is suspended, so that nothing is resumed"):
            resume(desk.server, management, status, timeout_sec=5, tell=desk.steps.append)
        suspended.kill()
    assert (desk.steps, desk.scalings, has_marker(desk)) == ([], [], True)


@pytest.mark.parametrize("odd", [page(502), page(404), b"", {}])
def test_frontend_out_of_sight_in_whose_place_a_proxy_answers_loses_no_holder(
    desk: Frontdesk, odd: Any
) -> None:
    hold(desk, ago=3)
    management = management_api_of(desk.server.configuration)
    status = model_status(desk.server, management, "m", "1.0")
    assert status is not None
    desk.api.answers["GET /models/m/all"] = odd
    server = desk.server._replace(sees_processes=False)
    with pytest.raises(ManagementError, match="nothing is resumed"):
        resume(server, management, status, timeout_sec=5, tell=desk.steps.append)
    assert has_marker(desk)


def test_frontend_out_of_sight_that_does_not_answer_loses_no_holder(desk: Frontdesk) -> None:
    hold(desk, ago=3)
    management = management_api_of(desk.server.configuration)
    status = model_status(desk.server, management, "m", "1.0")
    assert status is not None
    nowhere = ServerConfiguration("/", None, {"management_address": "http://127.0.0.1:9"}, "/", {})
    with pytest.raises(ManagementError, match="nothing is resumed"):
        resume(
            desk.server._replace(sees_processes=False),
            management_api_of(nowhere),
            status,
            timeout_sec=5,
            tell=desk.steps.append,
        )
    assert has_marker(desk)


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
