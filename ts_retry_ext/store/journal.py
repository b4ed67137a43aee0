"""The journal of one registration: what its workers did, a JSON line each.

Workers of one model write at the same time, so each appends under a lock, and a process that dies
while it writes leaves at most one torn line, which readers pass over.
"""

from __future__ import annotations

import json
import os

from ts_retry_ext.store.atomic import MAX_FILE_BYTES, write_bytes
from ts_retry_ext.store.directory import JOURNAL_FILE, LOCK_FILE
from ts_retry_ext.store.kept_journal import keep_open as keep_files_open
from ts_retry_ext.store.kept_journal import kept, opened
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.record import (
    FAILURES,
    HOLDING,
    Event,
    Record,
    record_from_json,
    record_to_json,
)
from ts_retry_ext.store.times import now_text

#: Older records give way when a journal grows past this; see `_compact`.
COMPACT_BYTES = MAX_FILE_BYTES // 2
#: A record of one line never takes more than this.
MAX_RECORD_BYTES = MAX_FILE_BYTES // 4
#: One of these stands in the line of any record that is a failure.
_OF_FAILURES = tuple(f'"{event.value}"'.encode("ascii") for event in (*FAILURES, Event.TRIED))
_UNFINISHED = frozenset((Event.START, Event.LOAD, Event.LOADED, *HOLDING))


def journal_path(model_dir: str) -> str:
    """Return where the journal of the registration kept in `model_dir` lies."""
    return os.path.join(model_dir, JOURNAL_FILE)


def keep_open(model_dir: str) -> None:
    """Keep journal and lock open for this process, until `kept_journal.let_go`. Raises OSError."""
    keep_files_open(journal_path(model_dir), os.path.join(model_dir, LOCK_FILE))


def append(model_dir: str, record: Record) -> None:
    """Append one record, with the present time, under the registration's lock.

    Raises:
        OSError: it cannot be written, or somebody keeps the lock.
    """
    with locked(model_dir):
        append_locked(model_dir, record)


def append_locked(model_dir: str, record: Record) -> None:
    """Append one record, with the present time; the caller holds `lock.locked`. Raises OSError."""
    record = record._replace(at=now_text())
    data = line_of(record)
    if len(data) > MAX_RECORD_BYTES:
        data = line_of(record._replace(exception=None))
    if append_line(model_dir, data) > COMPACT_BYTES:
        try:
            _compact(model_dir)
        except (OSError, ImportError):
            pass  # The record is written. The next worker, which may have the room and the right, does it.


def append_line(model_dir: str, data: bytes) -> int:
    """Append one line that is made already, and return the journal's size; the caller holds `locked`.

    Raises OSError.
    """
    with opened(journal_path(model_dir)) as descriptor:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data  # The last writer died within its line.
        _write_whole(descriptor, data, size)
    return size + len(data)


def read(model_dir: str) -> list[Record]:
    """Return the records, oldest first; torn lines and those of another schema are passed over. Raises OSError."""
    records = (parse_line(line) for line in _content(model_dir).split(b"\n"))
    return [record for record in records if record is not None]


def may_hold_failure(model_dir: str) -> bool:
    """Tell whether a record can be a failure (`Record.is_failure`), without parsing any. Raises OSError."""
    content = _content(model_dir)
    return any(word in content for word in _OF_FAILURES)


def _content(model_dir: str) -> bytes:
    path = journal_path(model_dir)
    descriptor = kept(path)
    try:
        if descriptor is not None:
            return os.pread(descriptor, MAX_FILE_BYTES, 0)
        with open(path, "rb") as stream:
            return stream.read(MAX_FILE_BYTES)
    except FileNotFoundError:
        return b""


def line_of(record: Record) -> bytes:
    """Return the line that holds `record`."""
    text = json.dumps(record_to_json(record), ensure_ascii=True, separators=(",", ":"))
    return text.encode("ascii") + b"\n"


def parse_line(line: bytes) -> Record | None:
    """Return the record that a line holds, or None where it is torn or none of ours."""
    try:
        return record_from_json(json.loads(line.decode("utf-8")))
    except (ValueError, RecursionError):
        return None


def _write_whole(descriptor: int, data: bytes, size: int) -> None:
    """Append all of `data` to a file of `size` bytes, or nothing: a full disk takes a part of it."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _last_words(records: list[Record]) -> set[int]:
    """Return which records tell what a worker that said no more is doing, one for each socket."""
    latest = {r.process.socket: i for i, r in enumerate(records) if r.process is not None}
    return {i for i in latest.values() if records[i].event in _UNFINISHED}


def _compact(model_dir: str) -> None:
    """Keep the newer half; older records are counted in one SUMMARY record.

    The full report stays with the last failure only: it is what people are shown. The last word of
    each worker stays as well, as far as there is room: others ask whether it serves.
    """
    from ts_retry_ext.store.journal_totals import summary_of

    records = read(model_dir)
    kept: dict[int, Record] = {}
    last_failure = max((i for i, r in enumerate(records) if r.exception is not None), default=-1)
    last_words = _last_words(records)
    room, reserve = COMPACT_BYTES // 2, COMPACT_BYTES // 4
    for index in range(len(records) - 1, -1, -1):
        record = records[index]
        if record.event is Event.SUMMARY:
            continue
        if index != last_failure:
            record = record._replace(exception=None)
        size = len(line_of(record))
        room -= size
        if room < 0 and index in last_words:
            reserve -= size
        if room >= 0 or index == last_failure or (index in last_words and reserve >= 0):
            kept[index] = record
    summary = summary_of(record for index, record in enumerate(records) if index not in kept)
    summary = summary._replace(at=now_text())
    write_bytes(
        journal_path(model_dir), b"".join(map(line_of, [summary, *(kept[i] for i in sorted(kept))]))
    )
