"""Observe one server: find it, follow its files and its frontend, and keep the picture of it."""

from __future__ import annotations

import asyncio
import logging
import time
from collections import Counter
from dataclasses import replace
from typing import Awaitable, Callable, Mapping, Sequence

from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.other_process import Deaths
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.sidecar.frontend_watch import FrontendWatch
from ts_retry_ext.sidecar.observation import Observation, StartUp, picture_of
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.sidecar.state_files import FileEvents, StateFiles
from ts_retry_ext.sidecar.target import NoTargetError, SidecarOptions, Target, find_target
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.registration_files import still_registered
from ts_retry_ext.snapshot.server_snapshot import Snapshot
from ts_retry_ext.snapshot.state import State

log = logging.getLogger(__name__)

#: How often the server is looked for, or looked after.
FIND_SEC = 1.0
#: Likewise, for a server whose process cannot be seen: whether it can, or another run began.
FIND_UNSEEN_SEC = 2.0
#: How often files are looked at although no event came.
SCAN_SEC = 1.0
#: Looking takes at most one part in so many of the time.
SCAN_SHARE = 50
#: How often a state directory is looked for that is not there yet.
MISSING_SEC = 0.2
#: Between two looks at the files, however many events come.
SHORTEST_SEC = 0.05
_MOVING = (State.STARTING, State.RECOVERING)


class Observer:
    """Observes one server.

    Attributes:
        target: the server, or None while there is none.
        watch: what its frontend says, or None.
        ended: is set when the server has ended and the sidecar is to end with it.
        listeners: are called with each new picture.
        deaths: since when it has seen processes dead.
    """

    def __init__(self, options: SidecarOptions) -> None:
        self.options = options
        self.target: Target | None = None
        self.watch: FrontendWatch | None = None
        self.ended = asyncio.Event()
        self.listeners: list[Callable[[Picture], None]] = []
        self.picture = Picture(
            0,
            time.time(),
            Snapshot(None, ()),
            (),
            FrontendHealth(Condition.STARTING, "just started"),
        )
        self.deaths = Deaths()
        self._files = StateFiles()
        self._start_up = StartUp()
        self._following: list[asyncio.Task[None]] = []
        self._server_runs = False
        self._not_found: str | None = None
        self._files_changed = asyncio.Event()

    async def run(self) -> None:
        """Observe until canceled, or until the server ends where the sidecar is to end with it."""
        try:
            while not self.ended.is_set():
                try:
                    await self._look_after_server()
                except OSError as error:
                    # No descriptor is left, for example: that says nothing about the server.
                    self._miss(f"cannot look after the server: {error}")
                unseen = self.target is not None and not self.target.server.sees_processes
                await asyncio.sleep(FIND_UNSEEN_SEC if unseen else FIND_SEC)
        finally:
            await self._leave()

    async def _look_after_server(self) -> None:
        target = self.target
        if target is not None and target.is_running():
            return
        if target is not None and target.server.sees_processes and self._server_runs:
            log.warning("the server, process %d, has ended", target.server.frontend.pid)
            self._server_runs = False
            await self._stop_asking()
            self.publish()
            if self.options.exit_with_server:
                self.ended.set()
                return
        try:
            found = await asyncio.get_running_loop().run_in_executor(
                None, find_target, self.options
            )
        except NoTargetError as error:
            self._miss(str(error))
            return
        if target is None or found != target:
            await self._adopt(found)

    def _miss(self, why: str) -> None:
        if why != self._not_found:
            log.warning("%s", why)
            self._not_found = why
            self.publish()

    async def _adopt(self, target: Target) -> None:
        """Turn to a server: one found first, or another run of it."""
        await self._leave()
        self._not_found = None
        self._server_runs = True
        self.target = target
        where = "" if target.server.sees_processes else ", whose process cannot be seen"
        pid = target.server.frontend.pid
        log.info(
            "observing process %d%s, management API %s", pid, where, target.endpoint.management
        )
        self._files = StateFiles()
        self._start_up = StartUp()
        self.watch = FrontendWatch(target, self.publish, self._moving, self._files.names)
        loop = asyncio.get_running_loop()
        self._following = [
            loop.create_task(_for_ever(lambda: self._follow_files(target))),
            loop.create_task(_for_ever(self.watch.follow)),
        ]

    async def _follow_files(self, target: Target) -> None:
        loop = asyncio.get_running_loop()
        events = FileEvents(loop, self._files_changed.set)
        follow_up = False
        try:
            while True:
                self._files_changed.clear()
                begun = time.monotonic()
                directories = target.server.run_dirs
                await loop.run_in_executor(None, events.watch, directories)
                changed = await loop.run_in_executor(None, self._files.scan, directories)
                took = time.monotonic() - begun
                if changed:
                    self._tell_watch(changed)
                    self.publish()
                pause = max(SCAN_SEC, took * SCAN_SHARE)
                if not directories or follow_up:
                    # A file made in a new directory can come before the watch of that directory.
                    pause = MISSING_SEC
                follow_up = False
                try:
                    await asyncio.wait_for(self._files_changed.wait(), pause)
                    follow_up = True
                    await asyncio.sleep(SHORTEST_SEC)
                except asyncio.TimeoutError:
                    pass
        finally:
            events.stop()

    def _tell_watch(self, directories: set[str]) -> None:
        found = (self._files.registrations.get(path) for path in directories)
        names = {registration.model for registration in found if registration is not None}
        if self.watch is not None:
            # Before LOAD a worker knows the manifest's name only, which need not be registered.
            known = {name for name in names if name}
            self.watch.want(known)

    def _moving(self) -> set[str]:
        """Return the models to ask for often: their state is changing, or their default version may."""
        models = self.picture.models
        moving = {model.model for model in models if model.state in _MOVING}
        versions = Counter(model.model for model in models)
        return moving | {m.model for m in models if m.is_down and versions[m.model] > 1}

    def publish(self) -> None:
        """Make a new picture of what is known, and tell the listeners."""
        picture = self._picture()
        self.picture = picture
        for listener in self.listeners:
            try:
                listener(picture)
            except Exception:  # noqa: PERF203 - one that fails must not take the others down
                log.exception("cannot act on what was seen")

    def _picture(self) -> Picture:
        now = time.time()
        number = self.picture.number + 1
        target, watch = self.target, self.watch
        if target is None or watch is None:
            health = FrontendHealth(
                Condition.AWAY, self._not_found or "no TorchServe was found yet"
            )
            snapshot = Snapshot(None, (), (str(health.words),))
            return Picture(number, now, snapshot, (), health)
        seen = self._seen(target.server, watch)
        picture = picture_of(seen, number=number, now=now, died_by=self.deaths)
        if seen.is_there and seen.running is not None:
            return replace(picture, starting=self._start_up.waits_for(picture.models))
        return picture

    def _seen(self, server: ObservedServer, watch: FrontendWatch) -> Observation:
        """Return what is known now. Asks the file system which registrations are still there."""
        registrations = list(self._files.registrations.values())
        if server.sees_processes and self._server_runs:
            registrations = still_registered(registrations, server.frontend.pid)
        health = watch.health
        if not self._server_runs:
            health = FrontendHealth(Condition.AWAY, self._not_found or "the server has ended")
        return Observation(
            server,
            is_there=self._server_runs,
            has_state_dir=bool(server.run_dirs),
            registrations=registrations,
            health=health,
            torchserve=watch.torchserve,
            running=None if watch.running is None else _flat(watch.running),
            last_known=_flat(watch.last_known),
            windows=watch.windows.in_force(),
            rows=watch.windows.rows(),
            missing=watch.missing,
        )

    async def _stop_asking(self) -> None:
        """Stop following what there is; what is known of it stays."""
        for task in self._following:
            task.cancel()
        await asyncio.gather(*self._following, return_exceptions=True)
        self._following = []
        if self.watch is not None:
            await self.watch.client.close()

    async def _leave(self) -> None:
        await self._stop_asking()
        self.target = None
        self.watch = None


def _flat(by_name: Mapping[str, Sequence[RunningModel]]) -> list[RunningModel]:
    return [model for versions in by_name.values() for model in versions]


async def _for_ever(follow: Callable[[], Awaitable[None]]) -> None:
    """Run what is to run until it is canceled; a bug in it is logged, and it begins anew."""
    while True:
        try:
            await follow()
        except Exception:  # noqa: PERF203 - what observes must not go blind
            log.exception("observing failed, beginning anew")
            await asyncio.sleep(FIND_SEC)
