"""What the journals and the budget of a server say about its trial loads; pure but for `Spending`."""

from __future__ import annotations

import os
from typing import Iterable, Mapping, NamedTuple, Sequence

from ts_retry_ext.store.atomic import read_json
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.store.trial_budget import BUDGET_FILE, CAPACITY_SEC, REFILL_PER_SEC


class Trial(NamedTuple):
    """One trial load, in seconds since the epoch.

    Attributes:
        model: whose.
        begun_at, ended_at: as its journal says.
        loaded: whether it succeeded.
    """

    model: str
    begun_at: float
    ended_at: float
    loaded: bool


def trials_of(model: str, records: Iterable[Record]) -> list[Trial]:
    """Return the trial loads in a journal. What is loaded for real at once has a beginning and no end."""
    found: list[Trial] = []
    begun_at: float | None = None
    for record in records:
        if record.event is Event.TRIAL:
            begun_at = to_seconds(record.at)
        elif record.event is Event.TRIED and begun_at is not None:
            loaded = record.result is not None and record.result.value == "loaded"
            found.append(Trial(model, begun_at, to_seconds(record.at), loaded))
            begun_at = None
    return found


def most_at_once(trials: Iterable[Trial]) -> int:
    """Return how many trial loads ran at the same time, at the most."""
    # Where one ends in the very moment in which the next begins, the end comes first.
    steps = sorted(step for t in trials for step in ((t.begun_at, 1), (t.ended_at, -1)))
    running = most = 0
    for _, change in steps:
        running += change
        most = max(most, running)
    return most


def longest_pauses(
    trials: Mapping[str, Sequence[Trial]], begun_at: float, ended_at: float
) -> list[float]:
    """Return for each model how long it was without a trial at the most, in seconds."""
    found = []
    for own in trials.values():
        times = [begun_at, *sorted(t.begun_at for t in own), ended_at]
        inside = [min(max(at, begun_at), ended_at) for at in times]
        found.append(max(after - before for before, after in zip(inside, inside[1:])))
    return found


class Spending:
    """Adds up what a server's trials take out of their budget.

    Args:
        server_dir: where the budget lies.
    """

    def __init__(self, server_dir: str) -> None:
        self._path = os.path.join(server_dir, BUDGET_FILE)
        self._level, self._at = CAPACITY_SEC, 0.0
        self.spent_sec = 0.0

    def look(self) -> None:
        """Add what was charged since the last look; one charge, or the sum of several."""
        content = read_json(self._path)
        if content is None or content["at"] == self._at:
            return
        level, at = content["level"], content["at"]
        self.spent_sec += charged(self._level, at - self._at if self._at else 0.0, level)
        self._level, self._at = level, at


def charged(before: float, passed_sec: float, after: float) -> float:
    """Return what was taken out of a budget, in seconds of processor time.

    Args:
        before: what it held.
        passed_sec: the time since.
        after: what it holds now.
    """
    return max(0.0, min(CAPACITY_SEC, before + passed_sec * REFILL_PER_SEC) - after)
