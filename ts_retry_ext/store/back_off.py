"""Tell from a journal how far the frontend is in its retry schedule for one worker.

The frontend counts stops and measures its window from the first one, both since the worker last
answered LOAD with 200, and both for each worker by itself (TorchServe 0.12.0 WorkerThread).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Callable, Sequence

from ts_retry_ext.archive.schedule import is_open, wait_before
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds

#: How much later than planned a retry may come before it counts as not coming.
GRACE_SEC = 10.0
#: The same where torchrun or the CPU launcher starts the process: it imports torch first.
LAUNCHER_GRACE_SEC = 40.0

#: No load takes longer, whatever startupTimeout says.
LONGEST_LOAD_SEC = 86_400.0
#: Tells by when a process, by id and start, has died, seconds since the epoch; None while it runs.
DiedBy = Callable[[int, str], "float | None"]

_ENDS = (Event.FAILURE, Event.END, Event.RELEASE)


@dataclass(frozen=True)
class BackOff:
    """Where one worker stands.

    Attributes:
        stops: how often it has stopped, the present process not counted.
        first_stop_at: when its window began, seconds since the epoch; None where it never stopped.
        pid: process id of its newest process.
        start: names the start of that process for good.
        has_loaded: whether that process has loaded the model.
        last_word_at: when that process last wrote to the journal.
        ended_at: when that process said that it ends, or None.
        grace_sec: how long a process that is due may take until its first word.
    """

    stops: int
    first_stop_at: float | None
    pid: int
    start: str
    has_loaded: bool
    last_word_at: float
    ended_at: float | None
    grace_sec: float = GRACE_SEC

    @property
    def next_wait_sec(self) -> int:
        """Return how long the frontend waits before a retry once the newest process has ended."""
        return wait_before(self.stops + 1)

    def is_over(self, window_sec: float, now: float) -> bool:
        """Tell whether a stop at `now` (seconds since the epoch) is not retried any more."""
        begun = now if self.first_stop_at is None else self.first_stop_at
        return not is_open(now - begun, window_sec)

    def has_given_up(self, window_sec: float, now: float, died_by: DiedBy) -> bool:
        """Tell whether the frontend has certainly stopped for good to retry this worker.

        A process can die long after its last word, and the wait before the retry begins then. So the
        retry is overdue only if it is overdue after the latest death that would be retried.
        """
        died = died_by(self.pid, self.start)
        if died is None:
            return False
        if self.is_over(window_sec, self.last_word_at):
            return True
        if self.first_stop_at is not None:
            died = min(died, self.first_stop_at + window_sec)
        if not self.has_loaded:
            died = min(died, self.last_word_at + LONGEST_LOAD_SEC)
        return now - died > self.next_wait_sec + self.grace_sec

    def ended_late(self, window_sec: float) -> bool:
        """Tell whether its newest process said that it ends, and after the window."""
        return self.ended_at is not None and self.is_over(window_sec, self.ended_at)


def back_off(records: Sequence[Record], socket: str) -> BackOff | None:
    """Return where the worker with `socket` stands, or None where the journal does not know it."""
    own = [r for r in records if r.socket == socket and r.pid is not None]
    loaded = max((i for i, r in enumerate(own) if r.event is Event.LOADED), default=None)
    since = own if loaded is None else own[loaded:]
    starts = _first_words(since)
    if not starts:
        return None
    newest = starts[-1]
    words = [r for r in since if _process(r) == _process(newest) and r.event is not Event.CRASH]
    first_stop_at = None
    ended = [to_seconds(r.at) for r in words if r.event in _ENDS]
    if len(starts) > 1:
        # The frontend waits a second before its first retry; a crash is written down only then.
        first_stop_at = to_seconds(starts[1].at) - wait_before(1)
        if starts[1].launcher:
            # It takes its time until the next first word, so the last one of the first process counts.
            first = [r for r in since if _process(r) == _process(starts[0])]
            first_ends = [to_seconds(r.at) for r in first if r.event in _ENDS]
            first_stop_at = min([first_stop_at, *first_ends[-1:]])
    elif ended:
        first_stop_at = ended[-1]
    return BackOff(
        stops=len(starts) - 1,
        first_stop_at=first_stop_at,
        pid=newest.pid or 0,
        start=newest.start or "",
        has_loaded=any(r.event is Event.LOADED for r in words),
        last_word_at=to_seconds(words[-1].at),
        ended_at=ended[-1] if ended else None,
        grace_sec=LAUNCHER_GRACE_SEC if newest.launcher else GRACE_SEC,
    )


def _first_words(records: Sequence[Record]) -> list[Record]:
    """Return the first record of each process, oldest process first.

    Crashes are left out: a later process writes them, in the name of the one that died.
    """
    seen: dict[object, Record] = {}
    for record in records:
        if record.event is not Event.CRASH:
            seen.setdefault(_process(record), record)
    return list(seen.values())


def _process(record: Record) -> tuple[object, object]:
    return (record.pid, record.start)
