"""Resume models, each once at a time and many side by side, and remember how it went."""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from dataclasses import dataclass
from typing import Callable, Iterable, TypeVar

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus
from ts_retry_ext.snapshot.real_load import Resumption
from ts_retry_ext.snapshot.resumption import outcome_in_words, resume, served_copy

log = logging.getLogger(__name__)
T = TypeVar("T")

#: How long a model is given to serve again.
TIMEOUT_SEC = 120.0
#: Models that are resumed at a time; their trial loads come one after another.
SIDE_BY_SIDE = 16
#: How long a resumption that has ended is shown, in seconds.
SHOWN_SEC = 600.0
_MOST_STEPS = 20


@dataclass(frozen=True)
class ResumeProgress:
    """A resumption that runs or has ended.

    Attributes:
        result: ``resuming``, ``serves``, ``failed-again``, ``not-yet`` or ``failed``.
        message: the last step, in words.
        at: when that was, seconds since the epoch.
        steps: every step: when, likewise, and what; the newest last.
    """

    model: str
    version: str
    result: str
    message: str
    at: float
    steps: tuple[tuple[float, str], ...] = ()

    @property
    def is_running(self) -> bool:
        """Tell whether it has not ended."""
        return self.result == RESUMING

    def in_words(self) -> str:
        """Return the model and the last step; the words of an outcome have the model as their subject."""
        colon = ":" if self.result in (RESUMING, FAILED) else ""
        return f"{self.model} {self.version}{colon} {self.message}"

    def to_json(self) -> dict[str, object]:
        """Return the keys that ``ts-retry resume --json`` has as well."""
        names = ("model", "version", "result", "message")
        return {name: getattr(self, name) for name in names}


RESUMING, FAILED = "resuming", "failed"


class Resumptions:
    """The resumptions that somebody asked this sidecar for."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._progress: dict[ModelKey, ResumeProgress] = {}
        self._tasks: dict[ModelKey, asyncio.Task[None]] = {}
        self._turns: asyncio.Semaphore | None = None

    def shown(self, now: float) -> dict[ModelKey, ResumeProgress]:
        """Return the resumptions that run or have ended a short while ago, by model."""
        known = self._progress.items()
        return {k: one for k, one in known if one.is_running or now - one.at < SHOWN_SEC}

    def running(self) -> frozenset[ModelKey]:
        """Return the models that are being resumed."""
        return frozenset(key for key, task in self._tasks.items() if not task.done())

    def start(self, models: Iterable[ModelStatus]) -> list[ResumeProgress]:
        """Begin to resume models, those left out where that is under way."""
        told = []
        for model in models:
            key = model.key
            task = self._tasks.get(key)
            if task is None or task.done():
                self._progress.pop(key, None)
                self._note(key, RESUMING, "asked for", publish=False)
                self._tasks[key] = asyncio.get_running_loop().create_task(self._in_turn(model))
            told.append(self._progress[key])
        self._observer.publish()
        return told

    async def wait(self, key: ModelKey, seconds: float) -> ResumeProgress:
        """Return how a resumption went, or where it is after so many seconds."""
        await asyncio.wait([self._tasks[key]], timeout=seconds)
        return self._progress[key]

    async def stop(self) -> None:
        """Wait for nothing any more; a thread that scales ends by itself."""
        for task in self._tasks.values():
            task.cancel()
        await asyncio.gather(*self._tasks.values(), return_exceptions=True)

    async def _in_turn(self, model: ModelStatus) -> None:
        if (
            self._turns is None
        ):  # Before Python 3.10 one belongs to the loop that runs when it is made.
            self._turns = asyncio.Semaphore(SIDE_BY_SIDE)
        async with self._turns:
            await self._resume(model)

    async def _resume(self, model: ModelStatus) -> None:
        key = model.key
        target, watch = self._observer.target, self._observer.watch
        if target is None or watch is None:
            self._note(key, FAILED, "there is no server")
            return
        loop = asyncio.get_running_loop()

        def tell(text: str) -> None:
            loop.call_soon_threadsafe(self._note, key, RESUMING, text)

        def work() -> Resumption:
            return resume(
                target.server,
                ManagementApi(target.endpoint),
                model,
                timeout_sec=TIMEOUT_SEC,
                tell=tell,
            )

        try:
            done = await _in_daemon_thread(work)
        except (ManagementError, OSError) as error:
            self._note(key, FAILED, str(error))
            return
        finally:
            watch.want([model.model])
        configuration = target.server.configuration
        words = outcome_in_words(done, timeout_sec=TIMEOUT_SEC, now=time.time())
        note = served_copy(done, configuration)
        self._note(key, done.result.value, f"{words} {note}" if note else words)

    def _note(self, key: ModelKey, result: str, message: str, *, publish: bool = True) -> None:
        name, version = key
        log.info("resume %s %s: %s", name, version, message)
        now = time.time()
        before = self._progress[key].steps if key in self._progress else ()
        steps = (*before, (now, message))[-_MOST_STEPS:]
        self._progress[key] = ResumeProgress(name, version, result, message, now, steps)
        if publish:
            self._observer.publish()


async def _in_daemon_thread(work: Callable[[], T]) -> T:
    """Return what `work` returns, or raise what it raises.

    The executor of asyncio is joined at the interpreter's exit, so that a SIGTERM would have to wait
    for a model to load. Whoever is canceled no longer waits; the thread ends by itself.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: BaseException | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, raised = None, None
        try:
            result = work()
        except BaseException as error:
            raised = error
        try:
            loop.call_soon_threadsafe(settle, result, raised)
        except RuntimeError:
            pass  # The loop has ended.

    threading.Thread(target=run, daemon=True).start()
    return await future
