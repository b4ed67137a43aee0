from __future__ import annotations

import pytest

from ts_retry_ext.worker.load_times import LoadTime
from ts_retry_ext.worker.news import (
    MAX_SUSPECTS,
    UNSETTLED_SEC,
    History,
    Suspects,
    is_loads_own,
    reported,
    waits,
)
from ts_retry_ext.worker.path_facts import FILE, Difference, PathFacts

NOW = 1_800_000_000.0
ENDED = LoadTime(0, 1)


def seen(key: str = "/m/h.py", content: int = 1) -> Difference:
    return Difference(key, f"{key} was changed", PathFacts(FILE, content=content), 0)


def test_what_stands_still_has_settled() -> None:
    suspects = Suspects()
    suspects.see(seen(), 100.0)
    suspects.see(seen(), 100.5)
    assert suspects.settled(100.9) == []
    assert suspects.settled(101.0) == [seen()]


def test_what_goes_on_changing_settles_late_but_it_does() -> None:
    suspects = Suspects()
    at = 100.0
    while not suspects.settled(at):
        suspects.see(seen(content=int(at * 10)), at)
        at += 0.5
    assert at == 100.0 + UNSETTLED_SEC


def test_suspects_are_bounded_and_forgotten() -> None:
    suspects = Suspects()
    for number in range(2 * MAX_SUSPECTS):
        suspects.see(seen(f"/m/{number}"), 1.0)
    assert len(suspects.all()) == MAX_SUSPECTS
    suspects.forget("/m/0")
    suspects.forget("/m/none")
    assert len(suspects.all()) == MAX_SUSPECTS - 1


@pytest.mark.parametrize(
    ("history", "since", "expected"),
    [
        (History(), 0.0, False),
        (History(reports=4), 1.0, False),
        (History(reports=5), 29.0, True),
        (History(reports=5), 30.0, False),
        (History(reports=8), 239.0, True),
        (History(reports=8), 240.0, False),
        (History(reports=1000), 3599.0, True),
        (History(reports=1000), 3600.0, False),
        (History(reports=1000), -5.0, False),  # The clock was set back.
    ],
)
def test_what_changes_all_the_time_has_to_wait(
    history: History, since: float, expected: bool
) -> None:
    assert waits(history._replace(last=NOW), None, NOW + since) is expected


def test_what_was_left_alone_is_reported_as_at_first() -> None:
    history = reported(History(reports=6, last=NOW), None, NOW + 10_000)
    assert history == History(by_loads=0, reports=1, last=NOW + 10_000)


def test_a_change_that_a_load_may_have_made_is_reported_once() -> None:
    assert not is_loads_own(History(), ENDED)
    history = reported(History(), ENDED, NOW)
    assert history.by_loads == 1
    assert is_loads_own(history, ENDED)
    assert not is_loads_own(history, None)
