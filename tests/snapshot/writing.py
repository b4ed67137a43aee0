"""Write state directories as workers do."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ts_retry_ext.store import journal
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.marker import MarkedServer, MarkedWorker, Marker, write_marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_text

#: The moment that times in these tests are counted from, seconds since the epoch.
START = 1_600_000_000.0
SOCKET = "/tmp/.ts.sock.9000"


def record(event: Event, at: float, pid: int = 1, socket: str = SOCKET, **fields: Any) -> Record:
    """Return a journal record of a worker, `at` seconds after `START`."""
    own = Record(event, to_text(START + at), pid, f"boot-{pid}", socket, model="m", version="1.0")
    return own._replace(**fields)


def failure(at: float, pid: int = 1, **fields: Any) -> Record:
    """Return the record of a judged failure."""
    return record(
        Event.FAILURE,
        at,
        pid,
        verdict="recoverable",
        basis="rule",
        rule="connection-errno",
        scope="host",
        reason="a service does not answer",
        remedy="look at the service",
        fingerprint="0123456789abcdef",
        fingerprint_version=1,
        phase="initialize",
        exception=ExceptionRecord(
            "ConnectionError",
            "refused\nsecond line",
            traceback="Traceback ...\nConnectionError: refused\n",
        ),
    )._replace(**fields)


def marker(**changes: Any) -> Marker:
    """Return a marker, with changes."""
    exception = ExceptionRecord(
        "SyntaxError",
        "invalid syntax (h.py, line 1)",
        traceback="Traceback ...\nSyntaxError: invalid syntax\n",
    )
    content: dict[str, Any] = {
        "model": "m",
        "version": "1.0",
        "model_dir": "/nowhere",
        "handler": "h.py",
        "server": MarkedServer(1, START),
        "worker": MarkedWorker(1, SOCKET),
        "registration": "/",
        "phase": "import",
        "verdict": "non_recoverable",
        "basis": "rule",
        "rule": "syntax-error",
        "scope": "model",
        "reason": "a source file is not valid Python",
        "remedy": "correct it",
        "fingerprint": "fedcba9876543210",
        "fingerprint_version": 1,
        "exception": exception,
        "failures": 1,
        "action": "hold",
        "max_retry_timeout_sec": 300,
        "max_retry_timeout_source": "default",
        "created_at": to_text(START),
        **changes,
    }
    return Marker(**content)


def hold(folder: Path, pid: int, **changes: Any) -> None:
    """Write what a worker leaves that takes the place of a loaded one: a marker, and that it holds."""
    told = marker(**changes)
    journal.append(str(folder), record(Event.HOLD, 6, pid, model=told.model))
    write_marker(str(folder), told)


def write_journal(folder: Path, *records: Record) -> Path:
    """Write a registration's journal into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = b"".join(journal.line_of(entry) for entry in records)
    Path(journal.journal_path(str(folder))).write_bytes(lines)
    return folder
