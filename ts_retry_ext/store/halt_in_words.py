"""What a model that is not loaded waits for, and when it is tried next, in words.

The lines of holders, the commands, the page and the answers of a worker that rejects say it alike.
Standard library only: a holder imports it.
"""

from __future__ import annotations

from typing import Sequence

from ts_retry_ext.plain_text import duration_in_words
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.store.trial_schedule import (
    ADDRESS,
    ELSEWHERE,
    FILES,
    MODULE,
    PACKAGES,
    PATH,
    RESUME,
    TIME,
)

#: The two states of a model that is not loaded, as `snapshot.state` has them, too.
HALTED, WAITING = "halted", "waiting"
#: How many things of a kind a sentence names.
MOST_NAMED = 4
_FIXED = {
    TIME: "the next trial load",
    FILES: "the model's files",
    PACKAGES: "the packages of its environment",
    ELSEWHERE: "somebody or something outside of this server",
    RESUME: "somebody to resume it",
}
_NAMED = (
    (PATH, "{} to appear or change"),
    (MODULE, "{} to be installed"),
    (ADDRESS, "{} to answer"),
)


def state_word(waits_for: Sequence[str]) -> str:
    """Return ``waiting`` for a model that is tried again by time, or whose cause is gone, else ``halted``."""
    return WAITING if TIME in waits_for or RESUME in waits_for else HALTED


def waits_for_in_words(waits_for: Sequence[str]) -> tuple[str, ...]:
    """Return what a model waits for, each as a phrase: what the failure names comes first."""
    words = []
    for prefix, phrase in _NAMED:
        found = [entry[len(prefix) :] for entry in waits_for if entry.startswith(prefix)]
        words += [phrase.format(name) for name in found[:MOST_NAMED]]
        if len(found) > MOST_NAMED:
            words.append(f"{len(found) - MOST_NAMED} more")
    return (*words, *(phrase for entry, phrase in _FIXED.items() if entry in waits_for))


def until(at: str, now: float) -> str:
    """Return how far `at` (ISO 8601 UTC) is ahead: ``in 15 s``, or ``now``; `now` is in seconds since the epoch."""
    left = to_seconds(at) - now
    return "now" if left < 0.5 else f"in {duration_in_words(left)}"


def how_it_ends(waits_for: Sequence[str], planned: str | None) -> str:
    """Return in a sentence what ends the halt of a model: a change, a trial load, or somebody.

    `planned` is when its next trial load comes, in words; None where none comes by time.
    """
    if RESUME in waits_for:
        return "Its cause is gone, and somebody has to resume it."
    others = ", ".join(waits_for_in_words([e for e in waits_for if e not in (TIME, ELSEWHERE)]))
    if planned is not None:
        return f"Next trial load: {planned}{f'; it also waits for {others}' if others else ''}."
    if not others:
        return "It waits for somebody to resume it."
    return f"It waits for a change, and is then tried again by itself: {others}."


def end_of_halt(marker: Marker, now: float) -> str:
    """Return the same of a marker; `now` in seconds since the epoch."""
    planned = marker.next_trial_at
    return how_it_ends(marker.waits_for, None if planned is None else until(planned, now))
