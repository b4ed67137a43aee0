"""This package's own lines, as it writes them, say what failed where TorchServe logged no traceback."""

from __future__ import annotations

from typing import Any

import pytest

from tests.snapshot.writing import marker
from ts_retry_ext.analyze.judged_failure import FailureJudge
from ts_retry_ext.analyze.text_failures import failures_in
from ts_retry_ext.judge import Phase, failure_from_exception, judge
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.logs.own_lines import own_word
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.worker.failure_report import failure_line
from ts_retry_ext.worker.holder import held_line

HEAD = "2026-11-26T10:05:47,110 [WARN ] W-35335-m_1.0-stderr MODEL_LOG - ts-retry: "
BEFORE = (
    "2026-11-26T10:05:40,000 [INFO ] W-35335-m_1.0-stdout MODEL_LOG - [PID]7\n"
    "2026-11-26T10:05:44,330 [INFO ] W-35335-m_1.0-stdout MODEL_LOG - model_name: m, batchSize: 1\n"
)
DIED = "2026-11-26T10:05:47,112 [DEBUG] W-35335-m_1.0 org.pytorch.serve.wlm.WorkerThread - Backend worker monitoring thread interrupted or backend worker process died., startupTimeout:120sec\n"


def written(exc: BaseException, phase: Phase) -> tuple[str, Any]:
    failure = failure_from_exception(exc, phase)
    verdict = judge(failure)
    return failure_line("it's", failure, verdict, OnFatal.HOLD, None), verdict


@pytest.mark.parametrize(
    ("exc", "phase"),
    [
        (TimeoutError("timed out"), Phase.INITIALIZE),
        (SystemExit(3), Phase.INITIALIZE),
        (IndentationError("unexpected indent (h.py, line 4)"), Phase.IMPORT),
        (ValueError("a; b (c, fingerprint 0123456789abcdef) d"), Phase.CONSTRUCT),
        (RuntimeError(), Phase.STARTUP),
    ],
    ids=repr,
)
def test_the_line_about_a_failure_is_read_as_it_was_written(
    exc: BaseException, phase: Phase
) -> None:
    line, verdict = written(exc, phase)
    text = f"{BEFORE}{HEAD}{line}\n{DIED}"
    for given in (text, f"ts-retry: {line}\n"):
        (found, *_) = failures_in(given.encode(), "x", FailureJudge(BUILTIN_RULES)).found
        told = found.judged
        assert told.failure.type.rpartition(".")[2] == type(exc).__name__
        assert told.failure.message == " ".join(str(exc).split())
        assert (told.failure.phase, told.verdict.verdict) == (phase, verdict.verdict)
        assert (told.verdict.rule, told.verdict.fingerprint) == (verdict.rule, verdict.fingerprint)


def test_the_line_about_a_crash_is_read_as_a_crash() -> None:
    line = (
        "ts-retry: model 'm' failed in phase process with ProcessDied: Segmentation fault; unknown "
        "(rule process-died, fingerprint a096a383196c51fc), at h.py initialize: TorchServe retries it"
    )
    (found,) = failures_in(line.encode(), "x", FailureJudge(BUILTIN_RULES)).found
    told = found.judged
    assert (told.failure.type, told.failure.message) == ("ProcessDied", "Segmentation fault")
    assert (told.failure.phase, told.crashed) == (Phase.PROCESS, True)
    assert (told.verdict.rule, told.verdict.fingerprint) == ("process-died", "a096a383196c51fc")


def test_the_line_of_a_holder_names_the_cause_it_was_made_from() -> None:
    stands = marker()
    word = own_word("ts-retry: " + held_line("m", stands))
    assert word is not None
    assert word.fingerprint == stands.fingerprint
    assert word.cause == f"{stands.exception.type}: {stands.exception.message}"
    assert word.phase is None


@pytest.mark.parametrize(
    "line",
    [
        "ts-retry: model 'm' is no longer held: the marker was removed",
        "ts-retry: could not judge the failure, TorchServe retries it as always: ValueError(1)",
        "ValueError: model 'm' failed in phase initialize with nothing",
    ],
)
def test_other_lines_say_nothing_of_a_failure(line: str) -> None:
    assert own_word(line) is None
