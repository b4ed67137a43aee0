"""The process whose failure is recorded."""

from __future__ import annotations

from typing import NamedTuple


class FailedWorker(NamedTuple):
    """The process that failed, which need not be this one; `began_ns` as in `Session`."""

    pid: int
    start: str
    socket: str
    launch: str
    group: str | None
    began_ns: int
