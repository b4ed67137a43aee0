from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path
from textwrap import dedent

import psutil
import pytest

from tests.snapshot.trying import Waiting, end, waiting
from ts_retry_ext.snapshot.trial_load import LET_GO, OK
from ts_retry_ext.store.marker import read_marker, write_marker
from ts_retry_ext.store.record import Event, TrialResult
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.store.trial_budget import CAPACITY_SEC, credit

HANDLER = """
    import os, sys, time

    class Handler:
        def initialize(self, context):
            {body}

        def handle(self, data, context):
            return ["ok"] * len(data)
"""


def handler(body: str) -> str:
    return dedent(HANDLER.format(body=body))


def is_loading(model: Waiting) -> bool:
    return (model.model_dir / "loading").exists()


SLOW = "open('loading', 'w').close(); time.sleep(60)"


def test_a_trial_that_fails_is_written_down_and_the_next_one_is_planned(tmp_path: Path) -> None:
    with waiting(tmp_path, handler("raise RuntimeError('the frobnicator said no')")) as model:
        tried = model.try_once()
        assert (tried.result, tried.verdict) == (TrialResult.FAILED, "unknown")
        assert tried.exception is not None
        assert tried.exception.message == "the frobnicator said no"
        assert [r.event for r in model.records()] == [Event.FAILURE, Event.TRIAL, Event.TRIED]
        marker = model.marker()
        assert marker is not None
        assert (marker.trials, marker.verdict) == (1, "unknown")
        assert marker.next_trial_at is not None
        assert 13 < to_seconds(marker.next_trial_at) - time.time() < 17
        assert marker.exception.message == "the frobnicator said no"
        assert model.left_behind() == []
        assert credit(str(model.directory.parent)) < CAPACITY_SEC


def test_a_failure_that_a_rule_knows_turns_weak_evidence_into_strong(tmp_path: Path) -> None:
    with waiting(tmp_path, handler("no_such_name")) as model:
        assert model.try_once().rule == "name-error"
        marker = model.marker()
        assert marker is not None
        assert (marker.basis, marker.next_trial_at, marker.failures) == ("rule", None, 1)
        assert "time" not in marker.waits_for


def test_a_trial_that_succeeds_ends_the_halt_while_the_frontend_retries(tmp_path: Path) -> None:
    with waiting(tmp_path, handler("pass")) as model:
        assert model.try_once().result is TrialResult.LOADED
        assert model.marker() is None
        assert [r.event for r in model.records()][-2:] == [Event.TRIED, Event.RESUME]
        assert model.left_behind() == []


def test_a_trial_runs_with_the_options_of_the_workers_interpreter(tmp_path: Path) -> None:
    body = "assert sys.flags.utf8_mode and sys.flags.dont_write_bytecode"
    with waiting(tmp_path, handler(body)) as model:
        assert model.try_once(options=["-X", "utf8", "-B"]).result is TrialResult.LOADED


def test_after_the_window_and_without_an_api_somebody_is_told_what_to_do(tmp_path: Path) -> None:
    with waiting(tmp_path, handler("pass")) as model:
        standing = read_marker(str(model.directory))
        assert standing is not None
        write_marker(str(model.directory), standing._replace(max_retry_timeout_sec=0))
        assert model.try_once().result is TrialResult.LOADED
        marker = model.marker()
        assert marker is not None
        assert (marker.waits_for, marker.next_trial_at) == (("resume",), None)
        assert "the cause is gone" in marker.reason
        assert marker.remedy.startswith("Run ts-retry resume m")


@pytest.mark.parametrize(
    ("body", "result", "message"),
    [
        ("os._exit(7)", TrialResult.FAILED, "without an exception"),
        ("os.kill(os.getpid(), 9)", TrialResult.FAILED, "without an exception"),
        ("time.sleep(60)", TrialResult.LATE, "startupTimeout"),
        ("os.close(1); os.close(2); raise RuntimeError('x')", TrialResult.FAILED, "x"),
        ("sys.stdout.write('x' * 50_000_000); raise RuntimeError('x')", TrialResult.FAILED, "x"),
        ("raise KeyboardInterrupt", TrialResult.FAILED, ""),
    ],
)
def test_a_trial_that_misbehaves_is_ended_and_named(
    tmp_path: Path, body: str, result: TrialResult, message: str
) -> None:
    with waiting(tmp_path, handler(body)) as model:
        tried = model.try_once(startup_timeout_sec=4.0)
        assert tried.result is result
        assert message in (tried.exception.message if tried.exception else tried.reason or "")
        marker = model.marker()
        assert marker is not None
        assert (marker.trials, bool(marker.next_trial_at)) == (1, True)
        assert model.left_behind() == []


def test_what_a_trial_started_is_gone_before_the_workers_load(tmp_path: Path) -> None:
    daemon = (
        "import subprocess; subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)'],"
        " start_new_session=True)"
    )
    with waiting(tmp_path, handler(daemon)) as model:
        assert model.try_once().result is TrialResult.LOADED
        assert model.left_behind() == []


def test_a_trial_ends_with_the_process_that_asked_for_it(tmp_path: Path) -> None:
    with waiting(tmp_path, handler(SLOW)) as model:
        program = model.start(startup_timeout_sec=60.0)
        model.wait_for(lambda: is_loading(model), "it loads")
        assert program.stdin is not None
        program.stdin.close()
        program.wait(60)
        assert model.left_behind() == []
        assert model.tried().result is TrialResult.ERROR
        marker = model.marker()
        assert marker is not None
        assert marker.trials == 0


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_load_ends_with_the_program_and_the_next_trial_clears_up(
    tmp_path: Path, number: int
) -> None:
    with waiting(tmp_path, handler(SLOW)) as model:
        program = model.start(startup_timeout_sec=60.0)
        model.wait_for(lambda: is_loading(model), "it loads")
        children = psutil.Process(program.pid).children(recursive=True)
        assert children
        os.kill(program.pid, number)
        end(program)
        psutil.wait_procs(children, timeout=60)
        assert not any(child.is_running() for child in children)
        (model.model_dir / "h.py").write_text(handler("raise RuntimeError('no')"))
        assert model.try_once().result is TrialResult.FAILED
        assert model.left_behind() == []


def test_a_load_that_is_killed_is_a_failure_of_the_trial(tmp_path: Path) -> None:
    with waiting(tmp_path, handler(SLOW)) as model:
        program = model.start(startup_timeout_sec=60.0)
        model.wait_for(lambda: is_loading(model), "it loads")
        for child in psutil.Process(program.pid).children(recursive=True):
            child.kill()
        end(program)
        assert model.tried().result is TrialResult.FAILED
        assert model.left_behind() == []


def test_without_its_frontend_nothing_is_tried(tmp_path: Path) -> None:
    with waiting(tmp_path, handler("pass")) as model:
        program = model.start(frontend=2**22 + 1)
        assert end(program) != 0
        assert [r.event for r in model.records()] == [Event.FAILURE]


def test_a_marker_that_somebody_removed_meanwhile_stays_removed(tmp_path: Path) -> None:
    body = "open('loading', 'w').close(); time.sleep(2); raise RuntimeError('no')"
    with waiting(tmp_path, handler(body)) as model:
        program = model.start()
        model.wait_for(lambda: is_loading(model), "it loads")
        (model.directory / "marker.json").unlink()
        end(program)
        assert model.marker() is None
        assert model.tried().result is TrialResult.FAILED


#: No file can be written to, as on a full disk.
FULL = ("sh", "-c", 'ulimit -f 0; exec "$@"', "sh")
#: The directory that is named next cannot be written at all.
READ_ONLY = ("unshare", "-m", "sh", "-c")
READ_ONLY_SCRIPT = 'mount --bind "$0" "$0" && mount -o remount,bind,ro "$0" && exec "$@"'


def test_a_trial_is_made_where_its_leftovers_cannot_be_noted(tmp_path: Path) -> None:
    with waiting(tmp_path, handler("pass")) as model:
        (model.directory / "trial.json").mkdir()
        assert model.try_once().result is TrialResult.LOADED
        assert model.marker() is None


def test_where_the_disk_is_full_the_workers_load_while_the_frontend_retries(tmp_path: Path) -> None:
    """TorchServe alone would load the model now; a trial cannot be made, nor its end written down."""
    with waiting(tmp_path, handler("pass")) as model:
        assert end(model.start(before=FULL)) == OK
        assert model.marker() is None


def test_where_the_disk_is_full_after_the_window_the_holder_goes_on(tmp_path: Path) -> None:
    with waiting(tmp_path, handler("pass")) as model:
        standing = read_marker(str(model.directory))
        assert standing is not None
        write_marker(str(model.directory), standing._replace(max_retry_timeout_sec=0))
        assert end(model.start(before=FULL)) == OK
        assert model.marker() is not None


def test_a_marker_that_cannot_be_removed_lets_its_holder_go(tmp_path: Path) -> None:
    """The next worker finds a directory that it cannot write, and uses another one."""
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode:
        pytest.skip("nothing can be mounted here")
    with waiting(tmp_path, handler("pass")) as model:
        before = (*READ_ONLY, READ_ONLY_SCRIPT, str(model.directory))
        assert end(model.start(before=before)) == LET_GO
        assert model.left_behind() == []
