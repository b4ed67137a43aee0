"""One start of a worker process, and what it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

from ts_retry_ext.logs.root_cause import DIED
from ts_retry_ext.logs.traceback_grammar import HEADER
from ts_retry_ext.logs.tracebacks import PAUSE

#: Bytes of a process's output that are kept; of more the end.
OUTPUT_LIMIT = 256 * 1024
_LINE_LIMIT = 4_000
#: What comes after so long is no part of the message above.
_PAUSE_MS = 500
_PAUSE = PAUSE.encode()
_HEADER, _DIED = HEADER.encode(), DIED.encode()


@dataclass
class Output:
    """Keep the end of what a process wrote to one stream, with a mark where it wrote nothing for a while."""

    lines: list[bytes] = field(default_factory=list)
    size: int = 0
    last_at: int = 0

    @property
    def texts(self) -> list[str]:
        """Return the lines as text."""
        return [line.decode("utf-8", "replace") for line in self.lines]

    def add(self, line: bytes, at: int) -> None:
        """Add a line that was written at `at`, in milliseconds; older ones give way."""
        if at - self.last_at >= _PAUSE_MS and self.lines:
            self.lines.append(_PAUSE)
        self.last_at = at
        if len(line) > _LINE_LIMIT:
            line = line[:_LINE_LIMIT]
        self.lines.append(line)
        self.size += len(line) + 64
        if self.size > OUTPUT_LIMIT:
            del self.lines[: len(self.lines) // 2 + 1]
            self.size = sum(map(len, self.lines)) + 64 * len(self.lines)


@dataclass
class LoggedProcess:
    """One process of a worker, from its start to its end. Times are milliseconds since the epoch.

    Attributes:
        started_at: None where the log begins later.
        pid, pid_at: its process id, as it prints it, and when; empty until then.
        loads: whether LOAD was sent to it.
        loaded_at: when it had loaded the model, or None.
        ended_at: when the frontend noticed its end, or None.
        stopped: whether the frontend says that it is stopped.
        retried: whether the frontend announced another start after it.
        errors: what the frontend's own exception said of its end.
        holds: whether it was a holder of this package, which loads nothing.
        is_group: whether several processes (ranks) share its output.
        held_why: what a holder said of the cause.
        counted: whether it was counted as a holder.
        begins_before: whether the log begins within its life.
    """

    started_at: int | None
    pid: bytes = b""
    pid_at: int = 0
    loads: bool = False
    loaded_at: int | None = None
    ended_at: int | None = None
    stopped: bool = False
    retried: bool = False
    errors: list[bytes] = field(default_factory=list)
    holds: bool = False
    is_group: bool = False
    held_why: bytes = b""
    counted: bool = False
    begins_before: bool = False
    stdout: Output = field(default_factory=Output)
    stderr: Output = field(default_factory=Output)

    @property
    def is_running(self) -> bool:
        """Tell whether it has neither loaded the model nor ended."""
        return self.loaded_at is None and self.ended_at is None

    @property
    def last_at(self) -> int:
        """Return when it wrote last."""
        return max(self.stdout.last_at, self.stderr.last_at)

    @property
    def has_traceback(self) -> bool:
        """Tell whether it wrote one."""
        return any(_HEADER in line for out in (self.stdout, self.stderr) for line in out.lines)

    @property
    def died(self) -> bool:
        """Tell whether the worker script said that it ends."""
        return _DIED in self.stdout.lines

    @property
    def ends_with_traceback(self) -> bool:
        """Tell whether the last that it wrote are a frame's lines and what follows at once."""
        return any(
            line.startswith(b"  File ")
            for out in (self.stdout, self.stderr)
            for line in out.lines[-4:]
        )

    def clock_was_set(self, by: int) -> None:
        """Take note that the log's clock jumped by so many milliseconds."""
        self.started_at = None if self.started_at is None else self.started_at + by
        self.loaded_at = None if self.loaded_at is None else self.loaded_at + by
        self.ended_at = None if self.ended_at is None else self.ended_at + by
