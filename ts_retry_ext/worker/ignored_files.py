"""What lies in a model's directory and is no part of the model: nothing that is written there repairs it."""

from __future__ import annotations

import os
from typing import Iterable

_DIRECTORIES = frozenset(
    (
        *("__pycache__", ".git", ".hg", ".svn", ".ipynb_checkpoints", ".idea", ".vscode"),
        *("lost+found", ".snapshot", ".zfs", ".Trash-0"),
    )
)
#: A file with one of these ends is Python's, an editor's, a copy in progress or a log.
_ENDS = (
    *(".pyc", ".pyo", ".swp", ".swo", ".swx", "~", ".tmp", ".part", ".pid", ".log"),
    *(".incomplete", ".crdownload"),
)
#: Editors' locks, NFS's and FUSE's names for removed files, Finder's, TensorBoard's.
_BEGINNINGS = (
    ".#",
    "#",
    ".nfs",
    ".fuse_hidden",
    ".~lock.",
    "._",
    ".DS_Store",
    "events.out.tfevents",
)
#: What vim makes to try whether it may write.
_NAMES = frozenset(("4913", "core", "nohup.out"))


def is_ignored_file(name: str) -> bool:
    """Tell whether a file of this name, without its directory, is never the model's."""
    if name in _NAMES or name.startswith(_BEGINNINGS) or name.endswith(_ENDS):
        return True
    stem, _, last = name.rpartition(".")
    if last.isdigit():  # core.4711, and logs that were rotated.
        return stem == "core" or stem.endswith(".log")
    return False


def is_ignored_directory(name: str) -> bool:
    """Tell whether a directory of this name is never the model's.

    Kubernetes keeps each state of a ConfigMap in a directory whose name begins with two dots, and
    removes it later; the model's files are links into the present one.
    """
    return name in _DIRECTORIES or name.startswith("..")


def is_within(path: str, directories: Iterable[str]) -> bool:
    """Tell whether `path` is one of `directories` or lies in one; all are absolute."""
    return any(
        path == each or path.startswith(each.rstrip(os.sep) + os.sep) for each in directories
    )
