"""A private folder for one load: sockets, state, and what the load leaves behind is found by it."""

from __future__ import annotations

import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import Iterator

from ts_retry_ext.trial.child_processes import end_strays
from ts_retry_ext.worker.own_program import start_if_killed, take_leave

#: Bytes of the folder's path that leave room for a socket's name (104 on macOS, 108 on Linux).
MAX_SOCKET_PATH = 80


@contextmanager
def private_folder(prefix: str) -> Iterator[str]:
    """Make a folder for one model; end what runs from it and remove it, whatever happens. Raises OSError."""
    place = tempfile.mkdtemp(prefix=prefix)
    if len(os.fsencode(place)) > MAX_SOCKET_PATH:
        os.rmdir(place)
        place = tempfile.mkdtemp(prefix=prefix, dir="/tmp")
    try:
        yield os.path.realpath(place)
    finally:
        clean_up(os.path.realpath(place))


@contextmanager
def removed_if_killed(place: str) -> Iterator[None]:
    """Have a folder removed should this process be killed: a model's code may kill its parent."""
    late = [
        "/bin/sh",
        "-c",
        'sleep 1; rm -rf -- "$1"',
        "sh",
        place,
    ]  # What writes there ends first.
    try:
        watch = start_if_killed(late)
    except OSError:
        yield
        return
    try:
        yield
    finally:
        take_leave(watch)


def clean_up(place: str) -> None:
    """End what runs from a private folder, and remove it."""
    end_strays(place)
    shutil.rmtree(place, ignore_errors=True)
