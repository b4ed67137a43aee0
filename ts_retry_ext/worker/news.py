"""Decide which differences are news: what stands still, is no load's doing, and does not come all the time."""

from __future__ import annotations

from typing import NamedTuple

from ts_retry_ext.worker.load_times import LoadTime
from ts_retry_ext.worker.path_facts import Difference

#: Seconds for which a thing has to stand still before it is reported: a copy in progress is no repair.
SETTLE_SEC = 1.0
#: What never stands still is reported after so many seconds all the same.
UNSETTLED_SEC = 600.0
#: Differences that are looked at again one by one. One that is reported takes all others along.
MAX_SUSPECTS = 256
#: So many times a thing is reported as soon as it changes; then it has to wait, twice as long each time.
FREE_REPORTS = 5
FIRST_WAIT_SEC = 30.0
LONGEST_WAIT_SEC = 3600.0
#: A thing that was left alone for so many seconds is reported as at first.
FORGIVEN_SEC = 900.0


class History(NamedTuple):
    """What is remembered of a watched thing.

    Attributes:
        by_loads: how often it changed while a load ran, and was reported.
        reports: how often it was reported, since it was last left alone for a while.
        last: when it was last reported, in seconds since the epoch.
    """

    by_loads: int = 0
    reports: int = 0
    last: float = 0.0


class _Suspect(NamedTuple):
    difference: Difference
    since: float
    still_since: float


class Suspects:
    """Differences that were seen and are not reported yet; times are `time.monotonic`."""

    def __init__(self) -> None:
        self._by_key: dict[str, _Suspect] = {}

    def all(self) -> list[Difference]:
        """Return them, the first seen first."""
        return [suspect.difference for suspect in self._by_key.values()]

    def see(self, found: Difference, now: float) -> None:
        """Add a difference, or note whether a known one stands still."""
        known = self._by_key.get(found.key)
        if known is None:
            if len(self._by_key) >= MAX_SUSPECTS:
                return
            self._by_key[found.key] = _Suspect(found, now, now)
        elif known.difference[:4] != found[:4]:
            self._by_key[found.key] = _Suspect(found, known.since, now)

    def forget(self, key: str) -> None:
        """Drop one that differs no more, or was absorbed."""
        self._by_key.pop(key, None)

    def settled(self, now: float) -> list[Difference]:
        """Return those that stand still, or never will."""
        return [
            suspect.difference
            for suspect in self._by_key.values()
            if now - suspect.still_since >= SETTLE_SEC or now - suspect.since >= UNSETTLED_SEC
        ]


def is_loads_own(history: History, load: LoadTime | None) -> bool:
    """Tell whether a change is put down to the load that ran then.

    Once, such a change is reported all the same. A person who copies two files starts a trial load with
    the first and writes the second while it runs; if that were passed over, the model would stay down.
    """
    return load is not None and history.by_loads > 0


def waits(history: History, load: LoadTime | None, now: float) -> bool:
    """Tell whether a change is reported later: a load still runs, or the thing changes all the time."""
    if load is not None and load.runs:
        return True
    excess = history.reports - FREE_REPORTS
    if excess < 0 or now - history.last > FORGIVEN_SEC + _wait(excess):
        return False
    return 0 <= now - history.last < _wait(excess)


def reported(history: History, load: LoadTime | None, now: float) -> History:
    """Return the history of a thing whose change is reported now (seconds since the epoch)."""
    excess = max(0, history.reports - FREE_REPORTS)
    forgiven = now - history.last > FORGIVEN_SEC + _wait(excess)
    return History(
        by_loads=history.by_loads + (load is not None),
        reports=1 if forgiven else history.reports + 1,
        last=now,
    )


def _wait(excess: int) -> float:
    return float(min(FIRST_WAIT_SEC * 2 ** min(excess, 20), LONGEST_WAIT_SEC))
