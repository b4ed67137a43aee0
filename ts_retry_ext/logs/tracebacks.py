"""Cut tracebacks out of what processes wrote: each is one process's, and ends where Python's format ends."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple, Sequence

from ts_retry_ext.logs.foreign_lines import is_foreign, is_of_new_process, is_whole_message
from ts_retry_ext.logs.shared_prefix import PrefixPatterns
from ts_retry_ext.logs.traceback_grammar import (
    FRAME,
    GROUP_HEADER,
    HEADER,
    HEADER_LINE,
    JOINT,
    MARKER,
    MESSAGE_LINES,
    RAIL,
    RAISED,
    REMOTE,
    Awaits,
    OpenTraceback,
    leave_group,
    next_of,
    turn,
)

#: Stands for half a second or more in which a process wrote nothing; no line of a log can hold it.
PAUSE = "\x00pause"
#: Python 3.13 colors a traceback if it writes to a terminal, and so do many loggers.
_COLOURS = re.compile(r"\x1b\[[\d;]{0,20}[mK]")
#: Tracebacks followed at once.
_MOST_OPEN = 16

#: After a blank line a text without TorchServe's heads goes on with something else, but for these.
_AFTER_BLANK = re.compile(
    r"^(?:(?:Repository|Revision|Entry|Bucket) Not Found|Cannot access|Access to model|Check the documentation of torch\.load"
    r"|Please (?:make sure|enable|note)|If you are trying|Invalid username|The above operation failed)"
)


class Traceback(NamedTuple):
    """Hold one printed traceback with its whole chain.

    Attributes:
        writer: rank or process that stands in front of its lines; empty if none does.
        lines: from the header to the last line of the last message, without what loggers put in front.
        above: what the same writer wrote right before it.
        is_whole: whether its exception is there, not only frames.
    """

    lines: tuple[str, ...]
    above: str
    is_whole: bool
    writer: str = ""

    @property
    def text(self) -> str:
        """Return it as Python prints it."""
        return "\n".join(self.lines)


def cut(lines: Iterable[str], *, has_heads: bool = True) -> list[Traceback]:
    """Return the tracebacks that lines hold, in the order in which they begin.

    Args:
        lines: what one worker's processes wrote, or a text of unknown origin.
        has_heads: whether TorchServe's head stood in front of each line, so that a blank line is the process's own.
    """
    lines = [_COLOURS.sub("", line) if "\x1b" in line else line for line in lines]
    patterns = PrefixPatterns.of(_prefixes(lines))
    cutter = _Cutter(has_heads=has_heads)
    for line in lines:
        writer, bare = patterns.split(line)
        cutter.take(writer, bare)
    return cutter.finish()


def _prefixes(lines: Sequence[str]) -> list[str]:
    """Return what stands in front of headers: what a logger puts before each line of its own."""
    found = []
    for line in lines:
        at = line.find(HEADER)
        if at > 0 and not line[:at].strip(" |+").startswith("Exception Group"):
            before = line[:at]
            if not RAIL.match(before) or (before.strip() == "|" and not before.startswith("  ")):
                found.append(before)
    return found


class _Cutter:
    """Offer each line to the tracebacks that are open."""

    def __init__(self, *, has_heads: bool) -> None:
        self._has_heads = has_heads
        self._open: list[OpenTraceback] = []
        self._all: list[OpenTraceback] = []
        self._above: dict[str, str] = {}
        self._recent: dict[str, list[str]] = {}
        self._at = 0

    def take(self, writer: str, line: str) -> None:
        """Take the next line of a writer."""
        self._at += 1
        line = line.rstrip()
        if line == PAUSE:
            self._close(Awaits.MESSAGE)
        elif is_of_new_process(line):
            self._close(*Awaits)
        elif not line.strip():
            self._blank(writer)
        else:
            self._line(writer, line)
            if not HEADER_LINE.match(line):
                self._above[writer] = line
        if len(self._open) > _MOST_OPEN:
            del self._open[0]

    def finish(self) -> list[Traceback]:
        """Return what was cut out."""
        return [
            Traceback(
                tuple(found.lines[: found.kept or None]), found.above, found.whole, found.writer
            )
            for found in self._all
            if found.whole or len(found.lines) > 1
        ]

    def _line(self, writer: str, line: str) -> None:
        for found in self._open:
            found.in_burst = found.in_burst and self._at - found.touched == 1
        own = [found for found in self._open if found.writer == writer]
        bare = line.strip()
        if HEADER_LINE.match(bare):
            self._header(writer, own, bare)
        elif GROUP_HEADER.match(line):
            chained = next_of(own, Awaits.CHAINED)
            (chained or self._begin(writer)).add(line, Awaits.RAILS, self._at)
        elif own or line.startswith("  File "):
            self._of_open(writer, own, line)
        elif JOINT.match(bare):
            self._without_stack(writer, bare)
        else:
            self._remember(writer, line)

    def _remember(self, writer: str, line: str) -> None:
        """Keep what may prove to be an exception without a stack: one that was never raised (`raise A from B()`)."""
        recent = self._recent.setdefault(writer, [])
        if line and RAISED.match(line):
            recent[:] = [self._above.get(writer, "")]
        elif not recent or is_foreign(line) or len(recent) >= MESSAGE_LINES:
            recent.clear()
            return
        recent.append(line)

    def _without_stack(self, writer: str, joint: str) -> None:
        """Begin a chain with an exception without a stack, at the sentence that joins it to the next one."""
        above, *lines = self._recent.pop(writer, None) or [""]
        if lines:
            found = self._begin(writer)
            found.above = above
            for line in [*lines, joint]:
                found.add(line, Awaits.CHAINED, self._at)

    def _header(self, writer: str, own: Sequence[OpenTraceback], line: str) -> None:
        chained = next_of(own, Awaits.CHAINED)
        if chained is not None:
            chained.add(line, Awaits.FRAME, self._at)
            return
        for found in own:
            if found.awaits in (Awaits.MESSAGE, Awaits.RAILS):
                self._end(found)
        self._begin(writer).add(line, Awaits.FRAME, self._at)

    def _of_open(self, writer: str, own: Sequence[OpenTraceback], line: str) -> None:
        """Give a line to the traceback that it continues, if any."""
        rails = next_of(own, Awaits.RAILS)
        if rails is not None:
            if RAIL.match(line):
                rails.add(line, Awaits.RAILS, self._at)
                rails.whole = True
                return
            leave_group(rails)
        frame = FRAME.match(line)
        if frame is not None:
            self._frame(writer, own, line, frame[1] or "")
        elif JOINT.match(line.strip()):
            joined = next_of(own, Awaits.MESSAGE)
            if joined is not None:
                joined.add(line.strip(), Awaits.CHAINED, self._at)
        elif line[:1] in " \t":
            self._indented(own, line)
        else:
            self._flush_left(own, line)

    def _frame(self, writer: str, own: Sequence[OpenTraceback], line: str, function: str) -> None:
        waiting = [f for f in own if f.awaits in (Awaits.FRAME, Awaits.SOURCE, Awaits.MORE)]
        if waiting:
            called = re.compile(rf"\b{re.escape(function)}\b")
            # A frame's source line mostly names what it calls, which tells interleaved stacks apart.
            found = min(
                waiting,
                key=lambda f: (
                    not (function and called.search(f.source)),
                    {Awaits.FRAME: 0, Awaits.MORE: 1}.get(f.awaits, 2),
                    turn(f),
                ),
            )
        else:
            in_message = [f for f in own if f.awaits is Awaits.MESSAGE]
            if in_message:
                self._continue(in_message, line)
                return
            found = self._begin(writer)  # The excerpt begins within a traceback.
            found.lines.append(f"{HEADER}:")
        found.add(line, Awaits.SOURCE, self._at)
        found.source = ""

    def _indented(self, own: Sequence[OpenTraceback], line: str) -> None:
        source = next_of(own, Awaits.SOURCE)
        more = [f for f in own if f.awaits is Awaits.MORE]
        messages = [f for f in own if f.awaits is Awaits.MESSAGE]
        if source is not None and line.startswith("    "):
            source.add(line, Awaits.MORE, self._at)
            source.source = line
        elif more and (MARKER.match(line) or not messages):
            found = max(more, key=lambda f: f.touched)
            found.add(line, Awaits.MORE, self._at)
        elif source is not None and MARKER.match(line):
            source.add(line, Awaits.MORE, self._at)
        elif messages:
            self._continue(messages, line)

    def _flush_left(self, own: Sequence[OpenTraceback], line: str) -> None:
        raising = next(
            (
                found
                for awaits in (Awaits.MORE, Awaits.SOURCE, Awaits.FRAME, Awaits.CHAINED)
                for found in [next_of(own, awaits)]
                if found is not None
            ),
            None,
        )
        if raising is not None and REMOTE.match(line):
            raising.add(line, Awaits.FRAME, self._at)
        elif raising is not None and RAISED.match(line):
            raising.add(line, Awaits.MESSAGE, self._at)
            raising.whole = True
            raising.message_lines = MESSAGE_LINES if is_whole_message(line) else 1
        else:
            messages = [f for f in own if f.awaits is Awaits.MESSAGE]
            if messages:
                self._continue(messages, line)

    def _continue(self, messages: Sequence[OpenTraceback], line: str) -> None:
        """Give a line to a message, or end the message there."""
        latest = max(messages, key=lambda f: f.touched)
        if (
            line.strip() == '"""'
        ):  # Ends the traceback of another process that multiprocessing passes on.
            latest.message_lines = MESSAGE_LINES
            return
        # Messages of processes that write at the same time grow in turns.
        beside = [f for f in messages if f is latest or f.touched >= latest.begun]
        found = min(beside, key=lambda f: (f.message_lines, f.touched))
        if is_foreign(line) or found.message_lines >= MESSAGE_LINES:
            for each in messages:
                self._end(each)
            return
        if found.blanks and not self._has_heads and not _AFTER_BLANK.match(line):
            self._end(found)
            return
        found.add(line, Awaits.MESSAGE, self._at)
        found.message_lines += 1

    def _blank(self, writer: str) -> None:
        if self._recent.get(writer):
            self._recent[writer].append("")
        own = [f for f in self._open if f.writer == writer or not f.writer]
        if own:
            latest = max(own, key=lambda f: f.touched)
            if latest.awaits in (Awaits.MESSAGE, Awaits.CHAINED, Awaits.RAILS):
                if latest.awaits is Awaits.RAILS:
                    leave_group(latest)
                latest.blanks = min(latest.blanks + 1, 3)

    def _begin(self, writer: str) -> OpenTraceback:
        found = OpenTraceback(writer, self._above.get(writer, ""), begun=self._at)
        self._open.append(found)
        self._all.append(found)
        return found

    def _end(self, found: OpenTraceback) -> None:
        found.awaits = Awaits.NOTHING
        if found in self._open:
            self._open.remove(found)

    def _close(self, *awaits: Awaits) -> None:
        for found in list(self._open):
            if found.awaits in awaits:
                self._end(found)
