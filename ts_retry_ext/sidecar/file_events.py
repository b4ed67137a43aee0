"""Be told by the kernel when a file in the state directory changes (inotify, FSEvents)."""

from __future__ import annotations

import asyncio
import logging
import os
from typing import Callable

from watchdog import events
from watchdog.observers import Observer
from watchdog.observers.api import BaseObserver

from ts_retry_ext.store.directory import LOCK_FILE

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


class FileEvents:
    """Watches directories with all that is in them.

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
