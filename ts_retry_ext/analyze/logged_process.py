"""One start of a worker process, and what it wrote."""

from __future__ import annotations

from dataclasses import dataclass, field

#: Bytes of a process's output that are kept; of more the end.
OUTPUT_LIMIT = 256 * 1024
_LINE_LIMIT = 4_000


@dataclass
class Output:
    """Keep the end of what a process wrote to one stream."""

    lines: list[bytes] = field(default_factory=list)
    size: int = 0

    def add(self, line: bytes) -> None:
        """Add a line; older ones give way."""
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
        pid: its process id, as it prints it; empty until then.
        loads: whether LOAD was sent to it.
        loaded_at: when it had loaded the model, or None.
        ended_at: when the frontend noticed its end, or None.
        stopped: whether the frontend says that it is stopped.
        retried: whether the frontend announced another start after it.
        errors: what the frontend's own exception said of its end.
        holds: whether it was a holder of this package, which loads nothing.
    """

    started_at: int | None
    pid: bytes = b""
    loads: bool = False
    loaded_at: int | None = None
    ended_at: int | None = None
    stopped: bool = False
    retried: bool = False
    errors: list[bytes] = field(default_factory=list)
    holds: bool = False
    stdout: Output = field(default_factory=Output)
    stderr: Output = field(default_factory=Output)

    def clock_was_set(self, by: int) -> None:
        """Take note that the log's clock jumped by so many milliseconds."""
        self.started_at = None if self.started_at is None else self.started_at + by
        self.loaded_at = None if self.loaded_at is None else self.loaded_at + by
        self.ended_at = None if self.ended_at is None else self.ended_at + by
