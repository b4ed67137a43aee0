from __future__ import annotations

import pytest

from tests.snapshot.writing import START, marker
from ts_retry_ext.store.halt_in_words import (
    end_of_halt,
    state_word,
    until,
    waits_for_in_words,
)
from ts_retry_ext.store.times import to_text


@pytest.mark.parametrize(
    ("waits_for", "state"),
    [
        ((), "halted"),
        (("files",), "halted"),
        (("files", "packages", "module:x"), "halted"),
        (("files", "elsewhere"), "halted"),
        (("files", "time"), "waiting"),
        (("resume",), "waiting"),
    ],
)
def test_weak_evidence_and_a_cause_that_is_gone_are_waited_for(
    waits_for: tuple[str, ...], state: str
) -> None:
    assert state_word(waits_for) == state


def test_what_a_model_waits_for_is_put_into_words_the_named_things_first() -> None:
    entries = ("files", "packages", "path:/mnt/x", "module:torchvision", "address:db:5432")
    assert waits_for_in_words(entries) == (
        "/mnt/x to appear or change",
        "torchvision to be installed",
        "db:5432 to answer",
        "the model's files",
        "the packages of its environment",
    )
    many = [f"path:/{n}" for n in range(9)]
    assert waits_for_in_words(many)[3:] == ("/3 to appear or change", "5 more")
    assert waits_for_in_words(("from a later version",)) == ()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-3, "now"), (0, "now"), (15, "in 15 s"), (119, "in 119 s"), (600, "in 10 min"),
     (3 * 3600, "in 3 h"), (72 * 3600, "in 3 days")],
)  # fmt: skip
def test_a_time_ahead_is_told_in_one_unit(seconds: float, words: str) -> None:
    assert until(to_text(START + seconds), START) == words


@pytest.mark.parametrize(
    ("waits_for", "planned", "sentence"),
    [
        (("files", "time"), 15.0, "Next trial load: in 15 s; it also waits for the model's files."),
        (("files", "elsewhere"), 300.0,
         "Next trial load: in 5 min; it also waits for the model's files."),
        (("files",), None,
         "It waits for a change, and is then tried again by itself: the model's files."),
        (("resume",), None, "Its cause is gone, and somebody has to resume it."),
        ((), None, "It waits for somebody to resume it."),
    ],
)  # fmt: skip
def test_what_ends_a_halt_is_told_in_a_sentence(
    waits_for: tuple[str, ...], planned: float | None, sentence: str
) -> None:
    at = None if planned is None else to_text(START + planned)
    assert end_of_halt(marker(waits_for=waits_for, next_trial_at=at), START) == sentence
