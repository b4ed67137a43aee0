"""What differs from what was known, before anybody has decided whether that is news."""

from __future__ import annotations

from typing import NamedTuple

from ts_retry_ext.worker.path_facts import Look, PathFacts, difference


class Difference(NamedTuple):
    """One watched thing that is not as it was known.

    Attributes:
        key: names the thing: its path.
        said: what became of it, a sentence without a full stop.
        now: the facts as they are; the same twice means that it stands still.
        changed_ns: when it changed, in nanoseconds since the epoch, 0 if nothing says so.
        place: where its watcher keeps it.
    """

    key: str
    said: str
    now: PathFacts
    changed_ns: int
    place: object = None


def difference_between(
    path: str, before: PathFacts, seen: Look, place: object
) -> Difference | None:
    """Return how `path` differs from `before`, or None if it does not or that is no news."""
    became = difference(before, seen.facts)
    if became is None:
        return None
    return Difference(path, f"{path} {became}", seen.facts, seen.changed_ns, place)
