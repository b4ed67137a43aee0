"""Write down that the worker before this one died while it served: counted and shown, no reason to stop.

What there is to say is the same each time, so nothing is judged: a start after such a death costs no
more than any other.
"""

from __future__ import annotations

from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.plain_text import cause_line
from ts_retry_ext.store import journal
from ts_retry_ext.store.exception_record import ExceptionRecord, FingerprintRecord
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.worker_states import served_by
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

_TYPE, _MESSAGE = "ProcessDied", "the process ended after it had loaded the model"
EXCEPTION = ExceptionRecord(
    _TYPE, _MESSAGE, fingerprint_parts=FingerprintRecord(types=(_TYPE,), messages=(_MESSAGE,))
)
#: The fingerprint that the judge gives to it, and its version; a test compares them.
FINGERPRINT, FINGERPRINT_VERSION = "ae5c01cfde67aa8f", 2
#: The judge's words; see `judge.verdict` and `judge.failure`.
VERDICT, BASIS, SCOPE, PHASE = "recoverable", "rule", "model", "inference"
RULE = "worker-lost"
_REASON = "The process ended while it served. TorchServe starts a fresh one."
_REMEDY = "Look for a segfault, a kill for lack of memory, or responseTimeout in the server's log."


def record_lost(session: Session) -> None:
    """Write down that the worker before this one died after it had loaded the model. Raises OSError."""
    with locked(session.directory):
        last = served_by(journal.read(session.directory), str(session.address))
        if last is None or is_alive(last.pid, last.start):
            return
        record = session.own_record(Event.FAILURE)._replace(
            pid=last.pid,
            start=last.start,
            verdict=VERDICT,
            basis=BASIS,
            rule=RULE,
            scope=SCOPE,
            phase=PHASE,
            reason=_REASON,
            remedy=_REMEDY,
            fingerprint=FINGERPRINT,
            fingerprint_version=FINGERPRINT_VERSION,
            exception=EXCEPTION,
        )
        journal.append_locked(session.directory, record)
    say(f"model {session.name!r}: {cause_line(_TYPE, _MESSAGE)}; {_REASON}")
