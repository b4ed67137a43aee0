"""A note that a worker can leave when it can write no file any more: a page of memory, kept in a file.

The page is made before the model's code runs. To write it takes no descriptor, no right and no room on
the disk, and no limit for files holds for it. The next worker of the model reads it.
"""

from __future__ import annotations

import os
from errno import ENOSPC
from mmap import mmap

from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.store.atomic import FILE_MODE, remove_quietly

#: Length of a note in bytes; one line of the journal without a report takes less.
SIZE = 2048
#: What the names of files begin with that one process makes for its end; see `crash_capture`.
_OF_ONE_PROCESS = ("note", "stack")


class FailureNote:
    """The note of one process, empty until it is written."""

    def __init__(self, directory: str, pid: int) -> None:
        """Make the note. Raises OSError."""
        self._path = note_path(directory, pid)
        flags = os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW
        descriptor = os.open(self._path, flags, FILE_MODE)
        try:
            # Written, not only made longer: memory without room on the disk is SIGBUS.
            if os.write(descriptor, bytes(SIZE)) < SIZE:
                raise OSError(ENOSPC, os.strerror(ENOSPC), self._path)
            self._memory = mmap(descriptor, SIZE)
        except OSError:
            remove_quietly(self._path)
            raise
        finally:
            os.close(descriptor)

    def write(self, line: bytes) -> None:
        """Leave `line`. Raises ValueError where it is too long, or the note was removed."""
        self._memory[: len(line)] = line

    def remove(self) -> None:
        """Remove the note. Never raises."""
        self._memory.close()
        remove_quietly(self._path)


def note_path(directory: str, pid: int) -> str:
    """Return where the process `pid` leaves its note."""
    return os.path.join(directory, f"note-{pid}")


def take_note(directory: str, pid: int) -> bytes:
    """Return the line that the process `pid` left, empty where it left none; the file is removed."""
    path = note_path(directory, pid)
    try:
        with open(path, "rb") as stream:
            line = stream.read(SIZE).rstrip(b"\0")
    except OSError:
        return b""
    remove_quietly(path)
    return line


def remove_unwritten(directory: str) -> None:
    """Remove empty notes and stacks of processes that are gone and could not remove them. Never raises."""
    try:
        names = os.listdir(directory)
    except OSError:
        return
    for name in names:
        kind, _, pid = name.partition(".")[0].partition("-")
        if kind in _OF_ONE_PROCESS and pid.isdigit() and start_of(int(pid)) is None:
            path = os.path.join(directory, name)
            if _is_unwritten(path):
                remove_quietly(path)


def _is_unwritten(path: str) -> bool:
    try:
        with open(path, "rb") as stream:
            return not stream.read(SIZE).rstrip(b"\0")
    except OSError:
        return False
