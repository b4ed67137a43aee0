"""The watched files of one directory, kept small.

Names are one text, facts one run of bytes: a model of 20,000 files costs a holder about one megabyte.
"""

from __future__ import annotations

import os
import stat
from array import array

from ts_retry_ext.worker.path_facts import PACKED_BYTES, PathFacts, unpacked

#: Stands for the directory itself among its names.
ITSELF = "."


class WatchedDirectory:
    """One directory.

    Attributes:
        names: of what is watched in it, joined by ``/``.
        facts: what is known of each name, packed, one after the other.
        glances: of each name, `glance_at` as it was just before its facts were taken or found the same;
            0 if that is not known.
    """

    __slots__ = ("facts", "glances", "names", "path")

    def __init__(self, path: str, names: str, facts: bytearray, glances: array[int]) -> None:
        self.path = path
        self.names = names
        self.facts = facts
        self.glances = glances

    def path_of(self, name: str) -> str:
        """Return the path of one of the names."""
        return self.path if name == ITSELF else f"{self.path}/{name}"

    def facts_of(self, position: int) -> PathFacts:
        """Return what is known of the name at `position`."""
        begin = position * PACKED_BYTES
        return unpacked(bytes(self.facts[begin : begin + PACKED_BYTES]))

    def set_facts(self, position: int, facts: PathFacts) -> None:
        """Replace what is known of the name at `position`."""
        begin = position * PACKED_BYTES
        self.facts[begin : begin + PACKED_BYTES] = facts.packed()
        self.glances[position] = 0


def glance_at(path: str) -> int:
    """Return a number for what `os.lstat` says of a file; 0 if that does not say it all, as of a link.

    It costs a third of the facts. Another Python may have other numbers, which costs a comparison.
    """
    try:
        status = os.lstat(path)
    except (OSError, ValueError):
        return 0
    if not stat.S_ISREG(status.st_mode):
        return 0
    owner = (status.st_mode, status.st_uid, status.st_gid)
    return hash((*owner, status.st_nlink, status.st_size, status.st_mtime_ns, status.st_ctime_ns))


def of_directory(facts: PathFacts) -> PathFacts:
    """Return the facts of a directory of the model; a mount that comes back has another device."""
    return facts._replace(content=0)
