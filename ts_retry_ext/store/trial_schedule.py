"""When a model that is not loaded gets its next trial load: pure arithmetic, one home for its numbers.

The pause before a trial is never longer than `SHARE_OF_DOWNTIME` of the time that the model has been
down, so an outage grows by a share of its length. `LENGTHS_BETWEEN` counts only where it asks for less
than that; what trials may cost in the long run is the budget's business (`store.trial_budget`).
``docs/decisions.md`` says which schedules were compared (``bench/schedules.py``).
"""

from __future__ import annotations

from typing import Iterable, NamedTuple

#: What a model that is not loaded waits for, as the marker's ``waits_for`` lists it. Paths, modules
#: and addresses follow their word and a colon.
TIME = "time"  # nobody knows the cause: trials by time, from seconds to minutes
ELSEWHERE = "elsewhere"  # the cause lies outside of model and environment: trials by the hour
FILES = "files"  # the model's files
PACKAGES = "packages"  # the packages of the worker's environment
RESUME = "resume"  # the cause is gone, and nothing of ours may start workers: somebody has to
PATH, MODULE, ADDRESS = "path:", "module:", "address:"

#: First and longest interval of a cause that lies elsewhere, in seconds.
FIRST_ELSEWHERE_SEC, LONGEST_ELSEWHERE_SEC = 300.0, 3600.0
#: Intervals are spread by this share, so that 50 models or 300 pods do not come together.
JITTER = 0.1
_MOST_DOUBLINGS = 30


class Pace(NamedTuple):
    """What bounds an interval besides the settings.

    Attributes:
        share_of_downtime: no interval is longer than this share of the time that the model has been
            down. What is left is for the trial and the load after it.
        lengths_between: an interval is at least so many times the length of the last trial, unless
            the bound above, or the longest interval, is shorter.
    """

    share_of_downtime: float
    lengths_between: float


SHARE_OF_DOWNTIME = 0.5
LENGTHS_BETWEEN = 20.0
PACE = Pace(SHARE_OF_DOWNTIME, LENGTHS_BETWEEN)


def named(entries: Iterable[str], word: str) -> tuple[str, ...]:
    """Return the paths, modules or addresses in a marker's ``waits_for`` that stand behind `word`."""
    return tuple(entry[len(word) :] for entry in entries if entry.startswith(word))


def next_interval(
    waits_for: tuple[str, ...],
    *,
    trials: int,
    took_sec: float,
    down_sec: float,
    first_sec: float,
    longest_sec: float,
    spread: float,
    pace: Pace = PACE,
) -> float | None:
    """Return the seconds until the next trial load, or None where none comes by time.

    Args:
        waits_for: what the model waits for.
        trials: trial loads since it last served.
        took_sec: how long the last one took, 0 where there was none.
        down_sec: time since its first failure.
        first_sec: the setting ``first_trial``; 0 for no trials by time.
        longest_sec: the setting ``longest_trial_interval``.
        spread: a random number from -1 to 1.
        pace: the one in force; `bench.schedules` compares others with it.
    """
    if first_sec <= 0:
        return None
    doublings = 2.0 ** min(max(trials, 0), _MOST_DOUBLINGS)
    if TIME in waits_for:
        planned = max(first_sec * doublings, pace.lengths_between * max(took_sec, 0.0))
        followed = max(first_sec, pace.share_of_downtime * max(down_sec, 0.0))
        interval = min(planned, followed, longest_sec)
    elif ELSEWHERE in waits_for:
        interval = min(FIRST_ELSEWHERE_SEC * doublings, LONGEST_ELSEWHERE_SEC)
    else:
        return None
    return interval * (1.0 + JITTER * min(max(spread, -1.0), 1.0))
