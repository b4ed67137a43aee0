"""The packages of a worker's environment: which are installed, and when each was."""

from __future__ import annotations

import os
import sys
import time
from typing import Dict, Iterator, Sequence

from ts_retry_ext.worker.path_facts import FILE, MISSING, Difference, PathFacts, look_at

#: What an installer leaves for each distribution (``.pth`` and ``.egg-link``: for editable ones).
_ENDS = (".dist-info", ".egg-info", ".pth", ".egg-link", ".egg")
#: Only these say so in the name: ``torchtext-0.16.0.dist-info``.
_VERSIONED = (".dist-info", ".egg-info", ".egg")

#: By name of what an installer left, when it was last changed, in nanoseconds since the epoch.
Installed = Dict[str, int]


def package_directories(python_path: Sequence[str], model_dir: str) -> list[str]:
    """Return the directories of `python_path` that packages are installed into, there or not.

    The user's own directory counts even if it is not there yet: ``pip install --user`` makes it, and
    the next interpreter finds it.
    """
    library = os.path.dirname(os.__file__)
    left_out = (library, os.path.join(library, "lib-dynload"), model_dir)
    user = getattr(sys.modules.get("site"), "USER_SITE", None)
    enabled = getattr(sys.modules.get("site"), "ENABLE_USER_SITE", False)
    paths = [*python_path, *([user] if user and enabled else [])]
    return [
        path
        for path in dict.fromkeys(paths)
        if os.path.isabs(path) and path not in left_out and not path.endswith(".zip")
    ]


def installed_in(directory: str) -> Installed | None:
    """Return what is installed in a directory, nothing if it is missing, None if it cannot be read now."""
    try:
        with os.scandir(directory) as entries:
            return {e.name: _changed(e) for e in entries if e.name.endswith(_ENDS)}
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except OSError:
        return None


class WatchedPackages:
    """Watch the directories that packages are installed into.

    A directory is listed again only when its own time of change is another one: an installer puts each
    distribution's record there under a new name, or makes it anew.
    """

    def __init__(self, known: dict[str, Installed]) -> None:
        self.known = known
        self._seen: dict[str, int] = {}

    def look(self) -> list[Difference]:
        """Return what was installed, removed or replaced in directories that have changed."""
        found = []
        for directory in self.known:
            seen = look_at(directory)
            changed = 0 if seen is None else seen.changed_ns
            if seen is None or self._seen.get(directory) == changed:
                continue
            self._seen[directory] = changed
            found += self._in_directory(directory)
        return found

    def check(self, known: Difference) -> Difference | None:
        """Look again at what differed; None if it does no more, `known` if nobody can say."""
        directory, name = os.path.split(known.key)
        now = installed_in(directory)
        if now is None:
            return known
        return _compare(directory, name, self.known.get(directory, {}), now)

    def absorb(self, seen: Difference) -> None:
        """Take what was seen as known."""
        directory, name = os.path.split(seen.key)
        if seen.now.kind == FILE:
            self.known[directory][name] = seen.changed_ns
        else:
            self.known[directory].pop(name, None)

    def every(self, until: float) -> Iterator[Difference]:
        """Yield all differences there are, in one go that ends at `until` (monotonic) at the latest."""
        for directory in self.known:
            if time.monotonic() >= until:
                return
            yield from self._in_directory(directory)

    def _in_directory(self, directory: str) -> list[Difference]:
        now = installed_in(directory)
        if now is None:
            return []
        before = self.known[directory]
        names = sorted({*before, *now})
        return [d for d in (_compare(directory, name, before, now) for name in names) if d]


def _compare(directory: str, name: str, before: Installed, now: Installed) -> Difference | None:
    if before.get(name) == now.get(name):
        return None
    if name not in now:
        became, changed, facts = "was removed from", 0, PathFacts(MISSING)
    else:
        became = "was installed in" if name not in before else "was installed anew in"
        changed = now[name]
        facts = PathFacts(FILE, content=changed & 0xFFFFFFFF)
    # All of a directory stand still together: an installer puts what is needed first there first.
    seen = look_at(directory)
    at = 0 if seen is None else seen.changed_ns
    facts = facts._replace(stamp=at & 0xFFFFFFFF)
    path = os.path.join(directory, name)
    return Difference(path, f"package {_package(name)} {became} {directory}", facts, changed or at)


def _package(name: str) -> str:
    """Return ``torchtext 0.16.0`` for ``torchtext-0.16.0.dist-info``."""
    stem = name[: -len(next(end for end in _ENDS if name.endswith(end)))]
    if name.endswith(_VERSIONED):
        parts = stem.split("-")
        return " ".join(parts[:2])
    return stem.replace("__editable__.", "")


def _changed(entry: os.DirEntry[str]) -> int:
    try:
        return entry.stat().st_mtime_ns
    except OSError:
        return 0
