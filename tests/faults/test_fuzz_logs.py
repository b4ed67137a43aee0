"""Whatever a log holds, in whatever order and form, it is read: a report and verdicts come of it."""

from __future__ import annotations

import gzip
import json

import pytest
from hypothesis import given

from tests.faults.log_grammar import logs
from tests.faults.mutating import effort
from tests.faults.promises import log_gives_a_report, paste_is_classified
from ts_retry_ext.analyze.page import page_of

ENDED = "W-9000-m_1.0 State change WORKER_STARTED -> WORKER_STOPPED"
HEAD = "[DEBUG] W-9000-m_1.0 org.pytorch.serve.wlm.WorkerThread - "


@effort(60, 20_000)
@given(data=logs())
def test_any_log_gives_a_report(data: bytes) -> None:
    log_gives_a_report(data)


@effort(10, 5_000)
@given(data=logs())
def test_any_log_gives_a_page(data: bytes) -> None:
    assert page_of(log_gives_a_report(data))


@effort(60, 20_000)
@given(data=logs())
def test_any_log_is_classified(data: bytes) -> None:
    paste_is_classified(data)


@pytest.mark.parametrize(
    "text",
    [
        json.dumps({"message": f"2026-11-23T19:00:00,000 {HEAD}{ENDED}", "process": {"thread": "main"}}),
        json.dumps({"message": ENDED, "thread": "W-9000-m_1.0", "timeMillis": 1e200}),
        json.dumps({"message": ENDED, "thread": "W-9000-m_1.0", "timeMillis": -1e13}),
        f"9999-12-31T99:99:99,000 {HEAD}{ENDED}",
        f"0001-01-01T00:00:00,001 {HEAD}{ENDED}",
    ],
    ids=["a thread that is a text", "a time without end", "a time before all", "the last year", "the first year"],
)  # fmt: skip
def test_what_no_log_should_hold_is_read_all_the_same(text: str) -> None:
    assert page_of(log_gives_a_report(text.encode()))
    paste_is_classified(text.encode())


def test_a_compressed_log_that_is_cut_is_classified_up_to_there() -> None:
    whole = gzip.compress(b"KeyError: 'a'\n" * 50)
    paste_is_classified(whole[:-6])
