"""Follow one worker through the log: which processes it had, and how each of them ended.

The lines are those of TorchServe 0.12.0 (WorkerThread, AsyncWorkerThread, WorkerLifeCycle,
BatchAggregator, model_service_worker.py); older ones have fewer of them, and a log without debug
lines too, so that each step is taken from whichever line tells of it first.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Callable

from ts_retry_ext.analyze.logged_process import LoggedProcess
from ts_retry_ext.analyze.retry_window import WindowBounds
from ts_retry_ext.archive.schedule import waited_before
from ts_retry_ext.logs.log_record import Kind, LogRecord
from ts_retry_ext.logs.root_cause import DIED

_STATE = re.compile(rb"State change (\S+) -> (WORKER_\w+)")
_PID = re.compile(rb"^(?:INFO > )?\[PID\](\d{1,10})$")
_WAIT = re.compile(rb" in (\d{1,5}) seconds")
_DIED = DIED.encode()
#: What it prints when it is given to an asynchronous frontend, which notes no failed load (0.12.0).
_ASYNC = b"handle_connection_async"
_LOADING = b"model_name: "
#: What a holder of this package says; see `ts_retry_ext.worker.holder`.
_HOLDS = re.compile(rb"^ts-retry: model (?:'[^']{1,400}'|\"[^\"]{1,400}\") (?:is held|holds)\b")
#: How the lines begin that tell of the process itself; of most the text is kept, and no more.
_OF_ITSELF = (b"[PID]", b"INFO > [PID]", _LOADING, _ASYNC, b"ts-retry: ")
_LAST_ERRORS = 4
#: The longest backoff is 1597 s; a start that is this much too late was not slept through.
_OVERDUE_MS = 1_800_000
_ERRORS = Kind.ERRORS
#: Ranks of one start print their process ids within so long; a retry waits a second and imports torch.
_RANKS_MS = 1_000


def _is_same(attempt: LoggedProcess, pid: bytes, at: int) -> bool:
    """Tell whether a process id is of the same start: its own, or that of another of torchrun's ranks."""
    if attempt.is_group or attempt.pid == pid:
        return True
    if not attempt.pid:  # It says so before it can fail.
        return not attempt.has_traceback
    return (
        attempt.ended_at is None and not attempt.has_traceback and at - attempt.pid_at < _RANKS_MS
    )


@dataclass
class LoggedWorker:
    """One worker of one model, by the number that the frontend gave it.

    Attributes:
        attempt: the process that runs or ran last, or None.
        starts: processes that were started.
        loads: those of them that went on to load the model.
        serves: whether it has loaded the model and lives.
        failing_since: when it first stopped without having recovered since, or None.
        removed: whether the frontend scaled it away, or ended.
        gave_up: whether the frontend stopped retrying it.
        asynchronous: whether its model has ``asyncCommunication``.
        has_package: whether its processes have this package.
        bounds: what its retries tell of the window in force.
    """

    ended: Callable[[LoggedWorker, LoggedProcess], None]
    attempt: LoggedProcess | None = None
    starts: int = 0
    loads: int = 0
    serves: bool = False
    failing_since: int | None = None
    removed: bool = False
    gave_up: bool = False
    asynchronous: bool = False
    has_package: bool = False
    bounds: WindowBounds = field(default_factory=WindowBounds)
    #: When the frontend said it would start the next process; a log without debug lines tells no more.
    _next_at: int | None = None

    def wrote(self, record: LogRecord, at: int, *, from_frontend: bool) -> None:
        """Take a line that its process wrote.

        Args:
            from_frontend: whether the log has the frontend's own lines, too. Where it has not, the
                process itself has to tell that it starts and ends.
        """
        text = record.text
        if text.startswith(_OF_ITSELF):
            self._of_itself(text, at)
        attempt = self.attempt or self._within()
        (attempt.stderr if record.kind is _ERRORS else attempt.stdout).add(text, at)
        if text == _DIED and (self.asynchronous or not from_frontend):
            self._stop(at)

    def told(self, text: bytes, at: int) -> None:
        """Take a line of the frontend's."""
        if text.startswith(b"Worker cmdline"):
            self._start(at).is_group = b"torchrun" in text
        elif b"State change" in text:
            found = _STATE.search(text)
            if found is not None:
                self._change(found[1], found[2], at)
        elif text.startswith(b"Flushing req.cmd LOAD"):
            self._load(self.attempt or self._start(at))
        elif text.startswith(b"WorkerLoadTime"):
            self._loaded(at)
        elif text.startswith(b"Retry worker"):
            self.attempt = self.attempt or self._within()
            self._stop(at)
            self._retry(text, at)
        elif text.startswith(b"Auto recovery"):
            if b"succeeded" in text:
                self._loaded(at)
            else:
                self._stopped(at)
        elif text.startswith(b"Jobs is empty"):
            self._loaded(at)
        elif text.startswith(b"Load model failed"):
            self._load(self.attempt or self._within())
        elif text.startswith(b"Backend worker error"):
            self.attempt = self.attempt or self._within()

    def _of_itself(self, text: bytes, at: int) -> None:
        """Take a line by which its process may tell that it runs, loads or holds."""
        attempt = self.attempt
        found = _PID.match(text)
        if found is not None:
            if attempt is None or not _is_same(attempt, found[1], at):
                attempt = self._start(min(at, self._next_at or at))
            attempt.pid, attempt.pid_at = found[1], at
            if attempt.started_at is None:
                attempt.started_at, attempt.begins_before = at, False
                self.starts += 1
            return
        if attempt is None:
            attempt = self._within()
        if text.startswith(b"ts-retry: "):
            self.has_package = True
        if text.startswith(_LOADING) and b"batchSize" in text:
            self._load(attempt)
        elif text == _ASYNC:
            self.asynchronous = True
        else:
            held = _HOLDS.match(text)
            if held is not None:
                attempt.holds, attempt.held_why, self.serves = True, text[held.end() :], False

    def error(self, text: bytes) -> None:
        """Take what a Java exception says of its end."""
        if self.attempt is not None and len(self.attempt.errors) < _LAST_ERRORS:
            self.attempt.errors.append(text)

    def is_overdue(self, at: int) -> bool:
        """Tell whether the frontend announced a start for a time that is long over."""
        return self._next_at is not None and not self.removed and at - self._next_at > _OVERDUE_MS

    @property
    def is_starting(self) -> bool:
        """Tell whether its process has been started, and has neither loaded the model nor ended."""
        return self.attempt is not None and self.attempt.is_running

    def clock_was_set(self, by: int) -> None:
        """Take note that the log's clock jumped: what is under way goes on at the new time."""
        if self.failing_since is not None:
            self.failing_since += by
        if self._next_at is not None:
            self._next_at += by
        if self.attempt is not None:
            self.attempt.clock_was_set(by)

    def server_ended(self) -> None:
        """Take note that the frontend is gone: what it leaves open is no failure."""
        self.removed, self.serves, self.failing_since = True, False, None
        if self.attempt is not None and self.attempt.ended_at is None:
            self.attempt = None

    def goes_unretried(self) -> None:
        """Take note that its last process ended, and that the frontend announced no other."""
        attempt = self.attempt
        if attempt is None or attempt.ended_at is None or attempt.retried or self.removed:
            return
        if not (attempt.stopped or self.asynchronous):
            return  # It is the process that said so; the frontend's lines are not in the log.
        self.gave_up = True
        if attempt.stopped and not attempt.begins_before and self.failing_since is not None:
            self.bounds.gave_up(attempt.ended_at - self.failing_since)

    def log_ended(self) -> None:
        """Take note of the end of the log: a process whose last words are a traceback has failed."""
        attempt = self.attempt
        if attempt is None or not attempt.is_running:
            return
        if not self.removed and (attempt.died or attempt.ends_with_traceback):
            self._stop(attempt.last_at)

    @property
    def is_held(self) -> bool:
        """Tell whether a holder of this package stands in its place."""
        return not self.removed and self.attempt is not None and self.attempt.holds

    @property
    def is_down(self) -> bool:
        """Tell whether it has served, and its process ended without another having loaded since."""
        attempt = self.attempt
        return (
            not self.removed
            and attempt is not None
            and attempt.loaded_at is not None
            and attempt.ended_at is not None
        )

    def _within(self) -> LoggedProcess:
        """Return a process in whose life the log begins."""
        self.attempt = LoggedProcess(None, begins_before=True)
        return self.attempt

    def _start(self, at: int) -> LoggedProcess:
        before = self.attempt
        if before is not None and before.ended_at is None and before.started_at == at:
            return before
        if before is not None and before.is_running and before.has_traceback:
            self._stop(before.last_at)  # Nothing else tells of its end.
        self.starts += 1
        self._next_at = None
        self.serves = self.removed = self.gave_up = False
        self.attempt = LoggedProcess(at)
        return self.attempt

    def _load(self, attempt: LoggedProcess) -> None:
        if not attempt.loads:
            attempt.loads = True
            self.loads += 1

    def _change(self, before: bytes, state: bytes, at: int) -> None:
        if before == b"WORKER_MODEL_LOADED" and state == b"WORKER_STOPPED":
            attempt = self.attempt or self._within()
            if attempt.loaded_at is None:
                attempt.loaded_at = at  # Its load is not in the log.
        elif self.attempt is None and not self.starts and before != b"null":
            self._within()
        if b"WORKER_SCALED_DOWN" in (state, before) and state != b"WORKER_STARTED":
            # What ends after it ends because of it; a start that was due comes all the same.
            self.removed, self.serves = True, False
            if self.attempt is not None and self.attempt.ended_at is None:
                self.attempt = None
        elif state == b"WORKER_MODEL_LOADED":
            self._loaded(at)
        elif state == b"WORKER_ERROR":
            # LOAD was answered with an error. The process of a stock worker ends right after.
            self._stop(at)
        elif state == b"WORKER_STOPPED":
            self._stopped(at)

    def _loaded(self, at: int) -> None:
        attempt = self.attempt or self._start(at)
        if attempt.loaded_at is not None or attempt.ended_at is not None:
            return
        self._load(attempt)
        attempt.loaded_at = at
        self.serves, self.failing_since = not attempt.holds, None
        attempt.stdout.lines.clear()
        attempt.stderr.lines.clear()
        self.ended(self, attempt)

    def _stop(self, at: int) -> None:
        attempt = self.attempt
        if attempt is None or attempt.ended_at is not None:
            return
        attempt.ended_at = at
        self.serves = False
        if self.failing_since is None:
            self.failing_since = at
        self.ended(self, attempt)

    def _stopped(self, at: int) -> None:
        self._stop(at)
        if self.attempt is not None:
            self.attempt.stopped = True

    def _retry(self, text: bytes, at: int) -> None:
        found = _WAIT.search(text)
        wait_sec = int(found[1]) if found else 0
        self._next_at = at + 1000 * wait_sec if found else None
        if self.attempt is not None:
            self.attempt.retried = True
        if self.failing_since is not None:
            # The wait shows how many there were before it, though the log may begin later.
            self.bounds.retried(max(at - self.failing_since, 1000 * waited_before(wait_sec)))
