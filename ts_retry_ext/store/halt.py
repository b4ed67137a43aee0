"""End a halt: the workers of a registration may load the model again."""

from __future__ import annotations

import os

from ts_retry_ext.store import journal
from ts_retry_ext.store.lock import PATIENCE_SEC, locked
from ts_retry_ext.store.marker import remove_marker
from ts_retry_ext.store.record import Event, Record


def end_halt(
    model_dir: str,
    *,
    model: str,
    version: str,
    reason: str,
    patience_sec: float = PATIENCE_SEC,
) -> None:
    """Remove the marker of the registration kept in `model_dir`: its holders leave.

    Args:
        model_dir: the registration's directory in the state directory.
        model: name of the model.
        version: its version.
        reason: who or what ends the halt, for the journal.
        patience_sec: how long to wait for somebody who keeps the lock.

    Raises:
        OSError: the marker cannot be removed, or somebody keeps the lock.
    """
    with locked(model_dir, patience_sec):
        # First the record, so that no worker that starts at once counts the old failures.
        resumed = Record(Event.RESUME, pid=os.getpid(), model=model, version=version, reason=reason)
        try:
            journal.append_locked(model_dir, resumed)
        except OSError:
            pass  # A full disk. They count the old failures on, and nobody waits for room on it.
        remove_marker(model_dir)
