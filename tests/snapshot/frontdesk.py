"""A frontend for `resume`, and what a halted model leaves in its state directory."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any, Callable

from tests.frontend.api import Api, described
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.frontend.management import management_api_of
from ts_retry_ext.frontend.process import FrontendId
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.real_load import Resumption
from ts_retry_ext.snapshot.resumption import resume
from ts_retry_ext.snapshot.take import model_status
from ts_retry_ext.store.directory import ServerRun, create_server_directory, marker_path
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event

STARTED_AT = 1_700_000_000.25
NOBODY = 2**22 + 1


class Frontdesk:
    """A frontend with one model: scaling it up makes its worker ready, as does a retry."""

    def __init__(self, folder: Path, api: Api) -> None:
        self.api = api
        self.min_workers = 1
        self.ready = False
        self.serves_after_scaling = True
        self.pid = NOBODY
        self.siblings: list[dict[str, Any]] = []
        configuration = ServerConfiguration(
            str(folder), None, {"management_address": api.address}, str(folder / "logs"), {}
        )
        frontend = FrontendId(os.getpid(), "boot-1", STARTED_AT)
        state_dirs = (str(folder / "logs" / "ts_retry"),)
        self.server = ObservedServer(frontend, configuration, state_dirs)
        run = ServerRun(os.getpid(), "boot-1", STARTED_AT, None, str(folder), api.address, "0.12.0")
        kept = create_server_directory(str(folder / "logs" / "ts_retry"), run)
        self.directory = Path(kept) / "m-1"
        self.steps: list[str] = []
        api.answers.update(
            {
                "GET /models/m": lambda _: [self._described()],
                "GET /models/m/all": lambda _: [self._described()],
                "PUT /models/m/1.0": lambda _: self._scaled(),
            }
        )

    def _described(self) -> dict[str, Any]:
        status = "READY" if self.ready else "UNLOADING"
        number = 9000 + len(self.scalings)  # each worker made anew gets the next number
        worker = {"id": str(number), "status": status, "pid": self.pid}
        workers = [worker, *self.siblings] if self.min_workers else []
        return described(minWorkers=len(workers), maxWorkers=3, workers=workers)

    def _scaled(self) -> dict[str, str]:
        query = self.api.asked[-1]
        self.min_workers = int(query.partition("min_worker=")[2].partition("&")[0])
        self.ready = self.min_workers > 0 and self.serves_after_scaling
        self.pid = NOBODY + 1
        return {"status": "Processing worker updates..."}

    @property
    def scalings(self) -> list[str]:
        return [asked.partition("?")[2] for asked in self.api.asked if asked.startswith("PUT")]

    def resume(self, timeout_sec: float = 5.0, *, sees_processes: bool = True) -> Resumption:
        management = management_api_of(self.server.configuration)
        status = model_status(self.server, management, "m", "1.0")
        assert status is not None
        assert status.can_be_resumed
        return resume(
            self.server._replace(sees_processes=sees_processes),
            management,
            status,
            timeout_sec=timeout_sec,
            tell=self.steps.append,
        )


def hold(desk: Frontdesk, ago: float, then: Callable[[], None] | None = None) -> None:
    """Write what workers of a model leave that was halted `ago` seconds ago and is held."""
    now = time.time() - START
    write_journal(
        desk.directory,
        record(Event.START, now - ago, 1),
        failure(now - ago, 1),
        record(Event.HOLD, now - ago + 1, NOBODY),
    )
    write_marker(str(desk.directory), marker())
    if then is not None:
        then()


def has_marker(desk: Frontdesk) -> bool:
    return os.path.exists(marker_path(str(desk.directory)))
