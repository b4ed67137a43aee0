from __future__ import annotations

import time

import pytest

from bench.contender import is_final, lines_written, moments, worker_of

_W = "W-9000-broken_1.0 org.pytorch.serve.wlm.WorkerThread - "
_RETRY = f"2026-11-23T19:14:20,952 [INFO ] {_W}Retry worker: 9000 in 1 seconds."


def _state(name: str, at: str = "2026-11-23T19:14:20,950") -> str:
    return f"{at} [DEBUG] {_W}W-9000-broken_1.0 State change WORKER_STARTED -> {name}"


START = f"2026-11-23T19:14:18,000 [DEBUG] {_W}Worker cmdline: [python]"


@pytest.mark.parametrize(
    ("lines", "final"),
    [
        ([], False),
        ([START], False),
        ([START, _state("WORKER_STARTED")], False),
        ([START, _state("WORKER_STOPPED"), _RETRY], False),
        ([START, _state("WORKER_STOPPED"), _RETRY, START], False),
        ([START, _state("WORKER_STOPPED")], True),
        ([START, _state("WORKER_ERROR")], True),
        ([START, _state("WORKER_MODEL_LOADED")], True),
    ],
)
def test_final_is_what_the_frontend_does_nothing_more_for(lines: list[str], final: bool) -> None:
    assert is_final(worker_of("\n".join(lines), "broken")) is final


def test_moments_are_those_of_the_lines_that_say_so_of_that_model() -> None:
    other = _state("WORKER_ERROR", "2026-11-23T19:14:30,000").replace("broken", "other")
    log = "\n".join([START, other, _state("WORKER_ERROR", "2026-11-23T19:14:21,250"), _RETRY])
    (at,) = moments(log, "broken", r".*-> WORKER_ERROR")
    assert at == time.mktime((2026, 11, 23, 19, 14, 21, 0, 0, -1)) + 0.25


def test_lines_that_our_own_requests_cause_do_not_count() -> None:
    asked = (
        '2026-11-23T19:14:20,955 [INFO ] e-1 ACCESS_LOG - /127.0.0.1:4 "GET /ping HTTP/1.1" 200 1'
    )
    assert lines_written("\n".join([START, asked, "java.lang.InterruptedException", _RETRY])) == 3
