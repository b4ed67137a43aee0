"""Take the records of a log in order, and tell each to the worker, model and server it is of."""

from __future__ import annotations

import re
from collections import deque
from typing import NamedTuple

from ts_retry_ext.analyze.judged_failure import FailureJudge, is_time_out, without_java_type
from ts_retry_ext.analyze.logged_process import LoggedProcess
from ts_retry_ext.analyze.logged_worker import LoggedWorker
from ts_retry_ext.analyze.model_tally import ModelTally
from ts_retry_ext.analyze.server_tally import ServerTally
from ts_retry_ext.analyze.timeline import Timeline
from ts_retry_ext.judge import Limits
from ts_retry_ext.logs.log_record import Kind, LogRecord
from ts_retry_ext.logs.merging import LoggedServer

#: Workers followed at once in all; of more the log is damaged, or no log.
MOST_WORKERS = 5_000
#: A worker's last lines come up to so long after the frontend noticed its end.
_LATE_MS = 1_000
#: Threads write a log, so that its times go back a little; by more, the clock was set, or summer time ended.
_SET_BACK_MS = 2_000
#: After a silence as long, it is asked whether the clock went on without the server.
_SILENCE_MS = 1_800_000
#: What summer time takes away, give or take a load that says nothing.
_SUMMER_MS = range(3_480_000, 3_720_000)

#: Looking a member of an enumeration up takes longer than the comparison.
_WORKER, _SERVER, _CONTINUED = Kind.WORKER, Kind.SERVER, Kind.CONTINUED

_VERSION = re.compile(rb"Torchserve version: ([\w.+\-]{1,40})")


class _Late(NamedTuple):
    """A load that came out well, or an end, whose process may write on for a moment."""

    at: int
    tally: ServerTally
    model: ModelTally
    worker: LoggedWorker
    attempt: LoggedProcess
    has_loaded: bool


class Analysis:
    """Follow all workers of all servers.

    Args:
        limits: how often a failure may come back.

    Attributes:
        servers: in the order in which they come up.
        first_at, last_at: times of the first and last record, milliseconds since the epoch.
        left_out: workers that were too many to follow.
    """

    def __init__(self, judge: FailureJudge, limits: Limits) -> None:
        self.servers: dict[LoggedServer, ServerTally] = {}
        self.first_at: int | None = None
        self.last_at: int | None = None
        self.left_out = 0
        self._judge = judge
        self._limits = limits
        self._workers = 0
        self._late: deque[_Late] = deque()

    def take(self, server: LoggedServer, at: int, record: LogRecord) -> None:
        """Take the next record."""
        tally = self.servers.get(server)
        if tally is None:
            tally = self.servers[server] = ServerTally(server)
        _, kind, port, name, text, _ = record
        if kind is _CONTINUED:
            self._continued(tally, at, text)
            return
        if self.last_at is None or at > self.last_at:
            self.last_at = at
            if self.first_at is None:
                self.first_at = at
        if not -_SET_BACK_MS <= at - tally.last_at <= _SILENCE_MS and tally.last_at:
            self._clock_jumped(tally, at)
        tally.last_at = at
        if kind is _SERVER:
            if text:  # else it tells the time only, and may stand anywhere
                tally.in_error = None
                self._of_server(tally, at, record)
            return
        tally.in_error = None
        worker = tally.workers.get((name, port)) or self._worker(tally, record)
        if worker is None:
            return
        if self._late and at - self._late[0][0] > _LATE_MS:
            self._judge_late(at - _LATE_MS)
        before = worker.starts
        if kind is not _WORKER:
            worker.wrote(record, at, from_frontend=server.from_frontend)
        else:
            worker.told(text, at)
            if text.startswith(b"Backend worker error"):
                tally.in_error = worker
        if worker.starts != before:
            tally.models[name].timeline.add("started", at)

    def finish(self) -> None:
        """Judge what is left; call it once, after the last record."""
        for tally in self.servers.values():
            for worker in list(tally.workers.values()):
                worker.log_ended()
        self._judge_late(None)

    def _clock_jumped(self, tally: ServerTally, at: int) -> None:
        """Go on at the new time, where the clock was set or a piece of the log is missing."""
        workers, by = tally.workers.values(), at - tally.last_at
        tally.set_back += by < 0
        if (
            by < 0
            or any(worker.is_overdue(at) for worker in workers)
            or (by in _SUMMER_MS and any(worker.is_starting for worker in workers))
        ):
            self._judge_late(None)
            for worker in workers:
                worker.clock_was_set(by)

    def _worker(self, tally: ServerTally, record: LogRecord) -> LoggedWorker | None:
        if self._workers >= MOST_WORKERS:
            self.left_out += 1
            return None
        self._workers += 1
        model = tally.models.get(record.name)
        if model is None:
            name, version = tally.split(record.name)
            begin = self.first_at or 0
            model = ModelTally(name, version, Timeline(begin), self._limits)
            model.ignored_window = tally.ignored.get(name)
            tally.models[record.name] = model
        of_model = model

        def ended(ended_worker: LoggedWorker, attempt: LoggedProcess) -> None:
            self._ended(tally, of_model, ended_worker, attempt)

        worker = model.workers[record.port] = LoggedWorker(ended)
        tally.workers[record.name, record.port] = worker
        return worker

    def _ended(
        self, tally: ServerTally, model: ModelTally, worker: LoggedWorker, attempt: LoggedProcess
    ) -> None:
        """Take note of a load that came out well, or of a process that ended."""
        has_loaded = attempt.ended_at is None
        at = (attempt.loaded_at if has_loaded else attempt.ended_at) or 0
        self._late.append(_Late(at, tally, model, worker, attempt, has_loaded))

    def _judge_late(self, before: int | None) -> None:
        """Judge the attempts that ended before a time, all of them for None."""
        while self._late and (before is None or self._late[0][0] <= before):
            at, tally, model, worker, attempt, has_loaded = self._late.popleft()
            if attempt.holds:
                # A worker that rejects has loaded in the frontend's eyes, and goes on to end.
                if attempt.counted:
                    continue
                attempt.counted = True
                model.is_held(at, attempt.held_why.decode("utf-8", "replace"))
                continue
            model.has_package = model.has_package or worker.has_package
            if has_loaded:
                model.has_loaded(worker, at)
                continue
            if attempt.loaded_at is not None:
                model.has_died(at, timed_out=is_time_out(attempt))
            else:
                model.has_failed(worker, self._judge.cause_of(attempt), attempt, at)
            log_goes_on = tally.last_at - at > _LATE_MS
            if log_goes_on and tally.server.from_frontend and worker.attempt is attempt:
                worker.goes_unretried()

    def _of_server(self, tally: ServerTally, at: int, record: LogRecord) -> None:
        if _VERSION.search(record.text):
            self._continued(tally, at, record.text)
            return
        registered = tally.told(record.text.decode("utf-8", "replace"), at, record.name)
        known = tally.models.get(registered) if registered is not None else None
        if known is not None:
            self._judge_late(None)
            known.registered()

    def _continued(self, tally: ServerTally, at: int, text: bytes) -> None:
        """Take a line that continues the record above: a Java exception, or the server's greeting."""
        found = _VERSION.search(text)
        if found is not None:
            if at - tally.started_at > _LATE_MS or not tally.starts:
                tally.starts += 1
                tally.serves, tally.ended = False, None
                self._judge_late(None)
                for model in tally.models.values():
                    for worker in model.workers.values():
                        worker.server_ended()
            tally.started_at = at
            tally.torchserve = found[1].decode()
        elif b"Exception: " in text or b"Error: " in text or text.startswith(b"ERROR: "):
            if tally.in_error is not None:
                tally.in_error.error(text.strip())
            elif tally.awaits_why is not None and not tally.awaits_why.why:
                tally.awaits_why.why = without_java_type(text.decode("utf-8", "replace").strip())
