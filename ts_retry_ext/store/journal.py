"""The journal of one registration: what its workers did, a JSON line each.

Workers of one model write at the same time, so each appends under a lock, and a process that dies
while it writes leaves at most one torn line, which readers pass over.
"""

from __future__ import annotations

import fcntl
import json
import os
from contextlib import contextmanager
from typing import Any, Dict, Iterator

from ts_retry_ext.store.atomic import FILE_MODE, MAX_FILE_BYTES, SCHEMA, write_bytes
from ts_retry_ext.store.directory import JOURNAL_FILE, LOCK_FILE
from ts_retry_ext.store.shape import spoilt_keys
from ts_retry_ext.store.times import now_text

# What a worker process did. Every process writes START or HOLD first.
START = "start"  # it set out to load the model
LOAD = "load"  # LOAD arrived and the model's code begins to run
LOADED = "loaded"  # the model serves
FAILURE = "failure"  # an exception ended it; carries the whole report
CRASH = "crash"  # written by a later process: that one died without a word
END = "end"  # it ended in an orderly way without having loaded
HOLD = "hold"  # it holds, because a marker applies
RELEASE = "release"  # it stops holding
RESUME = "resume"  # by whom or whatever removed the marker: counting starts anew
SUMMARY = "summary"  # counts of older records that gave way

#: Older records give way when a journal grows past this; see `_compact`.
COMPACT_BYTES = MAX_FILE_BYTES // 2
#: A record of one line never takes more than this.
MAX_RECORD_BYTES = MAX_FILE_BYTES // 4

Record = Dict[str, Any]


def journal_path(model_dir: str) -> str:
    """Return where the journal of the registration kept in `model_dir` lies."""
    return os.path.join(model_dir, JOURNAL_FILE)


@contextmanager
def locked(model_dir: str) -> Iterator[None]:
    """Hold the registration's lock, so that reading, deciding and writing are one step.

    Raises:
        OSError: the lock cannot be opened.
    """
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(os.path.join(model_dir, LOCK_FILE), flags, FILE_MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            yield
        finally:
            # Closing is not enough: a process that another thread forked meanwhile shares the lock.
            fcntl.flock(descriptor, fcntl.LOCK_UN)
    finally:
        os.close(descriptor)


def append(model_dir: str, event: str, **fields: Any) -> None:
    """Append one record under the registration's lock.

    Raises:
        OSError: it cannot be written.
    """
    with locked(model_dir):
        append_locked(model_dir, event, **fields)


def append_locked(model_dir: str, event: str, **fields: Any) -> None:
    """Append one record; the caller holds `locked`.

    Raises:
        OSError: it cannot be written.
    """
    record = dict(schema=SCHEMA, event=event, at=now_text(), **fields)
    data = _line(record)
    if len(data) > MAX_RECORD_BYTES:
        record.pop("exception", None)
        data = _line(record)
    path = journal_path(model_dir)
    flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
    descriptor = os.open(path, flags, FILE_MODE)
    try:
        size = os.fstat(descriptor).st_size
        if size and os.pread(descriptor, 1, size - 1) != b"\n":
            data = b"\n" + data  # The last writer died within its line.
        _write_whole(descriptor, data, size)
    finally:
        os.close(descriptor)
    if size + len(data) > COMPACT_BYTES:
        _compact(path, model_dir)


def read(model_dir: str) -> list[Record]:
    """Return the records, oldest first; torn lines and those of another schema are passed over.

    Raises:
        OSError: the file is there but cannot be read.
    """
    try:
        with open(journal_path(model_dir), "rb") as stream:
            data = stream.read(MAX_FILE_BYTES)
    except FileNotFoundError:
        return []
    records = (_parse(line) for line in data.split(b"\n"))
    return [record for record in records if record is not None]


def names_process(record: Record) -> bool:
    """Tell whether a record says whose it is: process id, its start, and where it listened."""
    return all(name in record for name in ("pid", "start", "socket"))


def _parse(line: bytes) -> Any:
    try:
        record = json.loads(line.decode("utf-8"))
    except (ValueError, RecursionError):
        return None
    known = isinstance(record, dict) and record.get("schema") == SCHEMA
    whole = known and "event" in record and "at" in record and not spoilt_keys(record)
    return record if whole else None


def _write_whole(descriptor: int, data: bytes, size: int) -> None:
    """Append all of `data` to a file of `size` bytes, or nothing: a full disk takes a part of it."""
    try:
        while data:
            data = data[os.write(descriptor, data) :]
    except OSError:
        os.ftruncate(descriptor, size)
        raise


def _line(record: Record) -> bytes:
    return json.dumps(record, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"


def _last_words(records: list[Record]) -> set[int]:
    """Return which records tell what a worker that said no more is doing, one for each socket."""
    latest = {r["socket"]: i for i, r in enumerate(records) if names_process(r)}
    return {i for i in latest.values() if records[i]["event"] in (START, LOAD, LOADED, HOLD)}


def _compact(path: str, model_dir: str) -> None:
    """Keep the newer half; older records are counted in one `SUMMARY` record.

    The full report stays with the last failure only: it is what people are shown. The last word of
    each worker stays as well, as far as there is room: others ask whether it serves.
    """
    records = read(model_dir)
    kept: dict[int, Record] = {}
    last_failure = max((i for i, r in enumerate(records) if r["event"] == FAILURE), default=-1)
    last_words = _last_words(records)
    room, reserve = COMPACT_BYTES // 2, COMPACT_BYTES // 4
    for index in range(len(records) - 1, -1, -1):
        record = records[index]
        if record["event"] == SUMMARY:
            continue
        if index != last_failure:
            record = {key: value for key, value in record.items() if key != "exception"}
        size = len(_line(record))
        room -= size
        if room < 0 and index in last_words:
            reserve -= size
        if room >= 0 or index == last_failure or (index in last_words and reserve >= 0):
            kept[index] = record
    dropped = [record for index, record in enumerate(records) if index not in kept]
    summary: Record = {"schema": SCHEMA, "event": SUMMARY, "at": now_text(), "counts": {}}
    counts: dict[str, int] = summary["counts"]
    for record in dropped:
        older = record.get("counts", {}) if record["event"] == SUMMARY else {record["event"]: 1}
        for event, count in older.items():
            counts[event] = counts.get(event, 0) + count
    firsts = [r.get("first_failure") or r["at"] for r in dropped
              if r["event"] in (FAILURE, CRASH) or r.get("first_failure")]  # fmt: skip
    summary["first_failure"] = firsts[0] if firsts else None
    write_bytes(path, b"".join(map(_line, [summary, *(kept[i] for i in sorted(kept))])))
