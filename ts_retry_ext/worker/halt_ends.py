"""What could end the halt that follows from a failure, and when its first trial load comes.

Imported only when something has failed.
"""

from __future__ import annotations

import os
import time

from ts_retry_ext.judge.failure import Failure, Phase
from ts_retry_ext.judge.named_causes import named_causes
from ts_retry_ext.judge.outlook import Outlook, outlook
from ts_retry_ext.judge.paths import Host
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.verdict import Verdict
from ts_retry_ext.settings import Settings
from ts_retry_ext.store.times import to_text
from ts_retry_ext.store.trial_schedule import (
    ADDRESS,
    ELSEWHERE,
    FILES,
    MODULE,
    PACKAGES,
    PATH,
    TIME,
    next_interval,
)

_BEFORE_THE_MODEL = (Phase.STARTUP, Phase.IMPORT)


def waits_for(
    verdict: Verdict, failure: Failure, rules: tuple[Rule, ...], host: Host
) -> tuple[str, ...]:
    """Return what a model waits for after `failure`, as the marker's ``waits_for`` lists it."""
    named = named_causes(failure, host)
    found = outlook(verdict, named, rules, host)
    entries = [FILES]
    # What passes needs no other package, unless one is named; what is final is repaired with one as often as not.
    if found is not Outlook.TIME or named.modules or failure.phase in _BEFORE_THE_MODEL:
        entries.append(PACKAGES)
    entries += [PATH + path for path in named.paths]
    entries += [MODULE + module for module in named.modules]
    entries += [ADDRESS + address for address in named.addresses]
    if found is Outlook.TIME:
        entries.append(TIME)
    elif found is Outlook.ELSEWHERE:
        entries.append(ELSEWHERE)
    return tuple(entries)


def first_trial_at(
    entries: tuple[str, ...], settings: Settings, *, trials: int, down_sec: float
) -> str | None:
    """Return when a model that is halted now is tried next, ISO 8601 UTC, or None.

    `trials` counts trial loads since it last served: a model whose workers failed after a trial that
    succeeded does not begin with short intervals again.
    """
    interval = next_interval(
        entries,
        trials=trials,
        took_sec=0.0,
        down_sec=down_sec if trials else 0.0,
        first_sec=settings.first_trial.value,
        longest_sec=settings.longest_trial_interval.value,
        spread=os.urandom(1)[0] / 127.5 - 1.0,
    )
    return None if interval is None else to_text(time.time() + interval)
