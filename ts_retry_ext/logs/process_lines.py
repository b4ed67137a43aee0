"""From a log to the lines one process wrote: prefixes taken off, other threads left out.

TorchServe logs each line of a worker's output on its own, between the lines of the frontend and of
other workers (0.12.0, WorkerLifeCycle): a traceback comes interleaved with Java's.
"""

from __future__ import annotations

import re

_STAMP = r"\d{4}-\d\d-\d\d[T ]+\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
#: What loggers put in front of each line, tried again and again until none fits.
_PREFIXES: tuple[re.Pattern[str], ...] = (
    # CloudWatch tables and exports: | 1661392703633 | text, 1614272186222,"text
    re.compile(r"(?:\| ?)?\d{13} ?\| |\d{13},\"?|(?:\| ?)?" + _STAMP + r" \| "),
    # vLLM and Ray: (EngineCore_0 pid=1), ERROR 05-01 12:00:00 [core.py:700]
    re.compile(r"\([\w .:=,\-]{1,80}(?:pid|rank)=\d+(?:, ip=[\d.]+)?\) ?"),
    re.compile(
        r"(?:INFO|WARNING|ERROR|CRITICAL) \d\d-\d\d \d\d:\d\d:\d\d(?:\.\d+)?"
        r" \[?[\w./]+:\d+\]? ?"
    ),
    # torchrun: [rank0]:, [default0]:
    re.compile(r"\[(?:rank|default)?\d+\]: ?"),
    # docker compose and kubectl with several pods: name-1  | text
    re.compile(r"[\w.\-]{1,80} +\| ?"),
    # container runtime: time, stream, F
    re.compile(_STAMP + r" (?:stdout|stderr) [FP] "),
)
#: TorchServe's log4j pattern: time, [level], thread, logger, dash.
_TORCHSERVE = re.compile(
    r"(?:" + _STAMP + r" +)?\[(?:INFO|WARN|ERROR|DEBUG|TRACE) *\] +(?P<thread>\S+) +\S+ - ?"
)
_SUFFIX = re.compile(r"(?:\s+\||\"?,)\s*AllTraffic/\S{1,80}\s*\|?\s*$")
_JAVA = re.compile(
    r"^(?:\s*(?:#011)?at [\w.$/]+\(|(?:java|io|org)\.[\w.$]{1,120}(?:Exception|Error)|Caused by: )"
)
_HEADER = "Traceback (most recent call last)"


def process_lines(text: str) -> list[str]:
    """Return the lines of the process whose traceback comes last, without their prefixes.

    A text that is no log of TorchServe comes back line by line.
    """
    threads: dict[str, list[str]] = {}
    last, chosen = "", ""
    for raw in text.split("\n"):
        line = _unprefixed(raw)
        found = _TORCHSERVE.match(line)
        if found:
            last = found.group("thread")
            line = _unprefixed(line[found.end() :])
        elif _JAVA.match(line):
            continue
        threads.setdefault(last, []).append(line)
        if _HEADER in line and not _is_frontend(last):
            chosen = last
    if not threads:
        return []
    if chosen in threads:
        return threads[chosen]
    own = [lines for thread, lines in threads.items() if not _is_frontend(thread)]
    return own[-1] if own else next(reversed(list(threads.values())))


def _is_frontend(thread: str) -> bool:
    """Tell whether a log4j thread is the frontend's own: a worker's output ends in -stdout, -stderr."""
    return bool(thread) and not thread.endswith(("-stdout", "-stderr"))


def _unprefixed(line: str) -> str:
    """Return a line without what loggers put in front of and behind it."""
    for _ in range(4):
        shorter = line
        for pattern in _PREFIXES:
            found = pattern.match(shorter)
            if found:
                shorter = shorter[found.end() :]
        if shorter == line:
            break
        line = shorter
    suffix = _SUFFIX.search(line[-160:])
    if suffix:
        line = line[: len(line) - len(suffix.group())].replace('""', '"')
    return line.rstrip()
