"""Write ``effective-config.json`` and a log line at each change of an effective setting."""

from __future__ import annotations

import asyncio
import json
import logging
import os
from typing import NamedTuple, Sequence

from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.snapshot.effective import Effective
from ts_retry_ext.store.atomic import SCHEMA, write_bytes
from ts_retry_ext.store.times import to_text

log = logging.getLogger(__name__)

FILE = "effective-config.json"


class _Content(NamedTuple):
    paths: Sequence[str]
    data: bytes


class EffectiveFile:
    """Keeps the file up to date: in the state directory, and in the folder of the server's run.

    Servers that share a state directory write the first in turn; the second is each one's own.
    """

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._asked_for: object = None
        self._wanted: _Content | None = None
        self._writing: asyncio.Task[None] | None = None
        self._told: dict[tuple[str | None, str | None], Effective] = {}
        self._failed: str | None = None

    def update(self, picture: Picture) -> None:
        """Write the file and tell the log where a picture differs from the last one."""
        self._tell(picture.effective)
        target, watch = self._observer.target, self._observer.watch
        run_dirs = target.server.run_dirs if target is not None else []
        # That there is no model counts only where the frontend says so.
        is_told = watch is not None and watch.running is not None
        if not run_dirs or not (picture.effective or is_told):
            return
        paths = [
            os.path.join(folder, FILE) for folder in (run_dirs[0], os.path.dirname(run_dirs[0]))
        ]
        recoveries = {
            key: [recovery.to_json() for recovery in found]
            for key, found in picture.recoveries.items()
        }
        key = (paths, picture.effective, recoveries)
        if key == self._asked_for:
            return
        server = picture.snapshot.server
        content = {
            "schema": SCHEMA,
            "at": to_text(picture.at),
            "server": None if server is None else dict(vars(server)),
            "models": picture.config_json(),
        }
        # With many models it is larger than what a worker may read, and no worker reads it.
        data = json.dumps(content, indent=1).encode("ascii") + b"\n"
        self._asked_for, self._wanted = key, _Content(paths, data)
        if self._writing is None or self._writing.done():
            self._writing = asyncio.get_running_loop().create_task(self._write())

    async def _write(self) -> None:
        """Write what is wanted, the newest of it; no probe waits for a disk that is slow."""
        while self._wanted is not None:
            content, self._wanted = self._wanted, None
            loop = asyncio.get_running_loop()
            failed = await loop.run_in_executor(None, _why_not_written, content.paths, content.data)
            if failed is not None:
                self._asked_for = None  # The next picture tries again.
                if failed != self._failed:
                    log.warning("%s", failed)
            self._failed = failed

    def _tell(self, rows: tuple[Effective, ...]) -> None:
        for row in rows:
            key = (row.model, row.version)
            if self._told.get(key) == row:
                continue
            self._told[key] = row
            log.info("%s", describe(row))


def _why_not_written(paths: Sequence[str], data: bytes) -> str | None:
    """Write the same to all `paths`, and return what is wrong with the first that cannot be written."""
    failed = None
    for path in paths:
        try:
            write_bytes(path, data)
        except OSError as error:  # noqa: PERF203 - one that fails must not keep the others from it
            failed = failed or f"cannot write {path}: {error}"
    return failed


def describe(row: Effective) -> str:
    """Return the effective window of a model in a line."""
    window = row.max_retry_timeout_sec
    text = f"{row.model} {row.version}: maxRetryTimeoutInSec {window} ({row.source})"
    if row.schedule is not None:
        retries, last = row.schedule
        text += f", {retries} retries" + ("" if last is None else f", the last after {last:.0f} s")
    for code, message in row.problems:
        text += f"; {message} [{code}]"
    return text
