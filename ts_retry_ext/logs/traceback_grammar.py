"""How Python prints a traceback, line by line, and what one that is being read goes on with."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Sequence

#: How the line begins that stands above the frames.
HEADER = "Traceback (most recent call last)"
#: Lines of one message that are kept.
MESSAGE_LINES = 300

HEADER_LINE = re.compile(r"^Traceback \(most recent call last\):?\s*$")
GROUP_HEADER = re.compile(r"^\s*\+ Exception Group Traceback \(most recent call last\):\s*$")
RAIL = re.compile(r"^\s*(?:\||\+-|\+ )")
FRAME = re.compile(r'^\s+File "[^"\n]{1,4000}", line \d+(?:, in (.{1,400}))?\s*$')
MARKER = re.compile(r"^\s*[~^]+\s*$|^\s+\[Previous line repeated \d+ more times?\]\s*$|^\s+\.\.\.<\d+ lines>\.\.\.\s*$")  # fmt: skip
JOINT = re.compile(
    r"^(?:The above exception was the direct cause of the following exception"
    r"|During handling of the above exception, another exception occurred):\s*$"
)
#: Type and message. A logger's `wandb: …` and `INFO: …` look alike: a type has a capital or ends in "error".
RAISED = re.compile(
    r"^(?!(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b)(?:[A-Za-z_]\w{0,120}\.){0,12}"
    r"(?:[A-Z]\w{0,120}|_\w{0,120}|\w{0,120}(?:error|exception|timeout))(?:: ?.*)?$"
)
#: An exception of another process, whose own stack and exception follow (Ray).
REMOTE = re.compile(r"^[\w.]{1,200}\([\w.]{1,200}\): ")


class Awaits(IntEnum):
    """What a traceback that is being read goes on with."""

    FRAME = 0  # after its header
    SOURCE = 1  # after the line of a frame
    MORE = 2  # after a frame: another one, or the exception
    MESSAGE = 3  # after the exception's first line
    CHAINED = 4  # after the sentence that joins two exceptions
    RAILS = 5  # an exception group, drawn with rails
    NOTHING = 6


@dataclass
class OpenTraceback:
    """One traceback while it is read."""

    writer: str
    above: str
    awaits: Awaits = Awaits.FRAME
    lines: list[str] = field(default_factory=list)
    blanks: int = 0
    begun: int = 0
    touched: int = 0
    whole: bool = False
    message_lines: int = 0
    source: str = ""
    in_burst: bool = False
    #: Lines up to the last exception that is there; a chain can be cut in the next one's stack.
    kept: int = 0

    def add(self, line: str, awaits: Awaits, at: int) -> None:
        """Take line number `at` of the text."""
        self.lines += [""] * self.blanks
        self.blanks = 0
        self.lines.append(line)
        self.in_burst = at - self.touched == 1
        self.awaits, self.touched = awaits, at
        if awaits in (Awaits.MESSAGE, Awaits.RAILS):
            self.kept = len(self.lines)


def leave_group(group: OpenTraceback) -> None:
    """Let only another exception of the chain follow a group."""
    group.awaits, group.message_lines = Awaits.MESSAGE, MESSAGE_LINES


def next_of(own: Sequence[OpenTraceback], awaits: Awaits) -> OpenTraceback | None:
    """Return the traceback that a line continues, of those that await it."""
    waiting = [found for found in own if found.awaits is awaits]
    return min(waiting, key=turn) if waiting else None


def turn(found: OpenTraceback) -> tuple[bool, int]:
    """Order tracebacks: one whose process writes several lines at once, then the one that waits longest."""
    return (not found.in_burst, found.touched)
