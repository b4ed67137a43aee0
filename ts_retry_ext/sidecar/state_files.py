"""Keep what the workers of a server wrote down: the kernel tells of changes, and only those are read again."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Callable, Iterable, Tuple

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ts_retry_ext.snapshot.registration import Registration, recorded_names
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.store.directory import JOURNAL_FILE, LOCK_FILE, MARKER_FILE
from ts_retry_ext.store.retired import RETIRED_FILE

log = logging.getLogger(__name__)

#: Reading is an event too, unless it is left out here: a look at 5,000 registrations would fill the
#: kernel's queue, after which watchdog looks at all directories anew, and fills it again.
_KINDS: list[type[events.FileSystemEvent]] = [
    events.DirCreatedEvent,
    events.DirDeletedEvent,
    events.DirMovedEvent,
    events.FileCreatedEvent,
    events.FileDeletedEvent,
    events.FileModifiedEvent,
    events.FileMovedEvent,
]
_FILES = (MARKER_FILE, JOURNAL_FILE, RETIRED_FILE)
_Signature = Tuple[Tuple[int, int, int], ...]


class StateFiles:
    """The registrations of one server's run.

    Attributes:
        registrations: by directory.
    """

    def __init__(self) -> None:
        self.registrations: dict[str, Registration] = {}
        self._signatures: dict[str, _Signature] = {}

    def scan(self, run_dirs: Iterable[str]) -> set[str]:
        """Look at every registration, and return the directories of those that changed or went.

        Three stats for each that did not change: about 5 ms for 1,000 of them.
        """
        found = [path for folder in run_dirs for path in _folders(folder)]
        changed = self.look_at(found)
        for path in set(self.registrations).difference(found):
            del self.registrations[path]
            del self._signatures[path]
            changed.add(path)
        return changed

    def names(self) -> list[str]:
        """Return the models whose workers wrote something; a scan may run at the same time."""
        return recorded_names(list(self.registrations.values()))

    def look_at(self, directories: Iterable[str]) -> set[str]:
        """Look at these registrations, and return the directories of those that changed."""
        changed = set()
        for path in directories:
            signature = _signature(path)
            if self._signatures.get(path) != signature:
                # Taken before reading: what is written meanwhile is seen the next time.
                self._signatures[path] = signature
                self.registrations[path] = read_registration(path)
                changed.add(path)
        return changed


def _folders(run_dir: str) -> list[str]:
    try:
        with os.scandir(run_dir) as entries:
            return sorted(entry.path for entry in entries if entry.is_dir(follow_symlinks=False))
    except OSError:
        return []


def _signature(directory: str) -> _Signature:
    """Return what changes when a file of the registration does."""
    found = []
    for name in _FILES:
        try:
            status = os.stat(os.path.join(directory, name))
            found.append((status.st_ino, status.st_mtime_ns, status.st_size))
        except OSError:  # noqa: PERF203 - each file may be missing by itself
            found.append((0, 0, 0))
    return tuple(found)


class FileEvents:
    """Watches directories with all that is in them (inotify, FSEvents).

    Looking from time to time finds everything too, only later; so where a watch cannot be had (a
    network file system, the limit of watches), that is one line in the log.

    Args:
        changed: is called soon after anything changed.
    """

    def __init__(self, loop: asyncio.AbstractEventLoop, changed: Callable[[], None]) -> None:
        self._loop = loop
        self._changed = changed
        self._observer: BaseObserver | None = None
        self._watched: tuple[str, ...] = ()

    def watch(self, directories: list[str]) -> None:
        """Watch these directories from now on, and no others. Never raises."""
        if tuple(directories) == self._watched:
            return
        self.stop()
        self._watched = tuple(directories)
        if not directories:
            return
        observer = Observer()
        try:
            for path in directories:
                handler = _Handler(self._tell)
                observer.schedule(handler, path, recursive=True, event_filter=_KINDS)
            observer.start()
        except (OSError, RuntimeError) as error:
            log.warning("cannot watch %s, looking from time to time: %s", directories, error)
            return
        self._observer = observer

    def stop(self) -> None:
        """Watch nothing any more."""
        self._watched = ()
        if self._observer is not None:
            self._observer.stop()
            self._observer.join(2)
            self._observer = None

    def _tell(self) -> None:
        try:
            self._loop.call_soon_threadsafe(self._changed)
        except RuntimeError:
            pass  # The loop has ended.


class _Handler(events.FileSystemEventHandler):
    def __init__(self, tell: Callable[[], None]) -> None:
        self._tell = tell

    def on_any_event(self, event: events.FileSystemEvent) -> None:
        if os.path.basename(os.fsdecode(event.src_path)) != LOCK_FILE:
            self._tell()
