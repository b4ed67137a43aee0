"""Notice that an earlier worker of this registration died without a word."""

from __future__ import annotations

import os
import sys
from typing import Sequence

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store.event_order import read_evidence
from ts_retry_ext.store.history import Attempt, open_attempts, served_by
from ts_retry_ext.store.record import Record
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session


def any_unrecorded(session: Session) -> bool:
    """Tell whether the worker before this one died, in its load or after it, and nobody recorded it.

    What the journal cannot be right about is named in the log.

    A worker that the frontend scaled away, be it in the middle of its load, has no successor with the
    same socket.

    Raises:
        OSError: the journal cannot be read.
    """
    records, impossible = read_evidence(session.directory)
    for sentence in impossible:
        say(f"model {session.name!r}: {sentence}")
    if served_by(records, str(session.address)) is not None:
        return True
    return bool(dead_before(session, records))


def dead_before(session: Session, records: Sequence[Record]) -> list[Attempt]:
    """Return the attempts of this worker's own predecessors that ended without a word."""
    own = (attempt for attempt in open_attempts(records) if attempt.launch == session.launch)
    return [attempt for attempt in own if not is_alive(attempt.pid, attempt.start)]


def start_over() -> None:
    """Run this interpreter's command again, in this very process.

    What the judge imported stays in memory for as long as a holder holds; an interpreter that
    starts over with the marker in place never imports it.

    Raises:
        OSError: the interpreter cannot be run.
    """
    flags = getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]
    os.execv(sys.executable, [sys.executable, *flags])
