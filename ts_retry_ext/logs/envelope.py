"""Take a line out of the JSON that a log layout or a collector put around it."""

from __future__ import annotations

import json
import re
from typing import Any, Iterator, NamedTuple, Optional

#: Records that one line may hold; an event of CloudWatch is at most 1 MB.
MOST_EVENTS = 50_000
#: Times that a log can show, milliseconds since the epoch: up to the year 9999, less what time zones and sums add.
POSSIBLE_MS = range(253_370_764_800_000)
_MESSAGE_LINE = re.compile(rb'^\s*"(?:message|log|textPayload)"\s*:\s*(".*")\s*,?\s*$')

_HEAD = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[,.]\d{3}\d{0,6} +\[\w{4,5} *\] ")
_TEXTS = ("message", "msg", "log", "line", "textPayload", "@message")
_THREADS = ("thread", "threadName", "thread_name", "process.thread.name")
_TIMES = ("@timestamp", "timestamp", "time", "date", "timeMillis")
_ORIGINS = ("logStreamName", "logStream", "@logStream", "pod", "pod_name")
_PODS = ("pod_name", "pod")
_THROWN = ("thrown", "error.stack_trace", "stack_trace", "stack", "exception", "error.message")
_LISTS = ("events", "logEvents")


class Envelope(NamedTuple):
    """Hold what was inside.

    Attributes:
        text: the message; a whole line of TorchServe's where `thread` is None.
        thread: name of the thread in log4j2's JSON layout.
        at: milliseconds since the epoch, in that layout.
        origin: log stream or pod.
    """

    text: bytes
    thread: Optional[bytes] = None  # noqa: UP045
    at: Optional[int] = None  # noqa: UP045
    origin: bytes = b""


def unpacked(line: bytes) -> Iterator[Envelope]:
    """Yield what a line of JSON holds: log4j2's JSON layouts, docker's json-file, CloudWatch's events.

    A line that is not JSON yields itself, so that nothing is lost.
    """
    found = _MESSAGE_LINE.match(line)
    try:
        content = json.loads(found[1] if found else line.strip().rstrip(b","))
    except (ValueError, RecursionError):
        yield Envelope(line)
        return
    if isinstance(content, str):
        yield Envelope(_bytes(content))
    elif isinstance(content, dict):
        yield from _events(content, b"")
    elif isinstance(content, list):
        yield from _listed(content, b"")
    else:
        yield Envelope(line)


def _events(content: dict[str, Any], origin: bytes) -> Iterator[Envelope]:
    origin = _bytes(_first(content, _ORIGINS) or _pod(content)) or origin
    for key in _LISTS:
        if isinstance(content.get(key), list):
            yield from _listed(content[key], origin)
            return
    text = _first(content, _TEXTS)
    if text is None:
        text = _text_of_unknown_key(content)
    if isinstance(text, dict):
        text = text.get("message") or text.get("text")
    if text is None:
        return
    thread = _first(content, _THREADS)
    if thread is None:
        thread = _nested(content, "process", "thread", "name")
    if thread is None:
        yield Envelope(_bytes(text).rstrip(b"\r\n"), origin=origin)
        return
    at = _milliseconds(content)
    yield Envelope(_bytes(text), _bytes(thread), at, origin)
    thrown = _first(content, _THROWN)
    if isinstance(thrown, dict):
        thrown = f"{thrown.get('name')}: {thrown.get('message')}"
    if thrown:
        # Without layout a Java exception stands in lines of its own, its message in the first.
        yield Envelope(_bytes(thrown).partition(b"\n")[0], origin=origin)


def _listed(events: list[Any], origin: bytes) -> Iterator[Envelope]:
    for event in events[:MOST_EVENTS]:
        if isinstance(event, dict):
            yield from _events({k: v for k, v in event.items() if k not in _LISTS}, origin)


def _pod(content: dict[str, Any]) -> object:
    """Return the pod that Fluent Bit, Loki or Google's logging name, or None."""
    nested = _nested(content, "resource", "labels")
    for where in (content.get("kubernetes"), content.get("labels"), nested):
        if isinstance(where, dict):
            found = _first(where, _PODS)
            if found is not None:
                return found
    return None


def _nested(content: dict[str, Any], *keys: str) -> Any:
    """Return what stands at the end of a path of keys, or None."""
    found: Any = content
    for key in keys:
        found = found.get(key) if isinstance(found, dict) else None
    return found


def _first(content: dict[str, Any], keys: tuple[str, ...]) -> Any:
    return next((content[key] for key in keys if content.get(key) is not None), None)


def _text_of_unknown_key(content: dict[str, Any]) -> str | None:
    """Return what only can be the message: under a known key in another case, else the one value that is a sentence."""
    for key, value in content.items():
        if key.lower() in _TEXTS and isinstance(value, str):
            return value
    sentences = [
        value for value in content.values() if isinstance(value, str) and " " in value.strip()
    ]
    headed = [value for value in sentences if _HEAD.search(value)]
    if len(headed) == 1 or len(sentences) == 1:
        return (headed or sentences)[0]
    return None


def _bytes(value: object) -> bytes:
    if value is None:
        return b""
    return str(value).encode("utf-8", "replace")


def _milliseconds(content: dict[str, Any]) -> int | None:
    """Return the time of a record in one of log4j2's layouts, or None."""
    try:
        at = _told_ms(content)
    except (KeyError, TypeError, ValueError, OverflowError):
        return None
    return at if at in POSSIBLE_MS else None


def _told_ms(content: dict[str, Any]) -> int:
    instant = content.get("instant")
    if isinstance(instant, dict):
        return int(instant["epochSecond"]) * 1000 + int(instant["nanoOfSecond"]) // 1_000_000
    value = _first(content, _TIMES)
    return int(value) if isinstance(value, (int, float)) else _from_iso(str(value))


def _from_iso(text: str) -> int:
    from datetime import datetime, timezone

    text = text.strip().replace(",", ".")
    shift = re.search(r"(?:Z|([+-])(\d\d):?(\d\d))$", text)
    seconds = 0
    if shift:
        text = text[: shift.start()]
        if shift[1]:
            seconds = int(shift[1] + "1") * (int(shift[2]) * 3600 + int(shift[3]) * 60)
    whole, _, fraction = text.replace("T", " ").partition(".")
    at = datetime.strptime(whole, "%Y-%m-%d %H:%M:%S").replace(tzinfo=timezone.utc)
    return int(at.timestamp() - seconds) * 1000 + int((fraction + "000")[:3])
