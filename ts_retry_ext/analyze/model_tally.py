"""What the log tells of one model of one server, in numbers that do not grow with the log."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

from ts_retry_ext.analyze.judged_failure import JudgedFailure
from ts_retry_ext.analyze.logged_process import LoggedProcess
from ts_retry_ext.analyze.logged_worker import LoggedWorker
from ts_retry_ext.analyze.retry_window import WindowBounds
from ts_retry_ext.analyze.timeline import Timeline
from ts_retry_ext.judge import Limits, Outcome, Scope, Verdict, with_history

#: Causes kept of one model; the failures of further ones are counted only.
MOST_CAUSES = 50


class Standing(str, Enum):
    """Say how a model stands at the end of the log."""

    FAILED = "failed"  # for good: no retry could cure it, or the frontend gave up
    RETRYING = "retrying"  # the last load failed, and the frontend goes on
    RECOVERED = "recovered"  # it failed, and loaded later
    SERVING = "serving"  # it loaded and never failed
    UNKNOWN = "unknown"  # the log tells of no load that ended


@dataclass
class CauseTally:
    """One cause of one model's failures. Times are milliseconds since the epoch.

    Attributes:
        cause: the failure and the verdict on it.
        verdict: with its history: the furthest that repetition made of it.
        first_at, last_at: when it came first and last.
        said_at: when the process wrote it first.
    """

    cause: JudgedFailure
    verdict: Verdict
    count: int
    first_at: int
    last_at: int
    said_at: int


@dataclass
class Streak:
    """The failures of one worker in a row, newest last.

    Attributes:
        fingerprint, identical: of the last one, and how often it came in a row.
        crashes: deaths without an exception in a row.
        rule, same_rule: which rule decided the last one, and how often in a row.
        verdict: on the last one, with its history; None where it loaded since.
    """

    fingerprint: str = ""
    identical: int = 0
    crashes: int = 0
    rule: str | None = None
    same_rule: int = 0
    verdict: Verdict | None = None
    last_at: int = 0

    def judged(self, cause: JudgedFailure, at: int, limits: Limits) -> Verdict:
        """Return the verdict on a further failure, with its history, and count it."""
        own = cause.verdict
        if not cause.complete:
            # Nothing is known of it, so that it neither repeats nor breaks what came before.
            self.last_at, self.verdict = at, self.verdict or own
            return own
        self.crashes = self.crashes + 1 if cause.crashed else 0
        same = not cause.crashed and own.fingerprint == self.fingerprint
        self.identical = self.identical + 1 if same else int(not cause.crashed)
        self.same_rule = self.same_rule + 1 if own.rule and own.rule == self.rule else 1
        self.fingerprint, self.rule = "" if cause.crashed else own.fingerprint, own.rule
        self.last_at = at
        self.verdict = with_history(
            own,
            identical_failures=self.identical,
            hard_crashes=self.crashes,
            same_rule=self.same_rule,
            limits=limits,
        )
        return self.verdict


@dataclass
class Saved:
    """What the package would have saved.

    Attributes:
        loads: failed loads that would not have taken place.
        start_ms: what they took, from the start of their process to its end.
        stopped_at: when it would have stopped the model first, or None.
        wrongly: times that a model loaded after the package would have stopped it: somebody
            repaired the cause in between, or the verdict is wrong.
    """

    loads: int = 0
    start_ms: int = 0
    stopped_at: int | None = None
    wrongly: int = 0


@dataclass
class ModelTally:
    """What became of a model. Times are milliseconds since the epoch.

    Attributes:
        model, version: what it is.
        timeline: when it started, loaded, failed, and died.
        failures: loads that failed; deaths: workers that had loaded the model and ended.
        wasted_ms: from the start of each process whose load failed to its end.
        holds: starts of holders of this package.
        held_at, held_why: when the first of them was seen, or None, and what the last of them said.
        timed_out: those of the deaths that the frontend brought about, as a request took too long.
        has_package: whether its server has this package.
        first_failure_at, last_failure_at, last_loaded_at: None where there was none.
    """

    model: str
    version: str | None
    timeline: Timeline
    limits: Limits
    workers: dict[bytes, LoggedWorker] = field(default_factory=dict)
    streaks: dict[int, Streak] = field(default_factory=dict)
    causes: dict[str, CauseTally] = field(default_factory=dict)
    failures: int = 0
    other_failures: int = 0
    deaths: int = 0
    loaded: int = 0
    holds: int = 0
    held_at: int | None = None
    held_why: str = ""
    timed_out: int = 0
    has_package: bool = False
    wasted_ms: int = 0
    first_failure_at: int | None = None
    last_failure_at: int | None = None
    last_loaded_at: int | None = None
    saved: Saved = field(default_factory=Saved)
    ignored_window: str | None = None
    _stops: dict[int, int] = field(default_factory=dict)

    def has_loaded(self, worker: LoggedWorker, at: int) -> None:
        """Count a load that came out well."""
        self.loaded += 1
        self.last_loaded_at = at
        self.timeline.add("loaded", at)
        self.streaks.pop(id(worker), None)
        if self._stops.pop(0, None) is not None or self._stops.pop(id(worker), None) is not None:
            self.saved.wrongly += 1

    def is_held(self, at: int, why: str) -> None:
        """Count a start of a holder."""
        self.holds += 1
        self.held_why = why
        self.has_package = True
        self.held_at = at if self.held_at is None else self.held_at

    def has_died(self, at: int, *, timed_out: bool) -> None:
        """Count a worker that ended while it served."""
        self.deaths += 1
        self.timed_out += timed_out
        self.timeline.add("died", at)

    def has_failed(
        self, worker: LoggedWorker, cause: JudgedFailure, attempt: LoggedProcess, at: int
    ) -> None:
        """Count a load that failed."""
        started_at = attempt.started_at
        took = 0 if started_at is None else max(0, at - started_at)
        self.failures += 1
        self.wasted_ms += took
        self.first_failure_at = at if self.first_failure_at is None else self.first_failure_at
        self.last_failure_at = at
        self.timeline.add("failed", at)
        streak = self.streaks.setdefault(id(worker), Streak())
        verdict = streak.judged(cause, at, self.limits)
        self._count(cause, verdict, at, attempt.last_at or at)
        if self.has_package:
            return  # Nobody has to guess what the package would have done.
        stopped = self._stops.get(0, self._stops.get(id(worker)))
        if stopped is not None and started_at is not None and started_at > stopped:
            self.saved.loads += 1
            self.saved.start_ms += took
        elif stopped is None and verdict.verdict is Outcome.NON_RECOVERABLE:
            self._stops[id(worker) if verdict.scope is Scope.DEVICE else 0] = at
            if self.saved.stopped_at is None:
                self.saved.stopped_at = at

    def registered(self) -> None:
        """Forget how its workers stand: the model was registered again."""
        for worker in self.workers.values():
            worker.removed = True
        self.streaks.clear()
        self._stops.clear()

    @property
    def bounds(self) -> WindowBounds:
        """Return what all its workers tell of the window in force."""
        bounds = WindowBounds(ignored=self.ignored_window)
        for worker in self.workers.values():
            bounds.add(worker.bounds)
        return bounds

    @property
    def state(self) -> Standing:
        """Return how it stands at the end of the log."""
        standing = [
            (worker, self.streaks[id(worker)])
            for worker in self.workers.values()
            if id(worker) in self.streaks
        ]
        standing = [
            (worker, streak)
            for worker, streak in standing
            if not (worker.removed and (self.last_loaded_at or 0) > streak.last_at)
        ]
        given_up = any(worker.gave_up and not worker.removed for worker in self.workers.values())
        if given_up or any(worker.gave_up or _is_final(streak) for worker, streak in standing):
            return Standing.FAILED
        if any(worker.is_held for worker in self.workers.values()):
            return Standing.FAILED
        if standing:
            return Standing.RETRYING
        if any(worker.is_down for worker in self.workers.values()):
            return Standing.RETRYING
        if self.loaded or any(worker.serves for worker in self.workers.values()):
            return Standing.RECOVERED if self.failures else Standing.SERVING
        return Standing.UNKNOWN

    def _count(self, cause: JudgedFailure, verdict: Verdict, at: int, said_at: int) -> None:
        tally = self.causes.get(verdict.fingerprint)
        if tally is None:
            if len(self.causes) >= MOST_CAUSES:
                self.other_failures += 1
                return
            tally = self.causes[verdict.fingerprint] = CauseTally(
                cause, verdict, 0, at, at, said_at
            )
        if verdict.verdict is Outcome.NON_RECOVERABLE or tally.count == 0:
            tally.verdict = verdict
        tally.count += 1
        tally.last_at = at


def _is_final(streak: Streak) -> bool:
    return streak.verdict is not None and streak.verdict.verdict is Outcome.NON_RECOVERABLE
