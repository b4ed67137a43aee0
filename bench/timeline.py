"""When a model is loaded during an outage: by TorchServe alone, and with the package.

Nothing is started here. The times follow from the functions that decide them in the product:
`archive.schedule` for the frontend's retries, `store.trial_schedule` for trial loads.
"""

from __future__ import annotations

from itertools import count
from typing import Iterator, NamedTuple

from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC, is_open, retry_times, wait_before
from ts_retry_ext.settings import SETTINGS
from ts_retry_ext.snapshot.real_load import LONGEST_WAIT_SEC
from ts_retry_ext.store.trial_schedule import PACE, TIME, Pace, next_interval

_DEFAULTS = {setting.name: setting.default for setting in SETTINGS}
#: Failures of unknown kind until a model waits.
IDENTICAL: int = _DEFAULTS["max_identical_failures"]
#: First and longest interval, in seconds.
FIRST_SEC: float = _DEFAULTS["first_trial"]
LONGEST_SEC: float = _DEFAULTS["longest_trial_interval"]
#: How long it takes to scale a model down and up again, in seconds; seen on 0.12.0.
SCALE_SEC = 1.0
#: A plan that brings more loads than this is none.
MOST_LOADS = 10_000


class Case(NamedTuple):
    """One outage, as one model with one worker sees it; all in seconds.

    Attributes:
        outage_sec: from the start of the first load to the end of the outage. A load that starts
            before the end fails.
        load_sec: how long a load takes, whether it fails or not.
        window_sec: ``maxRetryTimeoutInSec``.
        is_known: whether a rule says that the failure is recoverable; if not, the model waits after
            three failures.
    """

    outage_sec: float
    load_sec: float
    window_sec: float = DEFAULT_WINDOW_SEC
    is_known: bool = False


class Plan(NamedTuple):
    """What decides when trial loads come.

    Attributes:
        first_sec: the setting ``first_trial``; longest_sec: ``longest_trial_interval``.
        pace: see there.
    """

    first_sec: float = FIRST_SEC
    longest_sec: float = LONGEST_SEC
    pace: Pace = PACE


class Course(NamedTuple):
    """What became of a model.

    Attributes:
        delay_sec: from the end of the outage until the model serves; None where it never does.
        loads: how often it was loaded until then, trial loads included.
    """

    delay_sec: float | None
    loads: int


def alone(case: Case) -> Course:
    """Return what TorchServe alone makes of an outage."""
    loads = 0
    for start in _frontend_starts(case):
        loads += 1
        if start >= case.outage_sec:
            return Course(start + case.load_sec - case.outage_sec, loads)
    return Course(None, loads)


def with_package(case: Case, plan: Plan | None = None, spread: float = 0.0) -> Course:
    """Return what TorchServe with the package makes of an outage.

    Args:
        case: the outage.
        plan: when trial loads come; the defaults where it is None.
        spread: a number from -1 to 1 in the place of the random one.
    """
    loads, stopped_at = 0, 0.0
    for start in _frontend_starts(case):
        loads += 1
        if start >= case.outage_sec:
            return Course(start + case.load_sec - case.outage_sec, loads)
        stopped_at = start + case.load_sec
        if not case.is_known and loads == IDENTICAL:
            break
    stops = loads
    for trial in _trials(case, plan or Plan(), stopped_at, spread):
        loads += 1
        if trial >= case.outage_sec:
            tried_at = trial + case.load_sec
            starts_at = tried_at + _until_start(case, stops, tried_at)
            return Course(starts_at + case.load_sec - case.outage_sec, loads + 1)
        if loads > MOST_LOADS:
            break
    return Course(None, loads)


def _frontend_starts(case: Case) -> Iterator[float]:
    """Yield when the frontend starts a worker whose every load fails, the first time at 0."""
    yield 0.0
    for retry in retry_times(case.window_sec, case.load_sec):
        yield case.load_sec + retry


def _trials(case: Case, plan: Plan, halted_at: float, spread: float) -> Iterator[float]:
    """Yield when trial loads begin of a model that waits from `halted_at` on."""
    now, first_failure_at = halted_at, case.load_sec
    for trials in count():
        interval = next_interval(
            (TIME,),
            trials=trials,
            took_sec=case.load_sec if trials else 0.0,
            down_sec=now - first_failure_at if trials else 0.0,
            first_sec=plan.first_sec,
            longest_sec=plan.longest_sec,
            spread=spread,
            pace=plan.pace,
        )
        if interval is None:
            return
        yield now + interval
        now += interval + case.load_sec


def _until_start(case: Case, stops: int, now: float) -> float:
    """Return the seconds from the end of a trial that succeeded until the frontend starts a worker.

    Inside the window it retries once the holder has left, which is a stop as any other. After it,
    and where that wait is long, the model is scaled.
    """
    wait = float(wait_before(stops + 1))
    is_retried = is_open(now - case.load_sec, case.window_sec)
    return wait if is_retried and wait <= LONGEST_WAIT_SEC else SCALE_SEC
