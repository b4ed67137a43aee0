"""From a log to the lines one process wrote: prefixes taken off, other threads left out.

TorchServe logs each line of a worker's output on its own, between the lines of the frontend and of
other workers (0.12.0, WorkerLifeCycle): a traceback comes interleaved with Java's.
"""

from __future__ import annotations

import re

from ts_retry_ext.judge import Failure, Phase, failure_from_text
from ts_retry_ext.judge.text import bounded, visible
from ts_retry_ext.judge.traceback_text import TEXT_LIMIT
from ts_retry_ext.logs.log_record import Kind, parse_line

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
_SUFFIX = re.compile(r"(?:\s+\||\"?,)\s*AllTraffic/\S{1,80}\s*\|?\s*$")
_JAVA = re.compile(
    r"^(?:\s*(?:#011)?at [\w.$/]+\(|(?:java|io|org)\.[\w.$]{1,120}(?:Exception|Error)|Caused by: )"
)
_HEADER = "Traceback (most recent call last)"


def failure_in_log(
    text: str, phase: Phase = Phase.INITIALIZE, *, model_dir: str | None = None
) -> Failure:
    """Read the last traceback of a log, whatever loggers and collectors put in front of its lines. Never raises."""
    lines = process_lines(visible(bounded(text, TEXT_LIMIT)))
    return failure_from_text("\n".join(lines), phase, model_dir=model_dir)


def process_lines(text: str) -> list[str]:
    """Return the lines of the process whose traceback comes last, without their prefixes.

    A text that is no log of TorchServe comes back line by line.
    """
    processes: dict[tuple[bytes, bytes, Kind], list[str]] = {}
    last = chosen = _NOBODY
    for raw in text.split("\n"):
        line = _unprefixed(raw)
        record = parse_line(line.encode("utf-8", "replace"))
        if record.kind is not Kind.CONTINUED:
            last = (record.port, record.name, record.kind)
            line = _unprefixed(record.text.decode("utf-8", "replace"))
        elif _JAVA.match(line):
            continue
        processes.setdefault(last, []).append(line)
        if _HEADER in line and not _is_frontend(last):
            chosen = last
    if chosen in processes:
        return processes[chosen]
    own = [lines for process, lines in processes.items() if not _is_frontend(process)]
    return own[-1] if own else next(reversed(list(processes.values())))


#: Who wrote lines that come before the first one with a head.
_NOBODY = (b"", b"", Kind.CONTINUED)


def _is_frontend(process: tuple[bytes, bytes, Kind]) -> bool:
    """Tell whether lines are the frontend's own, not a worker's output."""
    return process[2] in (Kind.WORKER, Kind.SERVER)


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
