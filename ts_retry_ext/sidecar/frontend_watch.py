"""Follow what one frontend says: all of it from time to time, what is moving more often."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Callable, Collection, Iterable, Sequence

from psutil import pid_exists

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.sidecar.client import Client
from ts_retry_ext.sidecar.picture import FrontendHealth
from ts_retry_ext.sidecar.target import Target
from ts_retry_ext.sidecar.windows import Windows
from ts_retry_ext.snapshot.model import NotRegistered
from ts_retry_ext.snapshot.take import missing_from

log = logging.getLogger(__name__)

_WELL = Condition.OK

#: An answer that takes longer is called slow; a healthy frontend takes milliseconds.
SLOW_SEC = 1.0
#: How often it is looked whether there is something to ask.
SHORT_SEC = 2.0
#: Each question is a line in the server's access log. What workers do shows in the state directory and
#: in their processes, so a server whose processes can be seen is asked for all of its models once in so
#: many seconds for each question that this takes: four lines a minute.
SEC_A_QUESTION = 15.0
#: How often such a server is asked for ``/ping``, for the models whose state is changing, and at
#: least that often the picture is made anew: time is a change too.
PING_SEC, MOVING_SEC, TELL_SEC = 12.0, 10.0, 10.0
#: How often one is asked for all of its models whose processes cannot be seen.
FULL_SEC = 10.0
#: A full round takes at most one part in so many of the time.
SHARE = 50
#: But there it is never longer away than this.
LONGEST_SEC = 60.0
#: A worker writes to its journal before it answers the frontend.
SETTLE_SEC = 0.15


class FrontendWatch:
    """What one frontend says.

    Attributes:
        running: its models by name; None where it does not tell.
        last_known: its models when it last told.
        windows: the windows in force.
        missing: the models that it was started with and could not register.
        looked_at: when it last told of its models, seconds since the epoch, or None.

    Args:
        changed: is called when any of this has changed.
        moving: names the models whose state is changing.
        recorded: names the models whose workers wrote something.
    """

    def __init__(
        self,
        target: Target,
        changed: Callable[[], None],
        moving: Callable[[], Iterable[str]],
        recorded: Callable[[], Collection[str]],
    ) -> None:
        self.client = Client(target.endpoint)
        self.windows = Windows(target.server)
        self.running: dict[str, list[RunningModel]] | None = None
        self.last_known: dict[str, list[RunningModel]] = {}
        self.health = FrontendHealth(Condition.STARTING, "the frontend has not been asked yet")
        self.torchserve: str | None = None
        self.looked_at: float | None = None
        self._changed = changed
        self._moving = moving
        self._recorded = recorded
        self.missing: Sequence[NotRegistered] = ()
        self._server = target.server
        self._sees_processes = target.server.sees_processes
        self._wanted: set[str] = set()
        self._gone: set[int] = set()
        self._wake = asyncio.Event()

    def want(self, names: Iterable[str]) -> None:
        """Ask for these models soon: something has happened to them."""
        self._wanted.update(names)
        self._wake.set()

    async def follow(self) -> None:
        """Follow the frontend until canceled. Never ends because of what it answers."""
        full_at = ping_at = moving_at = tell_at = listed_at = 0.0
        while True:
            begun = time.monotonic()
            health, running = self.health, self.running
            is_full = begun >= full_at
            self._wanted.update(self._without_process())
            if begun >= moving_at:
                self._wanted.update(self._moving())
                moving_at = begun + (MOVING_SEC if self._sees_processes else SHORT_SEC)
            try:
                if self.missing and not is_full and begun >= listed_at:
                    # One that somebody registers without workers, or unregisters, shows nowhere else.
                    listed_at = begun + MOVING_SEC
                    is_full = self._may_be_over(await self.client.list_models())
                if is_full or self._wanted or begun >= ping_at or health.condition is not _WELL:
                    ping_at = begun + (PING_SEC if self._sees_processes else SHORT_SEC)
                    if is_full:
                        questions = await self._look_at_all()
                        took = time.monotonic() - begun
                        full_at = begun + self._until_next(questions, took)
                    else:
                        await self._look_at_wanted()
                    health = await self._ping()
            except ManagementError as error:
                self.running = None
                full_at = 0.0
                health = await self._failed(error)
            if health != self.health:
                self._tell(health)
                self.health = health
                self._changed()
            elif begun >= tell_at or self.running is not running:
                # Time is a change too: a retry that does not come, a resumption nobody finishes.
                self._changed()
                tell_at = begun + TELL_SEC
            await self._pause(SHORT_SEC)

    def _may_be_over(self, names: Collection[str]) -> bool:
        """Tell whether a model that was missing is registered now, or is listed no more."""
        return any((one.model in names) is (one.running is None) for one in self._of_one_version())

    def _of_one_version(self) -> list[NotRegistered]:
        """Return those that are missing, but versions of a model that is registered in another."""
        have = self.running or {}
        return [one for one in self.missing if one.running is not None or one.model not in have]

    def _until_next(self, questions: int, took_sec: float) -> float:
        """Return after how many seconds all models are asked for again."""
        if self._sees_processes:
            return max(SEC_A_QUESTION * questions, took_sec * SHARE)
        return min(LONGEST_SEC, max(FULL_SEC, took_sec * SHARE))

    def _without_process(self) -> set[str]:
        """Return the models of whose workers one has lost its process since this was asked for."""
        if not self._sees_processes or self.running is None:
            return set()
        gone = {
            worker.pid: name
            for name, versions in self.running.items()
            for model in versions
            for worker in model.workers
            if worker.pid is not None and not pid_exists(worker.pid)
        }
        found = {name for pid, name in gone.items() if pid not in self._gone}
        self._gone = set(gone)
        return found

    async def _pause(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._wake.wait(), seconds)
            await asyncio.sleep(SETTLE_SEC)
        except asyncio.TimeoutError:
            pass
        self._wake.clear()

    async def _look_at_all(self) -> int:
        """Ask for every model, and return how many questions that took."""
        if self.torchserve is None:
            self.torchserve = await self.client.torchserve_version()
        self._wanted.clear()
        # The list has no functions of a workflow.
        names = [*await self.client.list_models(), *self._recorded()]
        found = await self.client.describe_many(names)
        running = {name: models for name, models in sorted(found.items()) if models}
        await self._keep(running, [m for models in running.values() for m in models], True)
        return 1 + len(names)

    async def _look_at_wanted(self) -> None:
        wanted = set(self._wanted)
        self._wanted.clear()
        if wanted:
            await self.look_at(wanted)

    async def look_at(self, wanted: Iterable[str]) -> None:
        """Ask for these models now.

        Raises:
            ManagementError: the frontend does not tell.
        """
        found = await self.client.describe_many(wanted)
        running = dict(self.last_known if self.running is None else self.running)
        running.update(found)
        running = {name: models for name, models in sorted(running.items()) if models}
        await self._keep(running, [m for models in found.values() for m in models], False)

    async def _keep(
        self, running: dict[str, list[RunningModel]], seen: list[RunningModel], complete: bool
    ) -> None:
        def refresh() -> None:
            self.windows.refresh(seen, all_of_them=complete)
            have = [model for models in running.values() for model in models]
            self.missing = missing_from(self._server, have, self._recorded())

        # Archives are read from disk.
        await asyncio.get_running_loop().run_in_executor(None, refresh)
        self.running = self.last_known = running
        self.looked_at = time.time()

    async def _ping(self) -> FrontendHealth:
        begun = time.monotonic()
        try:
            ping = await self.client.ping()
        except ManagementError as error:
            # Its management API answers, so that it is not away.
            if error.condition in (Condition.REFUSED, Condition.EXPIRED_KEY):
                return FrontendHealth(Condition.OK)
            return FrontendHealth(error.condition, str(error))
        took = time.monotonic() - begun
        if took > SLOW_SEC:
            return FrontendHealth(
                Condition.SLOW, f"the frontend took {took:.1f} s to answer /ping", ping
            )
        return FrontendHealth(Condition.OK, None, ping)

    async def _failed(self, error: ManagementError) -> FrontendHealth:
        """Return how the frontend does that did not tell of its models."""
        ping = None
        if error.condition is not Condition.AWAY:
            try:
                ping = await self.client.ping()
            except ManagementError:
                pass
        return FrontendHealth(error.condition, str(error), ping)

    def _tell(self, health: FrontendHealth) -> None:
        if health.condition is Condition.OK:
            if self.health.condition is not Condition.OK:
                log.info("the frontend answers")
        elif health.condition is not self.health.condition:
            log.warning("frontend %s: %s", health.condition.value, health.words)
