"""Write ``effective-config.json`` and a log line at each change of an effective setting."""

from __future__ import annotations

import json
import logging
import os

from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.snapshot.effective import Effective
from ts_retry_ext.store.atomic import SCHEMA, write_bytes
from ts_retry_ext.store.times import to_text

log = logging.getLogger(__name__)

FILE = "effective-config.json"


class EffectiveFile:
    """Keeps the file up to date."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer
        self._written: object = None
        self._told: dict[tuple[str | None, str | None], Effective] = {}
        self._failed: str | None = None

    def update(self, picture: Picture) -> None:
        """Write the file and tell the log where a picture differs from the last one."""
        if not picture.effective:
            return
        self._tell(picture.effective)
        target = self._observer.target
        directories = [os.path.dirname(path) for path in target.run_dirs] if target else []
        if target is None or not directories:
            return
        path = os.path.join(directories[0], FILE)
        recoveries = {
            key: [recovery.to_json() for recovery in found]
            for key, found in picture.recoveries.items()
        }
        content_key = (path, picture.effective, recoveries)
        if content_key == self._written:
            return
        server = picture.snapshot.server
        content = {
            "schema": SCHEMA,
            "at": to_text(picture.at),
            "server": None if server is None else dict(vars(server)),
            "models": picture.config_json(),
        }
        try:
            # With many models it is larger than what a worker may read, and no worker reads it.
            write_bytes(path, json.dumps(content, indent=1).encode("ascii") + b"\n")
        except OSError as error:
            if str(error) != self._failed:
                log.warning("cannot write %s: %s", path, error)
                self._failed = str(error)
            return
        self._failed = None
        self._written = content_key

    def _tell(self, rows: tuple[Effective, ...]) -> None:
        for row in rows:
            key = (row.model, row.version)
            if self._told.get(key) == row:
                continue
            self._told[key] = row
            log.info("%s", describe(row))


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
