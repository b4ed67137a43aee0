"""How far the frontend is with a worker that it retries, and what stock TorchServe would do."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ts_retry_ext.archive.schedule import retry_times
from ts_retry_ext.snapshot.join import back_offs
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_seconds, to_text


@dataclass(frozen=True)
class Recovery:
    """Where one worker stands in the frontend's retry schedule.

    Attributes:
        stops: how often it has stopped since it last served.
        first_stop_at: when its window began, seconds since the epoch.
        next_retry_at: when it is started next; None while its newest process still runs.
        window_ends_at: a stop after this is not retried.
        elapsed_sec: how much of the window has run.
    """

    stops: int
    first_stop_at: float
    next_retry_at: float | None
    window_ends_at: float
    elapsed_sec: float

    def to_json(self) -> dict[str, Any]:
        """Return it with times as ISO 8601 UTC, and without what changes by itself."""
        return {
            "stops": self.stops,
            "first_stop_at": to_text(self.first_stop_at),
            "next_retry_at": None if self.next_retry_at is None else to_text(self.next_retry_at),
            "window_ends_at": to_text(self.window_ends_at),
        }


def recovery_of(model: ModelStatus, now: float) -> tuple[Recovery, ...]:
    """Return where the workers of a recovering model stand; () for any other model."""
    if model.state is not State.RECOVERING:
        return ()
    found = []
    for state in back_offs(model):
        if state.first_stop_at is None:
            continue
        ended = state.ended_at
        found.append(
            Recovery(
                stops=state.stops + (ended is not None),
                first_stop_at=state.first_stop_at,
                next_retry_at=None if ended is None else ended + state.next_wait_sec,
                window_ends_at=state.first_stop_at + model.window_sec,
                elapsed_sec=max(0.0, now - state.first_stop_at),
            )
        )
    return tuple(sorted(found, key=lambda recovery: recovery.first_stop_at))


def starts_saved(model: ModelStatus, now: float) -> int | None:
    """Return how many more worker starts stock TorchServe would have made until `now`, trials included.

    None where no worker wrote anything. Counted from the first failure since the model last served,
    with the frontend's schedule and the time that the model's own loads took to fail.
    """
    if model.registration is None:
        return None
    if not model.is_down or model.marker is None:
        return 0
    records = model.records
    served = max((i for i, r in enumerate(records) if r.event is Event.LOADED), default=-1)
    since = records[served + 1 :]
    failed = [to_seconds(r.at) for r in since if r.event is Event.FAILURE]
    failed = failed or [to_seconds(model.marker.created_at)]
    workers = {r.socket for r in since if r.socket is not None}
    starts = [r for r in since if r.event in (Event.START, Event.HOLD, Event.TRIAL)]
    began = [to_seconds(r.at) for r in since if r.event is Event.START]
    load_sec = max(0.0, failed[0] - began[0]) if began else 0.0
    elapsed = now - failed[0]
    stock = 1
    for at in retry_times(model.window_sec, load_sec):
        if at > elapsed:
            break
        stock += 1
    return max(0, stock * max(1, len(workers)) - len(starts))
