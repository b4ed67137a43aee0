"""Keep the journal and the lock of one registration open, for a process that may lose the right to open them.

A handler may drop its rights, change its root or take every descriptor there is, and fail then. What is
open by that time can still be read and written. It is used only while it is the file at its path: a
journal that was compacted and a directory that was removed are opened anew.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from typing import Iterator, NamedTuple

from ts_retry_ext.store.atomic import FILE_MODE

#: How files of the registration are opened that this process writes.
WRITING = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_NOFOLLOW
#: Descriptors to give away again: for a module to import, a file to read, and its folder.
_SPARE = 4


class _KeptFile(NamedTuple):
    """An open file: its descriptor, and what tells whether that is the same file still."""

    descriptor: int
    device: int
    inode: int


_kept: dict[str, _KeptFile] = {}
_spare: list[_KeptFile] = []
_watches_forks = False


def keep_open(*paths: str) -> None:
    """Open `paths` for this process, and some descriptors to spare. Raises OSError."""
    global _watches_forks
    let_go()
    for path in paths:
        _kept[path] = _facts(os.open(path, WRITING, FILE_MODE))
    _spare.extend(_facts(os.open(os.devnull, os.O_RDONLY)) for _ in range(_SPARE))
    if not _watches_forks:
        # A lock is shared by all who have the same open file, and a fork has not failed.
        os.register_at_fork(after_in_child=let_go)
        _watches_forks = True


def let_go() -> None:
    """Close everything that is kept. Never raises."""
    for file in _kept.values():
        _close(file)
    _kept.clear()
    give_spare_away()


def give_spare_away() -> None:
    """Close the descriptors to spare, so that files can be opened in their place. Never raises."""
    for file in _spare:
        _close(file)
    _spare.clear()


def kept(path: str) -> int | None:
    """Return the descriptor that is kept for `path`, or None where it is not that file's any more."""
    file = _kept.get(path)
    if file is None or not _is_same(file) or os.fstat(file.descriptor).st_nlink == 0:
        return None
    return file.descriptor


@contextmanager
def opened(path: str) -> Iterator[int]:
    """Give a descriptor of `path` to read it and append to it: the kept one, else one of its own.

    Raises OSError.
    """
    descriptor = kept(path)
    if descriptor is not None:
        yield descriptor
        return
    descriptor = os.open(path, WRITING, FILE_MODE)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _facts(descriptor: int) -> _KeptFile:
    status = os.fstat(descriptor)
    return _KeptFile(descriptor, status.st_dev, status.st_ino)


def _is_same(file: _KeptFile) -> bool:
    """Tell whether the descriptor is that of the file still: somebody may have closed and used it."""
    try:
        return _facts(file.descriptor) == file
    except OSError:
        return False


def _close(file: _KeptFile) -> None:
    if _is_same(file):
        try:
            os.close(file.descriptor)
        except OSError:
            pass
