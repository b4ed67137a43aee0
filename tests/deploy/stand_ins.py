"""Many sidecars in one process, as Prometheus sees them: a port for each, and metrics of the real `Metrics`.

    python -m tests.deploy.stand_ins [--servers 20] [--models 60] [--new-after SECONDS]

prints the addresses, and answers until Ctrl-C. With ``--new-after``, one server gets a cause of its own then.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from aiohttp import web

from tests.frontend.api import described
from tests.sidecar.fleets import CAUSES, WORKER
from tests.snapshot.writing import START, failure, hold, record, write_journal
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.sidecar.metrics import CONTENT_TYPE, Metrics
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.snapshot.effective import Effective
from ts_retry_ext.snapshot.join import status_of
from ts_retry_ext.snapshot.model import ModelStatus, WindowInForce
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.snapshot.server_snapshot import Snapshot
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_text

#: The one of `CAUSES` that only the first server has.
OF_ONE_SERVER = len(CAUSES) - 1
#: Of 60 models, so many can be down; the issue that asked for this saw 17.
_DOWN_OF_60 = 17
_WINDOW = WindowInForce(300, "default")


class Fleet:
    """What the servers of a fleet say.

    Args:
        folder: where journals and markers are written, as workers write them.
        servers: how many there are.
        models: how many models each has; at least 8, so that there is one of each kind.
    """

    def __init__(self, folder: Path, servers: int, models: int) -> None:
        self._now = time.time()
        self._folder = folder
        self._down = max(len(CAUSES), models * _DOWN_OF_60 // 60)
        self._models = [self._model(number) for number in range(models)]
        self._problem = Effective(
            "model-0006", "1.0", None, 300, "default", None, 300, (("code", "message"),), (12, 376)
        )
        self.texts = [self.text(server) for server in range(servers)]

    def text(self, server: int, is_first: bool | None = None) -> bytes:
        """Return what a server answers; the first one has a cause of its own."""
        has_own = server == 0 if is_first is None else is_first
        models = tuple(
            broken if broken and (has_own or number % len(CAUSES) != OF_ONE_SERVER) else sound
            for number, (sound, broken) in enumerate(self._models)
        )
        windows = (
            Effective(m.model, m.version, None, 300, "default", None, 300, (), (12, 376))
            for m in models
            if m.model != self._problem.model
        )
        effective = (self._problem, *windows)
        health = FrontendHealth(Condition.OK)
        picture = Picture(1, self._now, Snapshot(None, models), effective, health)
        return Metrics().text(picture)

    def _model(self, number: int) -> tuple[ModelStatus, ModelStatus | None]:
        """Return a model as it is on a server where all is well, and as it is where it is down."""
        name, pid = f"model-{number:04d}", number + 1
        at = self._now - START - 10_000
        begun = record(Event.START, at, pid, model=name)
        if number == self._down:  # The frontend tries it again.
            first = failure(at + 9_990, pid, model=name)
            recovering = write_journal(self._folder / name, begun, first)
            return self._status(name, pid, recovering, status="UNLOADING"), None
        if number == self._down + 1:  # Its workers run without the package.
            return self._status(name, pid, None), None
        loaded = record(Event.LOADED, at + 2, pid, model=name)
        sound = write_journal(self._folder / name, begun, loaded)
        if number >= self._down:
            return self._status(name, pid, sound), None
        changes: dict[str, Any] = dict(CAUSES[number % len(CAUSES)], model=name)
        judged = {key: changes[key] for key in ("fingerprint", "exception", "waits_for", "rule")}
        # What all servers have is old; what one server has is new.
        age = 120 if number % len(CAUSES) == OF_ONE_SERVER else 7_200
        first = failure(at + 10_000 - age, pid, model=name, **judged)
        broken = write_journal(self._folder / f"{name}-broken", begun, first)
        if "time" in changes["waits_for"]:
            changes["next_trial_at"] = to_text(self._now + 90)
        hold(broken, pid, **changes, created_at=to_text(self._now - age + 1))
        down = self._status(name, pid, broken, status="UNLOADING")
        return self._status(name, pid, sound), down

    def _status(
        self, name: str, pid: int, folder: Path | None, status: str = "READY"
    ) -> ModelStatus:
        entry = described(name, workers=[dict(WORKER, pid=pid, status=status)])
        registration = None if folder is None else read_registration(str(folder))
        running = running_model(entry, "1.0")
        return status_of(running, registration, _WINDOW, now=self._now, died_by=lambda *_: None)


@contextmanager
def answering(fleet: Fleet) -> Iterator[list[str]]:
    """Answer for each server on a port of its own, for the time of the context."""
    ports: list[int] = []
    listening, loop = threading.Event(), asyncio.new_event_loop()

    async def answer(request: web.Request) -> web.Response:
        assert request.transport is not None
        server = ports.index(request.transport.get_extra_info("sockname")[1])
        return web.Response(body=fleet.texts[server], headers={"Content-Type": CONTENT_TYPE})

    async def listen() -> None:
        application = web.Application()
        application.add_routes([web.get("/metrics", answer)])
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        for _ in fleet.texts:
            await web.TCPSite(runner, "127.0.0.1", 0).start()
        ports.extend(address[1] for address in runner.addresses)
        listening.set()
        try:
            await asyncio.Event().wait()
        finally:
            await runner.cleanup()

    task = loop.create_task(listen())

    def run() -> None:
        try:
            loop.run_until_complete(task)
        except asyncio.CancelledError:
            pass
        finally:
            loop.close()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        assert listening.wait(60)
        yield [f"127.0.0.1:{port}" for port in ports]
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join()


def main() -> None:
    """Answer until Ctrl-C."""
    options = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    options.add_argument("--servers", type=int, default=20)
    options.add_argument("--models", type=int, default=60)
    options.add_argument("--new-after", type=float, metavar="SECONDS")
    asked = options.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        fleet = Fleet(Path(folder), asked.servers, asked.models)
        if asked.new_after is not None:
            fleet.texts[0] = fleet.text(0, is_first=False)
        with answering(fleet) as addresses:
            print(*addresses, sep="\n", flush=True)
            try:
                if asked.new_after is not None:
                    time.sleep(asked.new_after)
                    fleet.texts[0] = Fleet(Path(folder) / "later", 1, asked.models).texts[0]
                threading.Event().wait()
            except KeyboardInterrupt:
                pass


if __name__ == "__main__":
    main()
