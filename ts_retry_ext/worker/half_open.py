"""Half-open: give a model that is not loaded a trial load when there is a reason to.

A holder, or the process that waits after the frontend's window, calls `HalfOpen.look` twice a second.
The trial itself is a program of its own (`snapshot.trial_load`): it brings modules that a process
which holds for weeks has no room for, and it can be ended as a whole.
"""

from __future__ import annotations

import json
import os
import sys
import time

from ts_retry_ext.plain_text import cause_line, in_one_line
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import UntrustedFileError
from ts_retry_ext.store.halt_in_words import end_of_halt, state_word
from ts_retry_ext.store.lock import try_lock
from ts_retry_ext.store.marker import Marker, read_marker
from ts_retry_ext.store.record import Event, TrialResult
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.store.trial_budget import is_its_turn, lock_path
from ts_retry_ext.store.trial_request import TrialRequest, take_request
from ts_retry_ext.store.trial_schedule import LONGEST_ELSEWHERE_SEC
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.own_program import interpreter_options, own_command, start_detached
from ts_retry_ext.worker.protocol import LoadRequest
from ts_retry_ext.worker.session import Session
from ts_retry_ext.worker.watched_causes import Watch

PROGRAM = "ts_retry_ext.snapshot.trial_load"
DUE = "its time has come"
#: With what the program ends if the model has no workers because somebody wants none.
NOT_WANTED = 3
#: With what it ends if the workers may load, and the marker cannot be removed.
LET_GO = 4
#: How long to wait after another trial had the lock, or used up the budget; in seconds.
SHORTEST_PAUSE_SEC, LONGEST_PAUSE_SEC = 0.5, 3.0
#: How long to wait after a trial that has not planned the next one, in seconds; it doubles.
UNPLANNED_SEC = 60.0
#: A trial planned further ahead than so many longest intervals was planned by a clock that has been
#: set since.
_LATEST = 1.25


class HalfOpen:
    """Starts the trial loads of one registration, and knows whether one is under way.

    Args:
        session: this process.
        load: the LOAD message that this process was given; None where it was given none.
        is_worker: whether this process is a worker of the frontend's, and has a name in the journal.
    """

    def __init__(
        self, session: Session, load: LoadRequest | None, *, is_worker: bool = True
    ) -> None:
        self._session = session
        self._is_worker = is_worker
        self._load = load
        self._watch = Watch(session.directory)
        self._fingerprint = ""
        self._planned: str | None = None
        self._carried_out: str | None = None
        self._unplanned = 0
        self._due: float | None = None
        self._pause_until = 0.0
        self._wanted: TrialRequest | None = None
        self._program: tuple[int, int] | None = None
        self._last_status = 0

    @property
    def is_not_wanted(self) -> bool:
        """Tell whether the last trial was refused, since somebody has scaled the model to 0."""
        return self._has_ended_with(NOT_WANTED)

    @property
    def lets_go(self) -> bool:
        """Tell whether this process is to leave, since the marker cannot be removed.

        The directory cannot be written: the worker that comes next uses another one.
        """
        return self._has_ended_with(LET_GO)

    def is_still_trying(self) -> bool:
        """Tell whether a trial of this process is under way, and say how it went once it is over."""
        if self._program is not None:
            self._look_after_program()
        return self._program is not None

    def look(self, marker: Marker, *, only_asked: bool = False) -> None:
        """Start a trial where there is a reason to, or see whether the present one is over.

        Never raises: a process that holds must go on holding. If `only_asked`, a trial is started
        only for somebody who asks for it.
        """
        try:
            if not self.is_still_trying():
                self._look_for_reason(marker, only_asked=only_asked)
        except (OSError, ValueError) as error:
            self._pause_until = time.monotonic() + LONGEST_PAUSE_SEC
            say(f"model {self._session.name!r}: no trial load can be started: {error}")

    def _look_for_reason(self, marker: Marker, *, only_asked: bool) -> None:
        now = time.monotonic()
        self._follow(marker)
        # A request is taken whenever it comes, so that none is lost to a pause.
        self._wanted = take_request(self._session.directory) or self._wanted
        seen = self._watch.seen()
        if now < self._pause_until:
            return
        if self._wanted is not None:
            self._start(self._wanted, is_asked=True)
        elif only_asked:
            return
        elif seen is not None:
            self._start(TrialRequest(seen), is_asked=True)
        elif self._due is not None and now >= self._due:
            self._start(TrialRequest(DUE), is_asked=False)

    def _follow(self, marker: Marker) -> None:
        """Take over when the marker plans the next trial.

        The plan is a time of the day, for people; a clock that was set since brings the trial no
        earlier than now and no later than the longest interval.
        """
        self._watch.follow(marker.waits_for)
        self._fingerprint = marker.fingerprint
        if marker.next_trial_at == self._planned:
            return
        self._planned = marker.next_trial_at
        if self._planned is None:
            self._due = None
            return
        settings = self._session.settings
        longest = max(float(settings.longest_trial_interval.value), LONGEST_ELSEWHERE_SEC)
        ahead = to_seconds(self._planned) - time.time()
        if self._planned != self._carried_out:
            self._unplanned = 0
        else:
            # The last trial could not write down when the next one comes: the disk may be full.
            ahead = UNPLANNED_SEC * 2.0 ** min(self._unplanned, 6)
            self._unplanned += 1
        self._due = time.monotonic() + min(max(0.0, ahead), _LATEST * longest)

    def _start(self, wanted: TrialRequest, *, is_asked: bool) -> None:
        """Start the program, where no other trial runs and the budget allows it.

        One process cannot stand for torchrun's ranks, so theirs is the real load.
        """
        session = self._session
        server_dir = os.path.dirname(session.directory)
        overdue = 0.0 if self._due is None else time.monotonic() - self._due
        if not is_asked and not is_its_turn(server_dir, self._fingerprint, overdue):
            self._wait_a_little()
            return
        for_real = wanted.for_real or session.group is not None
        folder = _lock_of_folder(session.model_dir)
        places = (lock_path(session.directory), lock_path(server_dir), folder)
        locks: list[int] = []
        try:
            for place in places[: 1 if for_real else 3]:
                lock = _lock(place)
                if lock is None:
                    self._wait_a_little()
                    return
                locks.append(lock)
            self._wanted = None
            self._watch.absorb()
            say(f"model {session.name!r}: a trial load begins: {wanted.why}")
            self._due = None
            self._carried_out = self._planned or self._carried_out
            self._planned = ""  # What the marker says next counts, be it the same.
            command = own_command(PROGRAM)
            self._program = start_detached(command, tuple(lock for lock in locks if lock >= 0))
            job = self._job(wanted._replace(for_real=for_real), locks)
            _write_all(self._program[1], job)
        finally:
            for lock in locks:
                if lock >= 0:
                    os.close(lock)  # The program has it from here on.

    def _job(self, wanted: TrialRequest, locks: list[int]) -> bytes:
        session = self._session
        job = {
            "why": wanted.why,
            "for_real": wanted.for_real,
            "trial_locks": [lock for lock in locks[1:] if lock >= 0],
            "directory": session.directory,
            "frontend": session.frontend.pid,
            "pid": session.pid if self._is_worker else None,
            "start": session.start if self._is_worker else None,
            "socket": str(session.address) if self._is_worker else None,
            "model": session.name,
            "version": session.manifest.version,
            "model_dir": session.model_dir,
            "registration": session.registration,
            "argv": sys.argv,
            "load": None if self._load is None else self._load._asdict(),
            "asynchronous": session.asynchronous,
            "startup_timeout_sec": session.startup_timeout(),
            "first_trial_sec": session.settings.first_trial.value,
            "longest_trial_interval_sec": session.settings.longest_trial_interval.value,
            "options": interpreter_options(),
        }
        return json.dumps(job).encode("ascii") + b"\n"

    def _look_after_program(self) -> None:
        assert self._program is not None
        pid, pipe = self._program
        try:
            ended, status = os.waitpid(pid, os.WNOHANG)
        except ChildProcessError:  # Somebody has reaped it for us.
            ended, status = pid, 0
        if ended == 0:
            return
        os.close(pipe)
        self._program = None
        self._last_status = status
        if os.WIFEXITED(status):
            say(f"model {self._session.name!r}: {_outcome(self._session.directory)}")
        else:
            self._pause_until = time.monotonic() + LONGEST_PAUSE_SEC
            say(
                f"model {self._session.name!r}: the trial load's own process ended: {_named(status)}"
            )

    def _has_ended_with(self, status: int) -> bool:
        return os.WIFEXITED(self._last_status) and os.WEXITSTATUS(self._last_status) == status

    def _wait_a_little(self) -> None:
        # Not `random`: a holder has no room for it.
        share = os.urandom(1)[0] / 255
        pause = SHORTEST_PAUSE_SEC + share * (LONGEST_PAUSE_SEC - SHORTEST_PAUSE_SEC)
        self._pause_until = time.monotonic() + pause


def _lock_of_folder(model_dir: str) -> str:
    """Return the directory whose lock lets one trial run on a folder that two servers share.

    Not the model's own, if it can be: a handler may lock that one, and would never load in a trial.
    """
    manifest = os.path.join(model_dir, "MAR-INF")
    return manifest if os.path.isdir(manifest) else model_dir


def _lock(place: str) -> int | None:
    """Lock `place`; -1 where its file system has no locks, None where somebody else has it."""
    try:
        return try_lock(place)
    except OSError:
        return -1


def _outcome(directory: str) -> str:
    """Return how the last trial load went, for the log."""
    try:
        records = journal.read(directory)
        marker = read_marker(directory)
    except (OSError, UntrustedFileError):
        return "the trial load is over"
    tried = next((r for r in reversed(records) if r.event is Event.TRIED), None)
    if tried is None or tried.result is None:
        return "the workers load it for real"
    if tried.result is TrialResult.LOADED:
        return "the trial load succeeded, the workers load it for real"
    found = tried.exception
    why = (
        in_one_line(tried.reason or "") if found is None else cause_line(found.type, found.message)
    )
    ends = "" if marker is None else f" {end_of_halt(marker, time.time())}"
    state = "" if marker is None else f" The model is {state_word(marker.waits_for)}."
    return f"the trial load did not succeed ({tried.result.value}): {why}.{state}{ends}"


def _named(status: int) -> str:
    if os.WIFSIGNALED(status):
        return f"signal {os.WTERMSIG(status)}"
    return f"exit code {os.WEXITSTATUS(status)}"


def _write_all(descriptor: int, data: bytes) -> None:
    while data:
        data = data[os.write(descriptor, data) :]
