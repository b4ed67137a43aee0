"""Notice that an earlier worker of this registration died without a word."""

from __future__ import annotations

import os
import sys

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.store import journal
from ts_retry_ext.store.history import open_attempts, served_by
from ts_retry_ext.worker.session import Session


def any_unrecorded(session: Session) -> bool:
    """Tell whether a process of this registration died and nobody recorded it.

    One that died in its load, or the worker before this one, which had loaded the model. A worker
    that the frontend scaled away has no successor with the same socket.

    Raises:
        OSError: the journal cannot be read.
    """
    records = journal.read(session.directory)
    if served_by(records, str(session.address)) is not None:
        return True
    return any(not is_alive(a.pid, a.start) for a in open_attempts(records))


def start_over() -> None:
    """Run this interpreter's command again, in this very process.

    What the judge imported stays in memory for as long as a holder holds; an interpreter that
    starts over with the marker in place never imports it.

    Raises:
        OSError: the interpreter cannot be run.
    """
    flags = getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]
    os.execv(sys.executable, [sys.executable, *flags])
