"""What is known of one path without reading it, and in which words two such looks differ."""

from __future__ import annotations

import binascii
import errno
import os
import stat
import struct
from typing import NamedTuple

MISSING, CLOSED, FILE, DIRECTORY = range(4)
#: No such path. Too many links (ELOOP) and a broken link read as missing, too.
_GONE = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENAMETOOLONG))
#: There may be something, but this process may not look. Any other error (EIO, ESTALE, ENOTCONN,
#: ETIMEDOUT) says that the file system has no answer at the moment, which is no news.
_BARRED = frozenset((errno.EACCES, errno.EPERM))
_PACKED = struct.Struct("<BIIIIBB")
PACKED_BYTES = _PACKED.size
_MOST_LINKS = 255


class PathFacts(NamedTuple):
    """One path as it was when somebody looked; numbers are CRCs, so that 20,000 of them stay small.

    Attributes:
        kind: `MISSING`, `CLOSED` (this process may not look), `FILE` or `DIRECTORY`, links followed.
        content: size and time of the last write of a file; the device of a directory.
        rights: mode, user and group.
        stamp: when the kernel last noted any change of a file (ctime); 0 of a directory, where
            each new entry is such a change.
        link: where it points in the end, over all links on the way; 0 if it is no link.
        names: how many hard links a file has, at most 255; a new one is no change.
        readable: whether this process may read it, 0 or 1.
    """

    kind: int
    content: int = 0
    rights: int = 0
    stamp: int = 0
    link: int = 0
    names: int = 0
    readable: int = 0

    def packed(self) -> bytes:
        """Return the facts as `PACKED_BYTES` bytes."""
        return _PACKED.pack(*self)


class Look(NamedTuple):
    """The facts of a path now, and when it last changed, in nanoseconds since the epoch.

    The time of a path that is missing is that of its directory; 0 if that is missing, too.
    """

    facts: PathFacts
    changed_ns: int


def unpacked(data: bytes) -> PathFacts:
    """Return what `PathFacts.packed` made. Raises `struct.error` for anything else."""
    return PathFacts(*_PACKED.unpack(data))


def look_at(path: str, known: PathFacts | None = None) -> Look | None:
    """Return what is known of `path`, or None if its file system has no answer at the moment.

    Args:
        path: an absolute path; links are followed.
        known: what an earlier look found. If the kernel has noted no change since, whether the file
            is readable is taken from it, which saves a call.
    """
    link = 0
    changed = 0
    try:
        status = os.lstat(path)
        if stat.S_ISLNK(status.st_mode):
            changed = status.st_ctime_ns
            link = _crc(os.path.realpath(path)) or 1
            status = os.stat(path)
    except ValueError:  # A NUL in the name.
        return Look(PathFacts(MISSING), 0)
    except OSError as error:
        return _without_status(path, error.errno, link, changed)
    rights = _crc(status.st_mode, status.st_uid, status.st_gid)
    if stat.S_ISDIR(status.st_mode):
        may = int(os.access(path, os.R_OK | os.X_OK))
        facts = PathFacts(DIRECTORY, _crc(status.st_dev), rights, 0, link, 0, may)
        return Look(facts, max(changed, status.st_ctime_ns))
    content = _crc(status.st_size, status.st_mtime_ns)
    stamp = _crc(status.st_ctime_ns)
    if known is not None and known[:4] == (FILE, content, rights, stamp) and known.link == link:
        readable = known.readable
    else:
        readable = int(os.access(path, os.R_OK))
    names = min(status.st_nlink, _MOST_LINKS)
    facts = PathFacts(FILE, content, rights, stamp, link, names, readable)
    return Look(facts, max(changed, status.st_ctime_ns))


def difference(before: PathFacts, now: PathFacts) -> str | None:
    """Return what became of a path, as the end of a sentence; None if that is no news."""
    if before == now:
        return None
    if now.kind == MISSING and now.link and now.link != before.link:
        return "points elsewhere"
    if now.kind == MISSING:
        if before.kind == CLOSED:
            return "can be looked for, and is missing"
        return "vanished" if before.kind != MISSING else None
    if before.kind == MISSING:
        return "appeared"
    if now.readable and not before.readable:
        return "became readable"
    if before.readable and not now.readable:
        return None  # It cures nothing; that it becomes readable again is the news.
    if before.link != now.link:
        return "points elsewhere"
    if before.kind != now.kind or before.content != now.content:
        return "was mounted" if before.kind == now.kind == DIRECTORY else "was changed"
    if before.rights != now.rights:
        return "has other rights"
    # Only ctime is left. A backup that makes a hard link moves it; a repair that keeps size and
    # time (cp -p, rsync --inplace -t) moves it and leaves the number of links alone.
    return "was changed" if before.stamp != now.stamp and before.names == now.names else None


def _without_status(path: str, code: int | None, link: int, changed: int) -> Look | None:
    if code in _GONE:
        return Look(PathFacts(MISSING, link=link), changed or _directory_changed(path))
    if code in _BARRED:
        return Look(PathFacts(CLOSED, link=link), changed)
    return None


def _directory_changed(path: str) -> int:
    try:
        return os.stat(os.path.dirname(path.rstrip("/"))).st_ctime_ns
    except (OSError, ValueError):
        return 0


def _crc(*values: object) -> int:
    return binascii.crc32(repr(values).encode("utf-8", "surrogateescape"))


class Difference(NamedTuple):
    """One watched thing that is not as it was known.

    Attributes:
        key: names the thing: its path.
        said: what became of it, a sentence without a full stop.
        now: the facts as they are; the same twice means that it stands still.
        changed_ns: when it changed, in nanoseconds since the epoch, 0 if nothing says so.
        place: where its watcher keeps it.
    """

    key: str
    said: str
    now: PathFacts
    changed_ns: int
    place: object = None


def difference_between(
    path: str, before: PathFacts, seen: Look, place: object
) -> Difference | None:
    """Return how `path` differs from `before`, or None if it does not or that is no news."""
    became = difference(before, seen.facts)
    if became is None:
        return None
    return Difference(path, f"{path} {became}", seen.facts, seen.changed_ns, place)
