"""Import what the package needs without meeting, or hiding, the files of the archive.

The model's directory stands first on a worker's path (0.12.0 EnvironmentUtils.getEnvString), so an
archive that holds a ``json.py`` or a ``torch.py`` shadows the real module. That breaks the worker,
and is one of the failures to be judged; it must not break the judging. The other way round, a
module that we imported first would stay in ``sys.modules`` and cure a worker that TorchServe
without us could not start.
"""

from __future__ import annotations

import os
import sys

# This module, and the two it is imported by, import nothing else: what they import, they import
# before they are isolated.

PACKAGE = "ts_retry_ext"
_LIBRARY = os.path.dirname(os.path.realpath(os.__file__))
#: Where this package lies, and with it what it was installed with.
_HOME = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
_INSTALLED = ("site-packages", "dist-packages")

_foreign: list[str] | None = None


class Isolated:
    """A context in which imports come from the standard library and site-packages only.

    Afterwards the path is as it was, and so is ``sys.modules`` wherever the archive holds a module
    of the same name.
    """

    def __enter__(self) -> None:
        self._foreign = foreign_paths()
        self._path = sys.path[:]
        # After torch there are over a thousand modules, in a fraction of as many folders.
        known: dict[str, bool] = {}
        self._displaced = {
            name: module
            for name, module in list(sys.modules.items())
            if _lies_in(module, self._foreign, known)
        }
        self._before = set(sys.modules) - set(self._displaced)
        sys.path[:] = [entry for entry in self._path if _real(entry) not in self._foreign]
        for name in self._displaced:
            sys.modules.pop(name, None)

    def __exit__(self, *_: object) -> None:
        sys.path[:] = self._path
        shadows = _module_names(self._foreign)
        for name in set(sys.modules) - self._before:
            if name.partition(".")[0] in shadows and not _is_ours(name):
                sys.modules.pop(name, None)
        sys.modules.update(self._displaced)


def _real(entry: str) -> str | None:
    """Return the real path of an entry of ``sys.path``, or None for what is none: anything may be there."""
    try:
        return os.path.realpath(entry or ".")
    except (OSError, TypeError, ValueError):
        return None  # The current directory may be gone, too.


def foreign_paths() -> list[str]:
    """Return the real paths that ``PYTHONPATH`` puts before the standard library: the archive's.

    They are those of the process's start: a handler may change its directory and environment. An
    image may name its own site-packages there; what is installed is not foreign.
    """
    global _foreign
    if _foreign is None:
        entries = os.environ.get("PYTHONPATH", "").split(os.pathsep)
        paths = (os.path.realpath(entry) for entry in entries if entry)
        _foreign = [path for path in paths if not is_installed(path)]
    return _foreign


def is_installed(path: str) -> bool:
    """Tell whether `path` belongs to the standard library, or holds what is installed."""
    return (
        path in (_LIBRARY, _HOME)
        or path.startswith(_LIBRARY + os.sep)
        or os.path.basename(path) in _INSTALLED
    )


def _lies_in(module: object, folders: list[str], known: dict[str, bool]) -> bool:
    try:
        # Not getattr: a module that imports itself lazily would do so now, or raise whatever it likes.
        facts = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return False
    name, file = facts.get("__name__"), facts.get("__file__")
    if not isinstance(file, str) or name in (None, "__main__") or _is_ours(name):
        return False
    own = os.path.dirname(file)
    if own not in known:
        real = os.path.realpath(own) + os.sep
        known[own] = any(real.startswith(folder + os.sep) for folder in folders)
    return known[own]


def _is_ours(name: object) -> bool:
    return isinstance(name, str) and name.partition(".")[0] == PACKAGE


def _module_names(folders: list[str]) -> set[str]:
    """Return the names of the modules and packages that lie directly in `folders`."""
    names: set[str] = set()
    for folder in folders:
        try:
            names.update(entry.partition(".")[0] for entry in os.listdir(folder))
        except OSError:  # noqa: PERF203 - a handful of folders
            continue
    return names
