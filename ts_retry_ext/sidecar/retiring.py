"""Retire halted models, and give back what was taken where somebody was interrupted.

With ``on_fatal=retire`` a model is scaled to 0 once its workers hold, so that clients get 503 at
once. What is to be done follows from the picture alone, never from what this process remembers:
``retired.json`` is written before the model is scaled down and removed after it was scaled up
again. So a sidecar that was killed in between, and one started anew, find what is left to do.
"""

from __future__ import annotations

import asyncio
import logging
import time
from dataclasses import dataclass
from enum import Enum

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.restart import SCALE_TIMEOUT_SEC
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.sidecar.resumptions import Resumptions
from ts_retry_ext.snapshot.join import back_offs, died_by_its_words
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus
from ts_retry_ext.store.back_off import DiedBy
from ts_retry_ext.store.retired import forget_retired, write_retired
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.store.worker_states import holders_of

log = logging.getLogger(__name__)

#: How long a resumption that somebody else began is given to scale the model up itself.
PATIENCE_SEC = 5.0
#: Likewise, where it has not yet removed the marker: it may be waiting for workers to end.
STALE_SEC = SCALE_TIMEOUT_SEC + 30.0
#: After a failure, such as a frontend that is away.
AGAIN_SEC = 5.0


class Step(str, Enum):
    """What is to be done with a model."""

    RETIRE = "retire"
    GIVE_BACK = "give-back"
    FORGET = "forget"


def next_step(model: ModelStatus, now: float, died_by: DiedBy | None) -> Step | None:
    """Return what is to be done with a model, or None where nothing is.

    Args:
        died_by: tells by when a process has died; None where processes cannot be seen from here.
    """
    registration, running = model.registration, model.running
    if registration is None or running is None:
        return None
    marker, retired = registration.marker, registration.retired
    if running.min_workers == 0:
        if retired is None or (marker is not None and marker.action == OnFatal.RETIRE):
            return None
        patience = PATIENCE_SEC if marker is None else STALE_SEC
        return Step.GIVE_BACK if _age(retired.at, now) > patience else None
    if marker is not None and marker.action == OnFatal.RETIRE:
        return Step.RETIRE if _all_hold(model, now, died_by) else None
    if retired is not None and _age(retired.at, now) > STALE_SEC:
        return Step.FORGET
    return None


def _all_hold(model: ModelStatus, now: float, died_by: DiedBy | None) -> bool:
    """Tell whether every worker holds, or is not retried any more."""
    registration, running = model.registration, model.running
    if registration is None or running is None or not running.workers:
        return False
    holding = holders_of(registration.records, released=False)
    others = [worker for worker in running.workers if worker.pid not in holding]
    if not others:
        return True
    if any(worker.is_ready for worker in others):
        return False
    waiting = [state for state in back_offs(model) if state.pid not in holding]
    if len(waiting) < len(others):
        return False  # Not known to be over is not over.
    died = died_by or died_by_its_words(registration)
    return all(state.has_given_up(model.window_sec, now, died) for state in waiting)


@dataclass(frozen=True)
class _Failure:
    at: float
    words: str


class Retiring:
    """Does what `next_step` says, for each model one step at a time."""

    def __init__(self, observer: Observer, resumptions: Resumptions) -> None:
        self._observer = observer
        self._resumptions = resumptions
        self._tasks: dict[ModelKey, asyncio.Task[None]] = {}
        self._failures: dict[ModelKey, _Failure] = {}

    def consider(self, picture: Picture) -> None:
        """Begin what is to be done according to a picture."""
        target = self._observer.target
        if target is None:
            return
        now = time.time()
        for model in picture.models:
            key = model.key
            failure = self._failures.get(key)
            busy = key in self._tasks or key in self._resumptions.running()
            if busy or (failure is not None and now - failure.at < AGAIN_SEC):
                continue
            deaths = self._observer.deaths if target.server.sees_processes else None
            step = next_step(model, now, deaths)
            if step is not None:
                task = asyncio.get_running_loop().create_task(self._do(step, model))
                self._tasks[key] = task

    async def stop(self) -> None:
        """Leave what is not done to whoever comes next."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, step: Step, model: ModelStatus) -> None:
        key = model.key
        watch, registration, running = self._observer.watch, model.registration, model.running
        if watch is None or registration is None or running is None:
            self._tasks.pop(key, None)
            return
        name = f"{model.model} {model.version}"
        directory = registration.directory
        try:
            if step is Step.RETIRE:
                low, high = running.min_workers, max(running.min_workers, running.max_workers)
                write_retired(directory, low, high)
                await watch.client.scale(model.model, model.version, 0, 0, synchronous=False)
                log.warning(
                    "%s is retired: scaled from %d..%d workers to 0; %s. Unless the server runs "
                    "with --ncs, its config snapshot now holds the 0. Then: ts-retry resume %s",
                    name, low, high, model.cause, model.model,
                )  # fmt: skip
            elif step is Step.GIVE_BACK and registration.retired is not None:
                low, high, _ = registration.retired
                await watch.client.scale(model.model, model.version, low, high, synchronous=False)
                forget_retired(directory)
                log.info("%s has its %d..%d workers back", name, low, high)
            elif step is Step.FORGET:
                forget_retired(directory)
            self._failures.pop(key, None)
            # The picture of before must not be acted on again.
            await watch.look_at([model.model])
        except (ManagementError, OSError) as error:
            words = f"{name}: cannot {step.value}: {error}"
            known = self._failures.get(key)
            if known is None or known.words != words:
                log.warning("%s", words)
            self._failures[key] = _Failure(time.time(), words)
        finally:
            self._tasks.pop(key, None)
            watch.want([model.model])


def _age(at: str, now: float) -> float:
    """Return how old what was written `at` is; what lies in the future is as far off: the clock was set."""
    try:
        return abs(now - to_seconds(at))
    except ValueError:
        return now
