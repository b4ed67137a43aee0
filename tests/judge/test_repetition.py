"""Repetition turns an unknown failure into a final one, and no other."""

from __future__ import annotations

import subprocess
import sys

import pytest

from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.judging import judge
from ts_retry_ext.judge.repetition import Limits, crash_failure, with_history
from ts_retry_ext.judge.verdict import Basis, Outcome, Scope, Verdict


def verdict(outcome: Outcome) -> Verdict:
    return Verdict(outcome, Basis.NONE, None, Scope.MODEL, "r", "", "0" * 16, 1)


@pytest.mark.parametrize(
    ("outcome", "identical", "crashes", "limits", "expected", "basis"),
    [
        (Outcome.UNKNOWN, 2, 0, Limits(), Outcome.UNKNOWN, Basis.NONE),
        (Outcome.UNKNOWN, 3, 0, Limits(), Outcome.NON_RECOVERABLE, Basis.REPEATED),
        (Outcome.UNKNOWN, 9, 9, Limits(0, 0), Outcome.UNKNOWN, Basis.NONE),
        (Outcome.UNKNOWN, 1, 3, Limits(), Outcome.NON_RECOVERABLE, Basis.CRASHED),
        (Outcome.UNKNOWN, 3, 2, Limits(0, 3), Outcome.UNKNOWN, Basis.NONE),
        (Outcome.RECOVERABLE, 99, 99, Limits(), Outcome.RECOVERABLE, Basis.NONE),
        (Outcome.NON_RECOVERABLE, 1, 0, Limits(), Outcome.NON_RECOVERABLE, Basis.NONE),
        (Outcome.UNKNOWN, 1, 0, Limits(1, 1), Outcome.NON_RECOVERABLE, Basis.REPEATED),
    ],
)
def test_limits(
    outcome: Outcome, identical: int, crashes: int, limits: Limits, expected: Outcome, basis: Basis
) -> None:
    after = with_history(
        verdict(outcome), identical_failures=identical, hard_crashes=crashes, limits=limits
    )
    assert (after.verdict, after.basis) == (expected, basis)


STACK = """\
Fatal Python error: Segmentation fault

Thread 0x00007f1 (most recent call first):
  File "/usr/lib/python3.9/threading.py", line 312 in wait

Current thread 0x00007f2 (most recent call first):
  File "/usr/lib/python3.9/ctypes/__init__.py", line 500 in string_at
  File "/m/handler.py", line 7 in initialize
  File "/m/handler.py", line 20 in <module>

Extension modules: numpy.core (total: 1)
"""


def test_a_crash_carries_the_stack_of_the_thread_that_crashed() -> None:
    failure = crash_failure("signal 11", STACK.split("\n\n", 1)[1].split("\n\n", 1)[1])
    assert failure.phase is Phase.PROCESS
    assert failure.message == "signal 11 (SIGSEGV)"
    assert [frame.function for frame in failure.frames] == ["<module>", "initialize", "string_at"]


def test_the_current_thread_is_preferred() -> None:
    assert crash_failure("signal 11", STACK).frames[-1].function == "string_at"


def test_a_crash_without_a_stack_is_described() -> None:
    assert crash_failure("exit code 1").frames == ()


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("signal 11", "process-died"),
        ("killed by the OOM killer: out of memory", "process-died"),
        ("hang: timed out after 120 s", "load-longer-than-its-limit"),
        ("exit code 1", "process-died"),
    ],
)
def test_words_of_an_exit_decide_nothing_alone(text: str, rule: str) -> None:
    judged = judge(crash_failure(text))
    assert (judged.verdict, judged.rule) == (Outcome.UNKNOWN, rule)
    after = with_history(judged, identical_failures=3, hard_crashes=3, limits=Limits())
    assert (after.verdict, after.basis) == (Outcome.NON_RECOVERABLE, Basis.CRASHED)


READS_FOR_EVER = """
import faulthandler, socket, sys, urllib.request
faulthandler.dump_traceback_later(0.3, exit=True)
silent = socket.create_server(("127.0.0.1", 0))
urllib.request.urlopen("http://127.0.0.1:%d/weights.bin" % silent.getsockname()[1])
"""


def test_a_load_that_was_ended_while_it_reads_from_the_network_is_left_to_the_window() -> None:
    """A download goes on where it was: the third kill must not be the last."""
    done = subprocess.run(
        [sys.executable, "-c", READS_FOR_EVER], capture_output=True, text=True, check=False
    )
    judged = judge(crash_failure("hang: the load did not end within startupTimeout", done.stderr))
    assert (judged.verdict, judged.rule) == (Outcome.RECOVERABLE, "slow-download"), done.stderr
    crashed = judge(crash_failure("Segmentation fault", done.stderr))
    assert crashed.rule == "process-died"


@pytest.mark.parametrize(
    ("outcome", "max_attempts", "same_rule", "expected"),
    [
        (Outcome.RECOVERABLE, 0, 99, Outcome.RECOVERABLE),
        (Outcome.RECOVERABLE, 5, 4, Outcome.RECOVERABLE),
        (Outcome.RECOVERABLE, 5, 5, Outcome.NON_RECOVERABLE),
        (Outcome.UNKNOWN, 0, 99, Outcome.UNKNOWN),
    ],
)
def test_a_recoverable_failure_counts_towards_a_halt_only_where_its_rule_says_so(
    outcome: Outcome, max_attempts: int, same_rule: int, expected: Outcome
) -> None:
    judged = Verdict(
        outcome, Basis.RULE, "flaky-licence", Scope.MODEL, "It is busy.", "Wait.", "f" * 16, 1,
        max_attempts,
    )  # fmt: skip
    found = with_history(
        judged, identical_failures=1, hard_crashes=0, limits=Limits(), same_rule=same_rule
    )
    assert found.verdict is expected
    if found is not judged:
        assert found.basis is Basis.REPEATED
        assert "flaky-licence allows 5 times" in found.reason
