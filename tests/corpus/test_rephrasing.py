"""Another spelling of a message never makes a final verdict of one that wasn't.

Case, quotes, punctuation, "can't" for "cannot", the plural, the order of clauses: libraries change them
from version to version.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.corpus.rephrasing import rephrased
from tests.corpus.shapes import SHAPES, record
from tests.judge.test_builtin_rules import ROWS
from ts_retry_ext.judge import Outcome, failure_from_record, judge

#: Share of final verdicts that a rephrased message must keep, over the whole corpus.
_KEPT = 0.85


def records() -> Iterator[dict[str, Any]]:
    for rows in SHAPES.values():
        yield from (record(row) for row in rows)
    for _rule, _verdict, kind, message, more in ROWS:
        yield {"phase": "initialize", "exc_type": kind, "mro": [], "message": message, **more}


def test_other_words_never_make_a_final_verdict_of_one_that_was_not() -> None:
    wrong = []
    for one in records():
        if judge(failure_from_record(one)).verdict is Outcome.NON_RECOVERABLE:
            continue
        for change, message in rephrased(one["message"]):
            verdict = judge(failure_from_record({**one, "message": message}))
            if verdict.verdict is Outcome.NON_RECOVERABLE:
                wrong.append((change, verdict.rule, message))
    assert not wrong


def test_most_final_verdicts_survive_other_words() -> None:
    kept, asked = 0, 0
    for one in records():
        if judge(failure_from_record(one)).verdict is not Outcome.NON_RECOVERABLE:
            continue
        for _change, message in rephrased(one["message"]):
            asked += 1
            verdict = judge(failure_from_record({**one, "message": message}))
            kept += verdict.verdict is Outcome.NON_RECOVERABLE
    assert kept / asked > _KEPT


@pytest.mark.parametrize(
    ("message", "change", "text"),
    [
        ("can't open 'a'", "can't -> cannot", "cannot open 'a'"),
        ("can't open 'a'", "quotes", 'can"t open "a"'),
        ("one thing: another", "order of clauses", "another: one thing"),
        ("the file is gone", "number", "the files is gone"),
    ],
)
def test_a_message_is_rephrased(message: str, change: str, text: str) -> None:
    assert (change, text) in set(rephrased(message))
