"""What a worker has in hand from the start on, so that recording its failure needs nothing of the model's leaving."""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal itself makes enums of all its names
import builtins
import io
import json
import os
import sys
import time
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Iterator

from ts_retry_ext.store import journal
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.kept_journal import give_spare_away, let_go
from ts_retry_ext.store.lock import locked
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import now_text
from ts_retry_ext.worker.failure_note import FailureNote, remove_unwritten
from ts_retry_ext.worker.isolation import Isolated
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session

#: What a failure record says where nobody could judge the failure; see `judge.verdict`.
_UNJUDGED_VERDICT, _UNJUDGED_BASIS = "unknown", "none"
UNJUDGED_REASON = "The failure could not be judged; it counts for nothing."
#: What stands in the line that is made beforehand for what is known at the end only.
_AT, _PHASE, _TYPE = "<at>", "<phase>", "<type>"
_MAX_TYPE = 200
#: Modules whose functions the judging uses, and that are patched in the field.
_MODULES: tuple[ModuleType, ...] = (builtins, io, json, os, os.path, time)
_ABSENT = object()


class InHand:
    """Open files, the interpreter's state, and the line that says a failure could not be judged."""

    def __init__(self, session: Session) -> None:
        """Take it in hand. Raises OSError."""
        self._session = session
        journal.keep_open(session.directory)
        remove_unwritten(session.directory)
        self._note = _note_of(session)
        self._at_start = AsAtStart()
        self.make_line()

    def make_line(self) -> None:
        """Make the line for a failure that cannot be judged; once more when the model's name is known."""
        record = self._session.own_record(Event.FAILURE)._replace(
            at=_AT,
            verdict=_UNJUDGED_VERDICT,
            basis=_UNJUDGED_BASIS,
            phase=_PHASE,
            reason=UNJUDGED_REASON,
            exception=ExceptionRecord(_TYPE, ""),
        )
        self._line = journal.line_of(record)

    @contextmanager
    def judging(self) -> Iterator[None]:
        """Give descriptors and the interpreter of the start to what judges a failure."""
        with self._at_start, Isolated():
            give_spare_away()
            yield

    def write_unjudged(self, exc: BaseException, phase: str) -> None:
        """Write down that `exc` ended this worker and could not be judged, at least as a note.

        Needs no import and none of the modules that a handler may have patched.

        Raises:
            Exception: neither can be written.
        """
        line = self._line
        kind = _name_of(type(exc))
        for place, value in ((_AT, now_text()), (_PHASE, phase), (_TYPE, kind)):
            line = line.replace(place.encode("ascii"), value.encode("ascii"))
        try:
            give_spare_away()
            with locked(self._session.directory):
                journal.append_line(self._session.directory, line)
        except Exception as error:
            say(f"cannot write to the journal that it failed: {error!r}")
            if self._note is None:
                raise
            self._note.write(line)
        else:
            self.let_go()

    def let_go(self) -> None:
        """Let go of it: the model has loaded, or its failure is written down. Never raises."""
        let_go()
        if self._note is not None:
            self._note.remove()


class AsAtStart:
    """A context in which modules, path and recursion limit are those of the time this was made.

    A handler may patch ``json``, ``time`` or ``open``, clear ``sys.path``, lower the recursion limit or leave
    a timer behind whose handler raises. Its failure is to be judged nevertheless.
    """

    def __init__(self) -> None:
        self._modules = dict(sys.modules)
        self._path = sys.path[:]
        self._recursion = sys.getrecursionlimit()
        self._contents = [dict(vars(module)) for module in _MODULES]

    def __enter__(self) -> None:
        self._timer = _signal.setitimer(_signal.ITIMER_REAL, 0.0)
        self._limit = sys.getrecursionlimit()
        sys.setrecursionlimit(max(self._limit, self._recursion))
        self._patches = [
            _replace(vars(module), contents) for module, contents in zip(_MODULES, self._contents)
        ]
        self._displaced = _replace(sys.modules, self._modules)
        self._path_now = sys.path
        sys.path = self._path + [entry for entry in self._path_now if entry not in self._path]

    def __exit__(self, *_: object) -> None:
        sys.path = self._path_now
        _put_back(sys.modules, self._displaced)
        for module, patches in zip(_MODULES, self._patches):
            _put_back(vars(module), patches)
        try:
            sys.setrecursionlimit(self._limit)
        except RecursionError:
            pass  # The process is as deep as that already.
        _signal.setitimer(_signal.ITIMER_REAL, *self._timer)


def _replace(now: dict[Any, Any], before: dict[Any, Any]) -> dict[Any, Any]:
    """Put the values of `before` into `now`, and return what stood in their place."""
    changed = {k: now.get(k, _ABSENT) for k, v in before.items() if now.get(k, _ABSENT) is not v}
    for key in changed:
        now[key] = before[key]
    return changed


def _put_back(now: dict[Any, Any], changed: dict[Any, Any]) -> None:
    for key, value in changed.items():
        if value is _ABSENT:
            now.pop(key, None)
        else:
            now[key] = value


def _note_of(session: Session) -> FailureNote | None:
    """Return this process's note, or None where the disk has no room for it."""
    try:
        return FailureNote(session.directory, session.pid)
    except OSError:
        return None


def _name_of(kind: type) -> str:
    """Return the name of an exception's type, as far as a line can hold it without an encoder."""
    name = f"{kind.__module__}.{kind.__qualname__}".replace("builtins.", "")
    return "".join(
        c if c in "._" or (c.isascii() and c.isalnum()) else "?" for c in name[:_MAX_TYPE]
    )
