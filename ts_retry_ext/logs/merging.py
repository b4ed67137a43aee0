"""Put the records of several files into one order, and count what several files repeat once."""

from __future__ import annotations

import heapq
from dataclasses import dataclass, field
from itertools import islice
from typing import Callable, Iterator, Sequence

from ts_retry_ext.logs.log_record import Kind, LogRecord

#: Milliseconds within which copies of one record come; the merged order keeps them close.
_WINDOW_MS = 10_000
#: Records remembered for that, whatever their times are.
_MOST_REMEMBERED = 200_000
#: Records by which a file that comes up is compared with those that are being read.
_COMPARED = 400
#: Pods, streams and hosts that are told apart. Of more, what looks like one is another for each line.
MOST_ORIGINS = 1_000
#: Looking a member of an enumeration up takes longer than the comparison.
_OUTPUT, _WORKER = (Kind.OUTPUT, Kind.ERRORS), Kind.WORKER
_SERVER, _CONTINUED = Kind.SERVER, Kind.CONTINUED


@dataclass
class LogSource:
    """One file while it is read.

    Attributes:
        path: for people.
        writer: who wrote it, see `LogFile`.
        read: begins to read it, and yields its records in lists.
        zone_ms: what its clock is ahead of UTC.
        ready: the records that were read and not yet given on.
        at: time of the last record, before that of the first one; of its own clock until it is merged.
    """

    path: str
    writer: str
    read: Callable[[], Iterator[list[LogRecord]]]
    zone_ms: int = 0
    ready: list[LogRecord] = field(default_factory=list)
    position: int = 0
    at: int = 0
    _blocks: Iterator[list[LogRecord]] | None = None

    def peek(self) -> LogRecord | None:
        """Return the next record without taking it, or None at the end."""
        if self._blocks is None:
            self._blocks = self.read()
        while self.position >= len(self.ready):
            block = next(self._blocks, None)
            if block is None:
                return None
            self.ready, self.position = block, 0
        return self.ready[self.position]

    def ahead(self) -> Iterator[LogRecord]:
        """Return the records that come next, at least those that files are compared by."""
        while self._blocks is not None and len(self.ready) - self.position < _COMPARED:
            block = next(self._blocks, None)
            if block is None:
                break
            self.ready, self.position = [*self.ready[self.position :], *block], 0
        return islice(self.ready, self.position, None)

    def close(self) -> None:
        """Let go of the file and what was read of it; the next look begins anew."""
        self._blocks, self.ready, self.position = None, [], 0


class LoggedServer:
    """Whose records these are; tells copies from news.

    Attributes:
        from_frontend: whether the frontend's own lines are among them, not only the workers' output.
        is_mixed: whether lines of other servers are among them, as there were too many to tell apart.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.sources: set[int] = set()
        self.from_frontend = self.is_mixed = False
        self._new: dict[tuple[object, ...], int] = {}
        self._old: dict[tuple[object, ...], int] = {}
        self._since = 0

    def is_new(self, record: LogRecord, at: int, source: int) -> bool:
        """Tell whether a record is no copy.

        TorchServe 0.12.0 writes each line of its own twice into ts_log.log (log4j2.xml: the
        logger and the root both append to it) and once more to the console. A worker may well
        write the same line twice, so of those each file's copies are counted.
        """
        output = record.kind in _OUTPUT
        if at - self._since > _WINDOW_MS or len(self._new) > _MOST_REMEMBERED:
            self._old, self._new, self._since = self._new, {}, at
        key = (at, record.kind, record.port, record.name, record.text)
        if not output:
            if key in self._new or key in self._old:
                return False
            self._new[key] = 1
            return True
        mine = (*key, source)
        count = 1 + (self._new.get(mine) or self._old.get(mine) or 0)
        self._new[mine] = count
        if count <= (self._new.get(key) or self._old.get(key) or 0):
            return False
        self._new[key] = count
        return True

    def has_any(self, keys: set[tuple[object, ...]]) -> bool:
        """Tell whether one of several records came lately; each begins with its time (UTC), and has no origin."""
        return not (self._new.keys().isdisjoint(keys) and self._old.keys().isdisjoint(keys))


def merged(sources: Sequence[LogSource]) -> Iterator[tuple[LoggedServer, int, LogRecord]]:
    """Yield each record once, with its server and its time in milliseconds since the epoch (UTC).

    Each source's `at` and `zone_ms` are to be set. A file is opened when it is its turn. Files of one writer are one server's. Others are when they hold the same lines at the same time.
    """
    servers: dict[tuple[str, bytes], LoggedServer] = {}
    waiting: list[tuple[int, int]] = []
    for index, source in enumerate(sources):
        source.at -= source.zone_ms
        heapq.heappush(waiting, (source.at, index))
    while waiting:
        _, index = waiting[0]
        source = sources[index]
        limit = min((at for at, _ in waiting[1:3]), default=None)
        record = source.peek()
        server: LoggedServer | None = None
        origin = b""
        while record is not None:
            time, kind, _, _, text, stream = record
            # A record without a time belongs to the one above it, not to one that tells the time only:
            # where those stand is another line in each file.
            at = source.at if time is None else time - source.zone_ms
            if text or kind is not _SERVER:
                source.at = at
            if limit is not None and at > limit:
                heapq.heapreplace(waiting, (at, index))
                break
            if server is None or (
                # A line without a head belongs to the one above, whose origin it need not repeat.
                stream != origin and (stream or kind is not _CONTINUED)
            ):
                origin = stream or _origin_ahead(source)
                server = servers.get((source.writer, origin))
                if server is None and len(servers) >= MOST_ORIGINS:
                    server = servers.setdefault((source.writer, b""), LoggedServer(source.path))
                    server.is_mixed = True
                elif server is None:
                    active = [sources[other] for _, other in waiting if other != index]
                    server = _server_of(source, origin, servers, active)
                    servers[source.writer, origin] = server
                server.sources.add(index)
            if kind is _WORKER:
                server.from_frontend = True
            if (
                (len(server.sources) == 1 and kind in _OUTPUT)
                or kind is _CONTINUED
                or server.is_new(record, at, index)
            ):
                yield server, at, record
            source.position += 1
            if source.position < len(source.ready):
                record = source.ready[source.position]
            else:
                record = source.peek()
        else:
            heapq.heappop(waiting)


def _origin_ahead(source: LogSource) -> bytes:
    """Return the origin of the next record with a head: the first lines of a log have none."""
    ahead = islice(source.ahead(), _COMPARED)
    return next((record.origin for record in ahead if record.at is not None), b"")


def _server_of(
    source: LogSource,
    origin: bytes,
    servers: dict[tuple[str, bytes], LoggedServer],
    active: Sequence[LogSource],
) -> LoggedServer:
    """Return the server of a writer that comes up: one whose lines it shares, or a new one."""
    ahead = islice(source.ahead(), _COMPARED)
    own: set[tuple[object, ...]] = {
        (record.at - source.zone_ms, *record[1:5])
        for record in ahead
        if record.at is not None and record.port and record.origin == origin
    }
    for server in dict.fromkeys(servers.values()) if own else ():
        if server.has_any(own):
            return server
    for other in active if own else ():
        for record in other.ahead():
            if record.at is None or (record.at - other.zone_ms, *record[1:5]) not in own:
                continue
            found = servers.get((other.writer, record.origin))
            if found is not None:
                return found
    name = source.path if not origin else f"{source.path} {origin.decode('utf-8', 'replace')}"
    return LoggedServer(name)
