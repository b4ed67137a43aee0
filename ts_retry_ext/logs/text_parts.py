"""What a text of whatever kind holds, a log in any form or a paste: tracebacks, exceptions, and exit codes."""

from __future__ import annotations

import re
import signal
from typing import Iterable, Iterator, NamedTuple

from ts_retry_ext.logs.foreign_lines import is_foreign
from ts_retry_ext.logs.log_record import Kind, LogRecord, parse_line, records_of_json
from ts_retry_ext.logs.traceback_grammar import HEADER
from ts_retry_ext.logs.tracebacks import Traceback, cut

#: An exception's line without its traceback.
_EXCEPTION = re.compile(
    r"(?<![\w.])(?:[A-Za-z_]\w{0,80}\.){0,12}[A-Z]\w{0,80}(?:Error|Exception|Timeout)\b(?:\([\w.]+\))?: \S.*$"
)
#: How the types end that `_EXCEPTION` finds; a longer line holds none.
_ENDINGS, _LONGEST = ("Error", "Exception", "Timeout"), 8_000
_FRAME = '  File "'
_RAISED = re.compile(
    r"^(?:(?:[A-Za-z_]\w{0,80}\.){1,12}[A-Za-z_]\w{0,80}"
    r"|[A-Z_]\w{0,80}(?:Error|Exception|Exit|Interrupt|Warning|Timeout|Failure|Found|Expired|Refused|Unavailable|Exceeded))(?:: |$)"
)
_JAVA = re.compile(r"\b(?:java|javax|sun|com|org|io)\.[\w.$]{1,200}(?:Exception|Error)\b|^\s*(?:at [\w.$/]+\(|Caused by: )")  # fmt: skip
#: As Kubernetes, Docker, torchrun, shells and Python's subprocess write them.
_EXITED = re.compile(
    r"\b(?:exit[ _]?(?:code|status)|exited with(?: code| status)?|return(?:ed)? (?:code|status)|non-zero exit status|status)"
    r"\s*[:=]?\s*(?:code\s*)?(-?\d{1,3})\b|\bSignals\.(SIG[A-Z]{3,6})\b|\b(?:signal|Signal)\s*[:=]?\s*(\d{1,2})\b|\b(OOMKilled)\b",
    re.IGNORECASE,
)
_SAYS = {
    signal.SIGKILL: "it was killed, most often because memory ran out",
    signal.SIGSEGV: "a native library crashed",
    signal.SIGABRT: "a native library gave up",
    signal.SIGTERM: "it was asked to end",
    signal.SIGBUS: "a native library crashed, often as shared memory (/dev/shm) ran out",
    signal.SIGILL: "a native library was built for another processor",
}
_CODES = {
    1: "an exception that is not in the text, or an error that it reported itself",
    126: "the command could not be run",
    127: "the command was not found",
}


class TextParts(NamedTuple):
    """Hold what a text consists of.

    Attributes:
        tracebacks: all that have their exception, in order.
        exceptions: lines that hold type and message of an exception outside of any traceback.
        rest: lines that are neither the frontend's nor Java's.
        has_heads: whether TorchServe's lines are among them.
    """

    tracebacks: tuple[Traceback, ...]
    exceptions: tuple[str, ...]
    rest: tuple[str, ...]
    has_heads: bool


def parts_of(lines: Iterable[bytes]) -> TextParts:
    """Return what lines hold, without what collectors put around them."""
    written: dict[tuple[bytes, ...], list[tuple[int, str]]] = {}
    heads, number = False, 0
    for line in lines:
        for record in records_of_json(line) or (parse_line(line),):
            number += 1
            heads = heads or record.kind is not Kind.CONTINUED
            if record.kind in (Kind.WORKER, Kind.SERVER):
                continue
            text = record.text.decode("utf-8", "replace").rstrip("\r")
            if record.kind is Kind.CONTINUED and _JAVA.search(text):
                continue
            written.setdefault(_writer(record), []).append((number, text))
    found: list[tuple[int, Traceback]] = []
    for who, own in written.items():
        texts = [text for _, text in own]
        if not any(HEADER in text or _FRAME in text for text in texts):
            continue
        # The n-th traceback of a writer begins where its n-th header stands.
        begins = dict(enumerate(at for at, text in own if HEADER in text))
        cut_out = cut(texts, has_heads=bool(who[0]))
        found += [(begins.get(index, number), one) for index, one in enumerate(cut_out)]
    tracebacks = tuple(one for _, one in sorted(found, key=lambda pair: pair[0]) if one.is_whole)
    rest = [text for _, text in sorted(pair for own in written.values() for pair in own)]
    return TextParts(tracebacks, tuple(_exceptions(rest)), tuple(rest), heads)


def begins_with_exception(line: str) -> bool:
    """Tell whether a line begins with an exception's type and message."""
    return _RAISED.match(line) is not None


def _writer(record: LogRecord) -> tuple[bytes, ...]:
    if record.kind is Kind.CONTINUED:
        return b"", record.origin
    return b"worker", record.origin, record.port, record.name, bytes([record.kind])


def _exceptions(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if len(line) > _LONGEST or not any(word in line for word in _ENDINGS):
            continue
        found = _EXCEPTION.search(line)
        if found is not None and not _JAVA.search(line) and not is_foreign(found[0]):
            yield found[0]


def exits_in(lines: Iterable[str]) -> Iterator[str]:
    """Yield a sentence for each exit code or signal that lines name, each once."""
    seen: set[str] = set()
    for line in lines:
        for found in _EXITED.finditer(line[:2_000]):
            said = _said(found)
            if said is not None and said not in seen:
                seen.add(said)
                yield said


def _said(found: re.Match[str]) -> str | None:
    code, name, number, killed = found.groups()
    if killed:
        return "OOMKilled: the container was killed because it needed more memory than its limit"
    if code is not None:
        value = int(code)
        if value in _CODES:
            return f"exit code {value}: {_CODES[value]}"
        ended_by = value - 128 if value > 128 else -value
        known = _signal(ended_by)
        return None if known is None else f"exit code {value} ({known.name}): {_SAYS[known]}"
    known = signal.Signals.__members__.get(name.upper()) if name else _signal(int(number))
    return f"{known.name}: {_SAYS[known]}" if known in _SAYS else None


def _signal(number: int) -> signal.Signals | None:
    try:
        known = signal.Signals(number)
    except ValueError:
        return None
    return known if known in _SAYS else None
