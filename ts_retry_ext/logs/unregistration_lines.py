"""What TorchServe's log says of models that somebody unregistered (0.12.0 ModelManager, access log).

The frontend's own line of it names no version, so a request over gRPC, which leaves no other, is not seen.
"""

from __future__ import annotations

import re
from typing import AbstractSet, Iterator, NamedTuple
from urllib.parse import unquote

from ts_retry_ext.logs.log_record import Kind, LogRecord, parse_line
from ts_retry_ext.logs.registration_lines import ADDED

_REQUEST = b'"DELETE /models/'
_BANNER = b"Torchserve version:"
#: In lines that say which process a worker is, what was registered, and what was unregistered.
_TOLD = re.compile(rb"\[PID\]\d|Adding new version |" + _REQUEST + rb"|" + _BANNER)
_PROCESS = re.compile(rb"\[PID\](\d{1,10})\r?$")
_DELETED = re.compile(
    r'\S+ "DELETE /models/(?P<name>[^/?\s]+)(?:/(?P<version>[^/?\s]+))?/?(?:\?\S*)? HTTP/\S+" 2\d\d '
)


class PidLine(NamedTuple):
    """The line in which a worker names its process.

    Attributes:
        name: model and version, joined with an underscore.
    """

    pid: int
    name: str


def unregistered_in(log: bytes, of_run: AbstractSet[PidLine]) -> frozenset[tuple[str, str]]:
    """Return what was unregistered by a request in one run of a server, and not registered again.

    A server that ends unregisters nothing in its log.

    Args:
        log: what a server logged, in other runs, too.
        of_run: workers of the run.

    Returns:
        name and version of each; none if the log has none of the workers.
    """
    if _REQUEST not in log:  # As most logs: this takes a tenth of the time.
        return frozenset()
    added: set[tuple[str, str]] = set()
    gone: set[tuple[str, str]] = set()
    is_the_run = False
    for record in _records(log):
        if record.text.startswith(_BANNER):
            if is_the_run:
                break
            added, gone = set(), set()
        elif record.kind is Kind.OUTPUT:
            is_the_run |= _process(record) in of_run
        elif record.kind is Kind.SERVER:
            text = record.text.decode("utf-8", "replace")
            registered, deleted = ADDED.match(text.rstrip("\r")), _DELETED.match(text)
            if registered is not None:
                version, name = registered.groups()
                added.add((name, version))
                gone.discard((name, version))
            elif deleted is not None:
                gone |= _meant(unquote(deleted["name"]), deleted["version"], added)
    return frozenset(gone) if is_the_run else frozenset()


def _meant(
    name: str, version: str | None, added: AbstractSet[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return what a request unregisters.

    Without a version it is the default one, which TorchServe refuses unless it is the last one of the model
    (0.12.0 ModelVersionedRefs.removeVersionModel).
    """
    if version is not None:
        return {(name, unquote(version))}
    return {one for one in added if one[0] == name}


def _process(record: LogRecord) -> PidLine | None:
    found = _PROCESS.match(record.text)
    name = record.name.decode("utf-8", "replace")
    return None if found is None else PidLine(int(found[1]), name)


def _records(log: bytes) -> Iterator[LogRecord]:
    """Yield the lines that may say something of it; a long log has few."""
    end = 0
    for found in _TOLD.finditer(log):
        if found.start() < end:
            continue
        begin = log.rfind(b"\n", 0, found.start()) + 1
        end = log.find(b"\n", found.end())
        end = len(log) if end < 0 else end
        yield parse_line(log[begin:end])
