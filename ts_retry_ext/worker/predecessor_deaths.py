"""Deaths that no process wrote down: the next worker finds them in the journal and judges them.

Imported only when a worker has died.
"""

from __future__ import annotations

from ts_retry_ext.judge.repetition import crash_failure
from ts_retry_ext.store import journal
from ts_retry_ext.store.event_order import read_trusted
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.store.worker_states import UnfinishedLoad, group_failed
from ts_retry_ext.worker.crash_capture import has_stack, take_crash, tells_of_crashes
from ts_retry_ext.worker.failure_note import take_note
from ts_retry_ext.worker.halting import FailedWorker
from ts_retry_ext.worker.memory_events import oom_kills
from ts_retry_ext.worker.other_workers import dead_before
from ts_retry_ext.worker.output import say, say_lines
from ts_retry_ext.worker.recorder import judged, record_failure
from ts_retry_ext.worker.session import Session


def record_crashes(session: Session) -> None:
    """Judge the deaths of this worker's predecessors that no process wrote down. Raises OSError."""
    with locked(session.directory):
        dead = dead_before(session, read_trusted(session.directory).records)
        # Of ranks that ended together, the one that crashed by itself comes first; the others were ended.
        dead.sort(key=lambda a: (not has_stack(session.directory, a.pid), a.socket))
        for attempt in dead:
            if _record_note(session, attempt):
                continue
            if group_failed(journal.read(session.directory), attempt):
                _record_end(session, attempt, "another rank of its group failed")
            else:
                _record_crash(session, attempt)


def _record_note(session: Session, attempt: UnfinishedLoad) -> bool:
    """Write down the failure that a process could only note; tell whether it left a note."""
    line = take_note(session.directory, attempt.pid)
    record = journal.parse_line(line)
    if record is None or record.pid != attempt.pid:
        return False
    take_crash(session.directory, attempt.pid, out_of_memory=False)
    journal.append_line(session.directory, line)
    kind = record.exception.type if record.exception is not None else ""
    say(
        f"model {session.name!r}: the worker before this one failed in phase {record.phase} with {kind} "
        "and could not write it down; it counts for nothing, TorchServe retries it"
    )
    return True


def _record_crash(session: Session, attempt: UnfinishedLoad) -> None:
    now = oom_kills()
    out_of_memory = None not in (now, attempt.oom_kills) and now != attempt.oom_kills
    ended, stack = take_crash(session.directory, attempt.pid, out_of_memory=out_of_memory)
    if not (attempt.loading or stack or out_of_memory):
        # The frontend ends a worker that has not said within 2 minutes that it started, and one
        # whose predecessor's output ends late (0.12.0 WorkerLifeCycle): both come of a busy host.
        _record_end(session, attempt, "ended before it was given a model, by something outside it")
        return
    if stack is not None and tells_of_crashes():
        say_lines(stack)
    worker = FailedWorker(
        attempt.pid,
        attempt.start,
        attempt.socket,
        attempt.launch,
        attempt.group,
        began_ns=int(to_seconds(attempt.at) * 1e9),
    )
    failure = crash_failure(ended, stack)
    found = judged(session, failure, Event.CRASH)
    record_failure(session, worker, failure, found, Event.CRASH)


def _record_end(session: Session, attempt: UnfinishedLoad, reason: str) -> None:
    """Write down the end of a process that says nothing against its model."""
    take_crash(session.directory, attempt.pid, out_of_memory=False)
    record = Record(
        Event.END,
        pid=attempt.pid,
        start=attempt.start,
        socket=attempt.socket,
        launch=attempt.launch,
        group=attempt.group,
        model=session.name,
        version=session.manifest.version,
        reason=reason,
    )
    journal.append_locked(session.directory, record)
