"""Find the tracebacks of a text of whatever kind: a log in any form, a paste, what an interpreter printed."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

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
        begins = _beginnings(own)
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


def _beginnings(own: list[tuple[int, str]]) -> dict[int, int]:
    """Return for the n-th traceback of a writer the number of the line that its n-th header stands in."""
    numbers = [number for number, text in own if HEADER in text]
    return dict(enumerate(numbers))


def _exceptions(lines: Iterable[str]) -> Iterable[str]:
    for line in lines:
        if len(line) > _LONGEST or not any(word in line for word in _ENDINGS):
            continue
        found = _EXCEPTION.search(line)
        if found is not None and not _JAVA.search(line) and not is_foreign(found[0]):
            yield found[0]
