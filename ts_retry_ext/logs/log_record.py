"""From a line of a log to a record: who says what, and when."""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache
from typing import Iterable, NamedTuple, Optional

from ts_retry_ext.logs.envelope import POSSIBLE_MS, Envelope, unpacked
from ts_retry_ext.logs.worth_reading import BEGINNINGS, STATE, tells, wrote

#: Bytes of a message that are kept.
TEXT_LIMIT = 16_000


class Kind(IntEnum):
    """Say who wrote a record."""

    OUTPUT = 0  # a worker's process, to its standard output
    ERRORS = 1  # the same, to its standard error
    WORKER = 2  # the frontend, of a worker
    SERVER = 3  # the frontend, of something else
    CONTINUED = 4  # a line without a head, which continues the record above


class LogRecord(NamedTuple):
    """Hold one line.

    Attributes:
        at: milliseconds since the epoch, of the clock that the log shows; None for a line without.
        port: the worker's number; empty where it is no worker.
        name: model and version, as the frontend joins them: ``model_1.0``; else the thread.
        origin: pod or log stream that the line's envelope names, else empty.
    """

    at: Optional[int]  # noqa: UP045 - a NamedTuple's annotations are evaluated, and 3.8 has no "|"
    kind: Kind
    port: bytes
    name: bytes
    text: bytes
    origin: bytes


#: TorchServe's pattern: time, level, thread, logger (0.12.0, log4j2.xml). Whatever stands before
#: the time was put there by a collector.
_OF_WORKER = re.compile(
    rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[,.](\d{3}).{1,20}?\bW-(\d{1,9})-(.{1,400}?)"
    rb"(-stdout|-stderr)? ([\w.$]{1,200}) -(?: (.*)|$)"
)
_OF_SERVER = re.compile(
    rb"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)[,.](\d{3})\d{0,6} +\[\w{4,5} *\] (.{1,200}?) "
    rb"([\w.$]{1,200}) -(?: (.*)|$)"
)
#: Of an asynchronous worker's load Netty's thread tells (0.12.0 AsyncWorkerThread).
_OF_ANOTHER_THREAD = re.compile(
    rb"W-(\d{1,9})-(.{1,400}?) (?=State change )|WorkerLoadTime.{1,80}#WorkerName:W-(\d{1,9})-([^,|]{1,400})"
)
#: How what it finds begins.
_OF_A_WORKER = (b"W-", b"WorkerLoad")
_THREAD = re.compile(rb"W-(\d{1,9})-(.{1,400}?)(-stdout|-stderr)?$")
_KINDS = {None: Kind.WORKER, b"-stdout": Kind.OUTPUT, b"-stderr": Kind.ERRORS}
#: Who wrote a line, as a collector puts it before the time: kubectl --prefix, docker compose, aws logs
#: tail, stern, logcli, syslog. What it says has to stand there for good, else each line is a server.
_ORIGIN = re.compile(
    rb"^\x01([^\x01]{1,300})\x01"
    rb"|\[pod/([\w.\-]{1,253})"
    rb"|^([\w.\-]{1,120}) +\| "
    rb"|^\S{0,40}\d\d:\d\d:\d\d\S{0,20} ([^\s\[\]{}:]{1,300}) $"
    rb"|^((?:[a-z\d\-]{1,63} )?[a-z\d.]{1,253}-[a-z\d.\-]{1,253} [a-z\d\-]{1,63}) $"
    rb"|\{([^{}]{1,300})\} $"
    rb"|([\w.\-]{1,253}) [\w./\-]{1,64}(?:\[\d{1,10}\])?: $"
)
_LONGEST_PREFIX = 600
_COLOURS = re.compile(rb"\x1b\[[\d;]{0,20}m")
#: What is left of colors where a copy lost the escape character.
_LOST_COLOURS = re.compile(rb"\[\d{1,3}(?:;\d{1,3}){0,4}m")
#: What an export of CloudWatch puts behind a message: the log stream, or the closing quote.
_BEHIND = re.compile(rb"(?:\s+\||\"?,)\s*(AllTraffic/\S{1,80})\s*\|?\s*$|\t\d{13}$")


def records(lines: Iterable[bytes]) -> list[LogRecord]:
    """Return what lines tell of workers and servers: mostly a record each, or none.

    Several come of one where a collector bundled them. Where TorchServe wrote a line of its own
    twice in a row, it comes once; what a worker wrote twice comes twice.
    """
    found: list[LogRecord] = []
    before, burst = b"\n", b""
    at, kind, port, name, text_at = 0, _SERVER, b"", b"", 0
    for line in lines:
        if line == before:
            continue
        if burst:
            # A process mostly writes many lines at once: all but the text is as in the line above.
            if line.startswith(burst):
                text = line[text_at : text_at + TEXT_LIMIT].rstrip(b"\r")
                found.append(_new(LogRecord, (at, kind, port, name, text, b"")))
                continue
            burst = b""
        if line[23:25] == b" [":
            end = line.find(b" - ", 32)
            head = _HEADS.get(line[32:end]) if end > 0 else None
            if head is not None:
                kind, port, name, mixed = head
                text_at = end + 3
                if kind is _WORKER:
                    before = line
                    begin = line[text_at : text_at + 7]
                    word = STATE if begin[:2] == b"W-" else BEGINNINGS.get(begin)
                    if word is None or word not in line:
                        continue
                elif kind is _SERVER:
                    before = line
                    if not mixed or not tells(line):
                        continue
                    if line.startswith(_OF_A_WORKER, text_at):
                        found.append(parse_line(line))
                        continue
                elif not mixed:
                    burst = line[:text_at]
                elif not wrote(line):
                    before = line
                    continue
                thousandths = _THOUSANDTHS.get(line[20:23])
                if thousandths is not None:
                    at = _whole_ms(line[:19]) + thousandths
                    text = line[text_at : text_at + TEXT_LIMIT].rstrip(b"\r")
                    found.append(_new(LogRecord, (at, kind, port, name, text, b"")))
                    continue
                burst = b""
        elif line.startswith(_BELOW):
            continue
        if not tells(line):
            _learn(line)
        elif _is_json(line):
            found += [_from_envelope(e) for e in unpacked(line) if e.thread or tells(e.text)]
        else:
            found.append(parse_line(line))
    return found


def records_of_json(line: bytes) -> list[LogRecord]:
    """Return what an envelope of JSON holds, whatever it tells; nothing for a line that is none."""
    return [_from_envelope(envelope) for envelope in unpacked(line)] if _is_json(line) else []


def clock(line: bytes) -> list[LogRecord]:
    """Return what a line tells of the time, the last of it, whatever else it tells."""
    found = map(_from_envelope, unpacked(line)) if _is_json(line) else [parse_line(line)]
    told = [record for record in found if record.at is not None][-1:]
    return [record._replace(kind=_SERVER, text=b"") for record in told]


def _is_json(line: bytes) -> bool:
    return line.lstrip(b" \t,[")[:1] in (b"{", b'"')


#: What stands between level and message in TorchServe's own pattern: thread and logger. Four of
#: five lines are of few such heads. With it: kind, port, name, and whether only some of its lines tell.
_HEADS: dict[bytes, tuple[Kind, bytes, bytes, bool]] = {}
_MOST_HEADS = 4096
_THOUSANDTHS = {b"%03d" % number: number for number in range(1000)}
#: What `LogRecord(…)` does, without a function of Python's in between.
_new = tuple.__new__
#: Looking a member of an enumeration up takes longer than the comparison.
_WORKER, _SERVER = Kind.WORKER, Kind.SERVER
#: Of a Java exception the lines that tell nothing: its stack, and what the frontend throws at the
#: thread of a worker whose process has ended (0.12.0 WorkerThread).
_BELOW = (b"\t", b"java.lang.InterruptedException: null")
#: Loggers whose lines tell nothing at all where the thread is no worker's (0.12.0).
_SILENT = re.compile(rb"^(?!W-)\S+ (?:ACCESS_LOG|MODEL_METRICS|MODEL_SERVER_\w+)$")


def _learn(line: bytes) -> None:
    """Remember the head of a line that tells nothing, so that the next one is passed over sooner."""
    head = line[32 : line.find(b" - ", 32)] if line[23:25] == b" [" else b""
    if head and head not in _HEADS and len(_HEADS) < _MOST_HEADS:
        parse_line(line)


def _from_envelope(envelope: Envelope) -> LogRecord:
    if envelope.thread is None:
        return parse_line(envelope.text, envelope.origin)
    found = _THREAD.match(envelope.thread)
    text = envelope.text[:TEXT_LIMIT]
    if found is None:
        port, name, kind = _meant(text, envelope.thread)
        return LogRecord(envelope.at, kind, port, name, text, envelope.origin)
    port, name, stream = found.groups()
    return LogRecord(envelope.at, _KINDS[stream], port, name, text, envelope.origin)


def parse_line(line: bytes, origin: bytes = b"") -> LogRecord:
    """Return what one line says, whatever a collector put in front of it."""
    if b"\x1b" in line:
        line = _COLOURS.sub(b"", line)
    found = _OF_WORKER.search(line) if b"W-" in line else None
    if found is not None:
        day, second, thousandths, port, name, stream, _, text = found.groups(b"")
        kind = _KINDS[stream or None]
        if (
            found.start() == 0
            and found.start(4) == 34
            and line.find(b" - ", 32) > 0  # A blank at the end of an empty line may be lost.
            and len(_HEADS) < _MOST_HEADS
        ):
            mixed = b"WorkerLifeCycle" in line[found.start(7) : found.end(7)]
            _HEADS[line[32 : line.find(b" - ", 32)]] = (kind, port, name, mixed)
    else:
        found = _OF_SERVER.search(line) if b" - " in line else None
        if found is None:
            if line[:1] == b"\x01":  # See `collected_form`.
                origin, _, line = line[1:].partition(b"\x01")
            return LogRecord(None, Kind.CONTINUED, b"", b"", line[:TEXT_LIMIT], origin)
        day, second, thousandths, thread, _, text = found.groups(b"")
        port, name, kind = _meant(text, thread)
        is_own = kind is _SERVER and found.start() == 0 and found.start(4) == 32 and b" - " in line
        if is_own and len(_HEADS) < _MOST_HEADS:
            head = line[32 : found.end(5)]
            _HEADS[head] = (kind, port, name, _SILENT.match(head) is None)
    if found.start():
        text, origin = _without_collector(line[: found.start()], text, origin)
    at = _day_ms(day) + _second_ms(second) + int(thousandths)
    return LogRecord(at, kind, port, name, text[:TEXT_LIMIT].rstrip(b"\r"), origin)


def _meant(text: bytes, thread: bytes) -> tuple[bytes, bytes, Kind]:
    """Return port, name and kind of what a thread says that is no worker's: of a worker, or the server."""
    found = _OF_ANOTHER_THREAD.match(text) if text.startswith(_OF_A_WORKER) else None
    if found is None:
        return b"", thread, Kind.SERVER
    return found[1] or found[3], found[2] or found[4], Kind.WORKER


def origin_of(before: bytes) -> bytes:
    """Return the pod, stream or host that a collector names in front of a line, or nothing."""
    if len(before) > _LONGEST_PREFIX:
        return b""
    named = _ORIGIN.search(_LOST_COLOURS.sub(b"", before))
    return named[named.lastindex] if named is not None and named.lastindex is not None else b""


def _without_collector(before: bytes, text: bytes, origin: bytes) -> tuple[bytes, bytes]:
    """Return message and origin of a line that a collector put something in front of."""
    origin = origin_of(before) or origin
    behind = _BEHIND.search(text[-200:])
    if behind is not None:
        text = text[: len(text) - len(behind[0])]
        origin = behind[1] or origin
    if before.endswith(b'"'):
        # A table in CSV: quotes are doubled, and one closes the message.
        text = text.rstrip(b"\r")
        text = (text[:-1] if text.endswith(b'"') and behind is None else text).replace(b'""', b'"')
    return text, origin


@lru_cache(maxsize=4096)
def _whole_ms(time: bytes) -> int:
    """Return day and time of day in milliseconds since the epoch; 0 for what is none."""
    try:
        return _day_ms(time[:10]) + _second_ms(time[11:])
    except ValueError:
        return 0


@lru_cache(maxsize=64)
def _day_ms(day: bytes) -> int:
    from calendar import timegm

    try:
        at = timegm((int(day[:4]), int(day[5:7]), int(day[8:]), 0, 0, 0)) * 1000
    except ValueError:
        return 0
    return at if at in POSSIBLE_MS else 0


@lru_cache(maxsize=4096)
def _second_ms(second: bytes) -> int:
    return (int(second[:2]) * 3600 + int(second[3:5]) * 60 + int(second[6:])) * 1000
