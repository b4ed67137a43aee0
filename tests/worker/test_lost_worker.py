"""A worker that dies while it serves: the next one writes it down, and judges nothing for it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

from tests.faults.killing import in_child, lay_out, open_worker
from ts_retry_ext.frontend.process import MAIN_CLASS
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.judging import judge
from ts_retry_ext.judge.paths import Host
from ts_retry_ext.judge.repetition import crash_failure
from ts_retry_ext.judge.verdict import Basis, Outcome, Scope
from ts_retry_ext.store import journal
from ts_retry_ext.store.record import Event
from ts_retry_ext.worker import lost_worker, startup
from ts_retry_ext.worker.failure_report import exception_record


def test_what_is_written_down_is_what_the_judge_would_say() -> None:
    failure = crash_failure(lost_worker.EXCEPTION.message)
    judged = judge(failure, rules=(), host=Host(model_dir="/m", exists=lambda _: False))
    assert exception_record(failure) == lost_worker.EXCEPTION
    known = (lost_worker.FINGERPRINT, lost_worker.FINGERPRINT_VERSION)
    assert (judged.fingerprint, judged.fingerprint_version) == known
    ours = (lost_worker.VERDICT, lost_worker.BASIS, lost_worker.SCOPE, lost_worker.PHASE)
    words = (Outcome.RECOVERABLE, Basis.RULE, Scope.MODEL, Phase.INFERENCE)
    assert ours == tuple(word.value for word in words)


def test_the_next_start_writes_it_down_without_the_judge(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.worker.test_lost_worker", str(tmp_path), MAIN_CLASS],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["rules"] == [None, None, None, "worker-lost"]
    assert told["judge"] == []


def _serve(model_dir: str) -> None:
    session = open_worker(model_dir)
    for event in (Event.START, Event.LOAD, Event.LOADED):
        session.record(event)
    os.kill(os.getpid(), signal.SIGKILL)


def _start(model_dir: str) -> None:
    session = open_worker(model_dir)
    for name in [name for name in sys.modules if name.startswith("ts_retry_ext.judge")]:
        del sys.modules[name]
    assert startup._judge_crashes(session) is None
    rules = [record.rule for record in journal.read(session.directory)]
    judge_modules = [name for name in sys.modules if name.startswith("ts_retry_ext.judge")]
    print(json.dumps({"rules": rules, "judge": judge_modules}), flush=True)


if __name__ == "__main__":
    place = lay_out(sys.argv[1])
    os.chdir(sys.argv[1])
    in_child(lambda: _serve(place))
    sys.exit(in_child(lambda: _start(place)))
