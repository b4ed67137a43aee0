"""Let the workers of a model load it for real: by the frontend's own retry, or by new workers.

Removing the marker is enough while the frontend still retries: the holder leaves, and the
frontend starts a normal worker. Where its window is over, or its next wait is long, the model is
scaled down and up again through the management API, which makes new workers with a new window.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from enum import Enum
from typing import Callable, Sequence

from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.frontend.restart import own_numbers, restart_workers
from ts_retry_ext.snapshot.join import back_offs, back_offs_in
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.store.back_off import GRACE_SEC
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.marker import Marker, end_halt
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.worker_states import holders_of, unfinished_loads

POLL_SEC = 0.5
#: A longer wait of the frontend's is not waited for: scaling is faster.
LONGEST_WAIT_SEC = 5
REASON = "ts-retry resume"


class ResumeResult(str, Enum):
    """How a resumption went."""

    SERVES = "serves"
    FAILED_AGAIN = "failed-again"
    NOT_YET = "not-yet"


@dataclass(frozen=True)
class Resumption:
    """What came of a resumption.

    Attributes:
        status: the model at the end; None where it is not registered any more.
        scaled: whether the model was scaled down and up.
    """

    result: ResumeResult
    status: ModelStatus | None
    scaled: bool
    seconds: float


def let_load(
    server: ObservedServer,
    api: ManagementApi,
    status: ModelStatus,
    *,
    timeout_sec: float,
    tell: Callable[[str], None],
    reason: str = REASON,
    spare_those_that_serve: bool = False,
) -> Resumption:
    """Let the workers of a model load it again, and wait until it serves or fails anew.

    Args:
        reason: who or what lets them, for the journal.
        spare_those_that_serve: whether workers that serve are left as they are, so that the others
            come back by the frontend's retry or not at all.

    Raises:
        ManagementError: the API cannot be reached or refuses.
        OSError: the marker cannot be removed, or somebody keeps the registration's lock.
    """
    begun = time.monotonic()
    directory = status.directory
    if directory is not None:
        with locked(directory, timeout_sec):
            pass  # Nobody keeps it, so that nothing is scaled in vain.
    marker = status.marker
    is_retried = marker is not None and frontend_retries(status.records, marker)
    if status.running is None and not is_retried:
        # Without the API nothing can be scaled, and a holder that leaves would leave nobody.
        told = model_status(server, api, status.model, status.version, directory=directory)
        if told is None:
            return Resumption(ResumeResult.NOT_YET, None, False, time.monotonic() - begun)
        status = told
    may_scale = not (spare_those_that_serve and _serve(status))
    scaled = may_scale and status.running is not None and _needs_scaling(status)
    if scaled:
        _restart(api, status, tell, reason)
    else:
        tell("its halt has ended: TorchServe's own retry starts its workers")
        _end_halt(status, reason)
    now: ModelStatus | None = status
    holders = holders_in(status)
    grace = _grace_sec(status)
    failed = _last_failure(status)
    has_process = _has_process if server.sees_processes else _has_started
    while time.monotonic() - begun < timeout_sec:
        time.sleep(POLL_SEC)
        now = model_status(server, api, status.model, status.version, directory=directory)
        idle = time.monotonic() - begun > LONGEST_WAIT_SEC + grace
        is_down = now is not None and now.can_be_resumed and _last_failure(now) == failed
        is_left = now is not None and idle and not has_process(now)
        if now is not None and may_scale and not scaled and (is_down or is_left):
            # No load has failed since, and none comes: the frontend measures its window from its own moment.
            scaled = True
            _restart(api, now, tell, reason)
            continue
        result = result_of(now, holders)
        if result is not None:
            return Resumption(result, now, scaled, time.monotonic() - begun)
    return Resumption(ResumeResult.NOT_YET, now, scaled, time.monotonic() - begun)


def frontend_retries(records: Sequence[Record], marker: Marker) -> bool:
    """Tell whether the frontend starts a worker once its holder has left."""
    window = marker.max_retry_timeout_sec
    window = DEFAULT_WINDOW_SEC if window is None else window
    return any(not state.is_over(window, time.time()) for state in back_offs_in(records))


def result_of(status: ModelStatus | None, holders: set[int]) -> ResumeResult | None:
    """Return how it went, or None while that is open."""
    if status is None:
        return ResumeResult.NOT_YET
    if status.can_be_resumed:
        return ResumeResult.FAILED_AGAIN
    workers = status.running.workers if status.running else ()
    # A worker that rejects requests counts as ready for the frontend until it leaves.
    leaving = any(worker.is_ready and worker.pid in holders for worker in workers)
    return ResumeResult.SERVES if status.state is State.SERVING and not leaving else None


def _serve(status: ModelStatus) -> bool:
    """Tell whether a worker of the model has loaded it; one that rejects requests has not."""
    holders = holders_in(status)
    workers = status.running.workers if status.running else ()
    return any(worker.is_ready and worker.pid not in holders for worker in workers)


def holders_in(status: ModelStatus) -> set[int]:
    """Return the process ids of those that took a worker's place instead of loading the model."""
    return holders_of(status.records)


def _needs_scaling(status: ModelStatus) -> bool:
    """Tell whether the frontend would start no worker, or not soon, once the holders have left.

    Decided while they still hold: no retry is scheduled then that could come in between.
    """
    if status.gave_up or (status.running is not None and status.running.min_workers == 0):
        return True
    if any(record.asynchronous for record in status.records):
        return True  # With asyncCommunication nothing is retried (0.12.0).
    now = time.time()
    return any(
        state.is_over(status.window_sec, now) or state.next_wait_sec > LONGEST_WAIT_SEC
        for state in back_offs(status)
    )


def _last_failure(status: ModelStatus) -> Record | None:
    return status.registration.history.last_failure if status.registration else None


def _grace_sec(status: ModelStatus) -> float:
    """Return how long a worker may take until its first word, which a launcher makes longer."""
    return max((state.grace_sec for state in back_offs(status)), default=GRACE_SEC)


def _restart(
    api: ManagementApi, status: ModelStatus, tell: Callable[[str], None], reason: str
) -> None:
    """Replace all workers of a model, with the numbers it had."""
    running, registration = status.running, status.registration
    low, high = own_numbers(
        running.min_workers if running else 0,
        running.max_workers if running else 1,
        registration.retired if registration else None,
    )
    ready = sum(worker.is_ready for worker in running.workers) if running else 0
    others = f"; {ready} that served are restarted too" if ready else ""
    tell(
        "TorchServe does not retry it, or not soon, so it is scaled to 0 workers and back to "
        f"{low}{others}"
    )
    restart_workers(
        api,
        status.model,
        status.version,
        low,
        high,
        directory=status.directory,
        between=lambda: _end_halt(status, reason),
    )


def _end_halt(status: ModelStatus, reason: str) -> None:
    if status.directory is not None:
        end_halt(status.directory, model=status.model, version=status.version, reason=reason)


def _has_process(status: ModelStatus) -> bool:
    """Tell whether a process of the model's workers is alive.

    The frontend knows a process only once it has imported torch, its journal from its first moment.
    """
    import psutil

    if any(is_alive(attempt.pid, attempt.start) for attempt in unfinished_loads(status.records)):
        return True
    workers = status.running.workers if status.running else ()
    return any(worker.pid is not None and psutil.pid_exists(worker.pid) for worker in workers)


def _has_started(status: ModelStatus) -> bool:
    """Tell from the journal whether a worker has started since the marker was removed."""
    events = [record.event for record in status.records]
    since = events[::-1].index(Event.RESUME) if Event.RESUME in events else 0
    return Event.START in events[len(events) - since :]
