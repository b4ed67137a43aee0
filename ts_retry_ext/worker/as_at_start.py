"""Put the interpreter back, for a while, to what it was before the model's code ran.

A handler may patch ``json``, ``time`` or ``open``, clear ``sys.path``, lower the recursion limit or leave
a timer behind whose handler raises. Its failure is to be judged nevertheless.
"""

from __future__ import annotations

import _signal  # type: ignore[import-not-found]  # signal itself makes enums of all its names
import builtins
import io
import json
import os
import sys
import time
from types import ModuleType
from typing import Any

#: Modules whose functions the judging uses, and that are patched in the field.
_MODULES: tuple[ModuleType, ...] = (builtins, io, json, os, os.path, time)
_ABSENT = object()


class AsAtStart:
    """A context in which modules, path and recursion limit are those of the time this was made."""

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
