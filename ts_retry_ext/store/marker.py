"""The marker: why the workers of a model hold instead of loading it again, until it is removed."""

from __future__ import annotations

import os
from typing import Any, NamedTuple

from ts_retry_ext.plain_text import cause_line, decided_by, halt_line
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import (
    SCHEMA,
    UntrustedFileError,
    read_json,
    write_json,
)
from ts_retry_ext.store.directory import marker_path, model_directories
from ts_retry_ext.store.exception_record import (
    ExceptionRecord,
    exception_from_json,
    exception_to_json,
)
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.shape import spoilt_keys


class MarkedServer(NamedTuple):
    """The frontend of the worker that failed: process id, and start in seconds since the epoch."""

    pid: int
    started_at: float


class MarkedWorker(NamedTuple):
    """The worker that failed.

    Attributes:
        pid: its process id; socket: where it listened.
        only: with scope ``device``, what the frontend launched the workers at that the marker
            means; None where it means all workers.
    """

    pid: int
    socket: str
    only: tuple[str, ...] | None = None


class Marker(NamedTuple):
    """What is known of a non-recoverable failure, key by key as ``marker.json`` holds it.

    Attributes:
        server: the frontend; worker: the worker that failed.
        registration: the path that the frontend made for this registration.
        phase, verdict, basis, rule, scope, reason, remedy, fingerprint, fingerprint_version: the
            verdict.
        failures: failed loads in a row, this one included.
        action: what follows, one of the values of the setting ``on_fatal``.
        max_retry_timeout_sec: the model's window in seconds; max_retry_timeout_source: where the
            number comes from.
        created_at: ISO 8601, UTC.
        waits_for: what could end the halt, one text each; see `store.trial_schedule`.
        next_trial_at: when a trial load is due, ISO 8601 UTC, or None where none is by time.
        trials: trial loads of the model since it last served.
        holds: whether workers obey it. One that was made after the frontend's window says what the
            model waits for; a worker that somebody starts then loads it.
    """

    model: str
    version: str | None
    model_dir: str
    handler: str | None
    server: MarkedServer
    worker: MarkedWorker
    registration: str
    phase: str
    verdict: str
    basis: str
    rule: str | None
    scope: str
    reason: str
    remedy: str
    fingerprint: str
    fingerprint_version: int
    exception: ExceptionRecord
    failures: int
    action: str
    max_retry_timeout_sec: int | None
    max_retry_timeout_source: str | None
    created_at: str
    waits_for: tuple[str, ...] = ()
    next_trial_at: str | None = None
    trials: int = 0
    holds: bool = True

    @property
    def only(self) -> tuple[str, ...] | None:
        """Return what the frontend launched the workers at that it means; None for all workers."""
        return self.worker.only

    def means(self, launch: str) -> bool:
        """Tell whether it means the worker that the frontend launched at `launch`."""
        return self.only is None or launch in self.only


def why_not_loaded(marker: Marker) -> str:
    """Return in one line why a model is not loaded and what to do: cause, rule, fingerprint, remedy."""
    return halt_line(
        cause_line(marker.exception.type, marker.exception.message),
        decided_by(marker.basis, marker.rule),
        marker.fingerprint,
        marker.reason,
        marker.remedy,
        None if marker.exception.at is None else marker.exception.at.in_words(),
    )


def write_marker(model_dir: str, marker: Marker) -> None:
    """Write the marker of the registration kept in `model_dir`.

    Raises:
        OSError: it cannot be written.
        ValueError: it is larger than a file of ours may be.
    """
    write_json(marker_path(model_dir), marker_to_json(marker))


def marker_to_json(marker: Marker) -> dict[str, Any]:
    """Return a marker as its file holds it."""
    worker = {key: value for key, value in marker.worker._asdict().items() if value is not None}
    return {
        **marker._asdict(),
        "server": marker.server._asdict(),
        "worker": worker,
        "exception": exception_to_json(marker.exception),
        "schema": SCHEMA,
    }


def read_marker(model_dir: str) -> Marker | None:
    """Return the marker of the registration kept in `model_dir`, or None where there is none.

    Raises:
        UntrustedFileError: the file is torn, foreign, incomplete or from a newer version.
        OSError: it cannot be read.
    """
    path = marker_path(model_dir)
    content = read_json(path)
    if content is None:
        return None
    optional = Marker._field_defaults
    missing = [n for n in Marker._fields if n not in content and n not in optional]
    wrong = spoilt_keys(content)
    if content.get("model") is None:
        wrong.append("model")
    if missing or wrong:
        msg = f"{path} lacks or spoils the keys {', '.join(sorted(set(missing + wrong)))}"
        raise UntrustedFileError(msg)
    known = {name: content[name] for name in Marker._fields if name in content}
    server, worker = known["server"], known["worker"]
    only = worker.get("only")
    known["server"] = MarkedServer(server["pid"], server["started_at"])
    known["worker"] = MarkedWorker(
        worker["pid"], worker["socket"], None if only is None else tuple(only)
    )
    known["exception"] = exception_from_json(known["exception"])
    known["waits_for"] = tuple(known.get("waits_for", ()))
    return Marker(**known)


def trusted_marker(model_dir: str) -> Marker | None:
    """Return the marker, or None where there is none that can be read: its holder says so."""
    try:
        return read_marker(model_dir)
    except (UntrustedFileError, OSError):
        return None


def markers_beside(model_dir: str) -> list[tuple[str, Marker]]:
    """Return the other registrations of the same server that are not loaded: directory and marker."""
    paths = [path for path in model_directories(os.path.dirname(model_dir)) if path != model_dir]
    markers = [(path, trusted_marker(path)) for path in paths]
    return [(path, marker) for path, marker in markers if marker is not None]


def remove_marker(model_dir: str) -> bool:
    """Remove the marker: its holders leave. Return False when there was none. Raises OSError."""
    try:
        os.remove(marker_path(model_dir))
    except FileNotFoundError:
        return False
    return True


def end_halt(model_dir: str, *, model: str, version: str, reason: str) -> None:
    """Remove the marker of the registration kept in `model_dir`: its holders leave.

    `reason` says in the journal who or what ends the halt.

    Raises:
        OSError: the marker cannot be removed, or somebody keeps the lock.
    """
    with locked(model_dir):
        # First the record, so that no worker that starts at once counts the old failures.
        resumed = Record(Event.RESUME, pid=os.getpid(), model=model, version=version, reason=reason)
        try:
            journal.append_locked(model_dir, resumed)
        except OSError:
            pass  # A full disk. They count the old failures on, and nobody waits for room on it.
        remove_marker(model_dir)
