"""One version of a model in a snapshot, and its form as JSON."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple, Sequence, Tuple

from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC
from ts_retry_ext.frontend.running_model import RunningModel, RunningWorker
from ts_retry_ext.plain_text import CAUSE_LENGTH, cause_line, decided_by, verdict_line
from ts_retry_ext.snapshot.after_trial import down_since
from ts_retry_ext.snapshot.registration import Registration
from ts_retry_ext.snapshot.state import State, held_workers
from ts_retry_ext.store.exception_record import ExceptionRecord, FailingLine
from ts_retry_ext.store.failing_line import failing_line
from ts_retry_ext.store.halt_in_words import state_word
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds, to_text

#: The states of a model that serves nobody and that no retry of the frontend's brings back.
DOWN = (State.HALTED, State.WAITING, State.RETIRED, State.NOT_REGISTERED)
_JUDGED = ("verdict", "basis", "rule", "fingerprint", "phase", "scope")


#: Name and version of a model.
ModelKey = Tuple[str, str]


class WindowInForce(NamedTuple):
    """A retry window.

    Attributes:
        seconds: as the frontend would show it.
        source: where it comes from; both None where it cannot be told.
    """

    seconds: int | None
    source: str | None


NO_WINDOW = WindowInForce(None, None)


class NotRegistered(NamedTuple):
    """A model that should serve and is not registered.

    Attributes:
        model: its name; version: its version, as far as that is known.
        running: what the frontend says where it lists the model without workers, or None.
        is_default: whether requests without a version were to mean it.
    """

    model: str
    version: str
    running: RunningModel | None
    cause: str
    remedy: str
    is_default: bool = True


@dataclass(frozen=True)
class ModelStatus:
    """A version of a model.

    Attributes:
        max_retry_timeout_sec: the window in force in seconds, as the frontend would show it.
        max_retry_timeout_source: where it comes from; both None where it cannot be told.
        gave_up: whether the frontend retries it no more.
        not_registered: why the server could not register it; None where it did.
        packed_again: path of its archive in the model store if that has changed since TorchServe
            unpacked it, else None.
    """

    model: str
    version: str
    state: State
    running: RunningModel | None = None
    registration: Registration | None = None
    max_retry_timeout_sec: int | None = None
    max_retry_timeout_source: str | None = None
    gave_up: bool = False
    not_registered: NotRegistered | None = None
    packed_again: str | None = None

    @property
    def key(self) -> ModelKey:
        """Return its name and version."""
        return (self.model, self.version)

    @property
    def marker(self) -> Marker | None:
        """Return its marker, or None where its workers are not stopped."""
        return self.registration.marker if self.registration else None

    @property
    def records(self) -> Sequence[Record]:
        """Return what its workers wrote down, oldest first."""
        return self.registration.records if self.registration else ()

    @property
    def directory(self) -> str | None:
        """Return its registration's directory in the state directory, or None where there is none."""
        return self.registration.directory if self.registration else None

    @property
    def window_sec(self) -> int:
        """Return the window in force in seconds, TorchServe's default where it cannot be told."""
        window = self.max_retry_timeout_sec
        return DEFAULT_WINDOW_SEC if window is None else window

    @property
    def is_down(self) -> bool:
        """Tell whether it is halted, waiting, retired or not registered: no worker of it loads it for now.

        The frontend's own retries do not count: a model that recovers is not down.
        """
        return self.state in DOWN

    @property
    def down_as(self) -> State | None:
        """Return its state where it is down, of a retired one `State.HALTED` or `State.WAITING` by its marker."""
        if self.state is State.RETIRED and self.marker is not None:
            return State(state_word(self.marker.waits_for))
        return self.state if self.is_down else None

    @property
    def down_since(self) -> float | None:
        """Return when it first failed since it last served, in seconds since the epoch.

        None where it is neither down nor recovering, or where that was not written down.
        """
        if self.registration is None or not (self.is_down or self.state is State.RECOVERING):
            return None
        halted = to_seconds(self.marker.created_at) if self.marker else 0.0
        return down_since(self.registration.records, halted) or None

    @property
    def since(self) -> str | None:
        """Return since when it is in its state, ISO 8601 UTC; None where that was not written down.

        A model that is down is so since it was marked; one that recovers, since it first failed; one
        that serves, since the first of its workers loaded after the last failure; one that starts,
        since its first worker started.
        """
        if self.marker is not None and self.is_down:
            return self.marker.created_at
        if self.state is State.RECOVERING and self.down_since is not None:
            return to_text(self.down_since)
        begins = {State.SERVING: Event.LOADED, State.STARTING: Event.START}.get(self.state)
        first = None
        for record in reversed(self.records):
            if record.is_failure:
                break
            if record.event is begins:
                first = record.at
        return first

    @property
    def next_trial_at(self) -> str | None:
        """Return when its next trial load comes, ISO 8601 UTC; None where none is planned."""
        return self.marker.next_trial_at if self.marker and self.can_be_resumed else None

    @property
    def can_be_resumed(self) -> bool:
        """Tell whether workers of it are held or given up, all or some, so that a resume is of use."""
        if self.not_registered is not None:
            return False
        return self.is_down or self.gave_up or self.marker is not None

    @property
    def lost_workers(self) -> tuple[RunningWorker, ...]:
        """Return the workers that are held or given up while others serve."""
        if self.is_down or not self.can_be_resumed or self.running is None:
            return ()
        if self.marker is not None and self.marker.holds:
            return held_workers(self.running, self.registration)
        return tuple(worker for worker in self.running.workers if not worker.is_ready)

    @property
    def shortfall(self) -> str | None:
        """Return in a sentence which workers those are, or None where there are none."""
        lost = self.lost_workers
        if not lost or self.running is None:
            return None
        over = "retried no more, the frontend's window is over"
        what = "held" if self.marker is not None and self.marker.holds else over
        named = ", ".join(worker.label for worker in lost)
        verb = "is" if len(lost) == 1 else "are"
        return f"{len(lost)} of {len(self.running.workers)} workers {verb} {what}: {named}"

    @property
    def window_over(self) -> str | None:
        """Return in a sentence that it is down for no other reason than the frontend's window."""
        held = self.marker is not None and self.marker.holds
        if held or not self.is_down or not (self.gave_up or self.marker is not None):
            return None
        return "the frontend's retry window is over, it starts no worker any more"

    @property
    def out_of_reach(self) -> str | None:
        """Return why nothing of ours runs in its workers, in a sentence; None where it can."""
        return None if self.running is None else self.running.out_of_reach

    @property
    def report(self) -> Marker | Record | None:
        """Return the whole report on the last failure: the marker, else the journal's, or None."""
        if self.registration is None:
            return None
        return self.marker or self.registration.history.last_failure

    @property
    def cause(self) -> str | None:
        """Return the last failure in one line: its type and its message; else why it is not registered."""
        return self._cause(None)

    @property
    def short_cause(self) -> str | None:
        """Return the same, a long one cut to its first line and what is left of it in numbers."""
        return self._cause(CAUSE_LENGTH)

    def _cause(self, limit: int | None) -> str | None:
        if self.not_registered is not None:
            return self.not_registered.cause
        found = self.exception
        return None if found is None else cause_line(found.type, found.message, limit)

    @property
    def repaired_at(self) -> str | None:
        """Return when a model that serves loaded after its last failure, ISO 8601 UTC; None for others."""
        if self.state is not State.SERVING or self.can_be_resumed:
            return None
        repaired = None
        for record in reversed(self.records):
            if record.is_failure:
                return repaired
            if record.event is Event.LOADED:
                repaired = record.at
        return None

    @property
    def judged(self) -> str | None:
        """Return the verdict on the last failure and what decided, or None where there is none."""
        report = self.report
        if report is None or report.verdict is None or report.basis is None:
            return None
        return verdict_line(report.verdict, report.basis, report.rule)

    @property
    def decided_by(self) -> str | None:
        """Return what the verdict rests on, or None where there is none."""
        report = self.report
        if report is None or report.basis is None:
            return None
        return decided_by(report.basis, report.rule)

    @property
    def fingerprint(self) -> str | None:
        """Return the fingerprint of the last failure, or None where there is none."""
        return self.report.fingerprint if self.report else None

    @property
    def exception(self) -> ExceptionRecord | None:
        """Return what failed last, as far as that was kept."""
        return self.report.exception if self.report else None

    @property
    def failing_line(self) -> FailingLine | None:
        """Return where in the model's own code it failed last, as far as that was kept."""
        if self.exception is None:
            return None
        return self.exception.at or failing_line(
            self.exception, self.marker.model_dir if self.marker else None
        )

    @property
    def _remedy(self) -> str | None:
        if self.not_registered is not None:
            return self.not_registered.remedy
        return self.report.remedy if self.report else None

    def to_json(self) -> dict[str, Any]:
        """Return the keys of the contract, in its order."""
        history = self.registration.history if self.registration else None
        report = self.report
        reason = (report.reason if report else None) or self.out_of_reach
        if self.not_registered is not None:
            reason = f"TorchServe could not register it: {self.not_registered.cause}"
        ahead = self.shortfall or self.window_over
        if ahead:
            reason = f"{ahead}. {reason or ''}".rstrip()
        exception = self.exception
        last = history.last_failure if history else None
        content: dict[str, Any] = {
            "model": self.model,
            "version": self.version,
            "state": self.state.value,
            "action": self.marker.action if self.marker else None,
            # Unknown is not zero.
            "worker_starts": history.worker_starts if history else None,
            "loads": history.loads if history else None,
            "failures": history.failures if history else None,
        }
        content.update((name, getattr(report, name, None)) for name in _JUDGED)
        content["exception"] = (
            {"type": exception.type, "message": exception.message} if exception else None
        )
        content.update(
            reason=reason,
            remedy=self._remedy,
            max_retry_timeout_sec=self.max_retry_timeout_sec,
            max_retry_timeout_source=self.max_retry_timeout_source,
            first_failure=history.first_failure if history else None,
            last_failure=last.at if last else None,
            at=self.failing_line._asdict() if self.failing_line else None,
            since=self.since,
            waits_for=list(self.marker.waits_for) if self.marker else [],
            next_trial_at=self.marker.next_trial_at if self.marker else None,
            trials=history.trials if history else None,
            repaired_at=self.repaired_at,
        )
        return content
