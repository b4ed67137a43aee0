"""Tell a pattern that can run for ever before it is used: Python's `re` cannot be stopped once it searches.

Two things make a backtracking search slow: a loop that can match one text in two ways
(`ambiguous_loops.py`), and open-ended repetitions one behind the other, which multiply their work:
`.*a.*b.*c`. The second is estimated here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from ts_retry_ext.judge.ambiguous_loops import has_ambiguous_loop
from ts_retry_ext.judge.character_sets import EVERY, character_set
from ts_retry_ext.judge.pattern_tree import parsed
from ts_retry_ext.judge.prefilter import alternatives

#: Characters of a text that a rule's pattern is searched in (`evidence.LINK_TEXT_LIMIT`).
_TEXT = 4_000
#: Steps that a search may take at worst: some seconds of a slow core, for a hostile text.
_MOST_STEPS = 4_000_000_000
_REPEATS = ("MAX_REPEAT", "MIN_REPEAT")


def why_it_can_run_for_ever(pattern: str) -> str:
    """Return what is wrong with a pattern, or an empty text.

    Raises:
        re.error: the pattern is no regular expression.
    """
    for _words, alternative in alternatives(pattern):
        nodes = parsed(alternative)
        if has_ambiguous_loop(nodes):
            return "repeats a group that can match one text in two ways"
        if _steps(nodes) > _MOST_STEPS:
            return "has several open-ended repetitions one behind the other"
    return ""


def _steps(nodes: list[Any]) -> float:
    """Estimate the steps of a search that fails, at worst.

    The places where it can begin, times the ends of each repetition before something that it overlaps.
    """
    flat = list(_flat(nodes))
    steps = _TEXT / max(1, _literals(flat))
    for place, (name, argument) in enumerate(flat):
        if name not in _REPEATS:
            continue
        rest = flat[place + 1 :]
        if not rest or argument[0] == argument[1]:
            continue
        if _letters(argument[2]) & _next(rest):
            steps *= min(int(argument[1]) - int(argument[0]), _TEXT) / max(1, _literals(rest))
    return steps


def _flat(nodes: Iterable[Any]) -> Iterator[tuple[str, Any]]:
    """Yield nodes with groups that stand once opened; of a branch its costliest part."""
    for operation, argument in nodes:
        name = str(operation)
        if name == "SUBPATTERN":
            yield from _flat(argument[-1])
        elif name == "ATOMIC_GROUP":
            yield from _flat(argument)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from _flat(argument[1])
        elif name == "BRANCH":
            yield from max((list(_flat(branch)) for branch in argument[1]), key=_repeats)
        elif name != "AT":
            yield name, argument


def _repeats(nodes: list[tuple[str, Any]]) -> int:
    return sum(name in _REPEATS for name, _ in nodes)


def _literals(nodes: list[tuple[str, Any]]) -> int:
    """Return how many plain characters come first."""
    count = 0
    for name, _ in nodes:
        if name != "LITERAL":
            break
        count += 1
    return count


def _next(nodes: list[tuple[str, Any]]) -> int:
    """Return the characters that can come first."""
    found = 0
    for name, argument in nodes:
        if name in (*_REPEATS, "POSSESSIVE_REPEAT"):
            found |= _letters(argument[2])
            if argument[0]:
                return found
            continue
        return found | (character_set(name, argument) or EVERY)
    return found


def _letters(nodes: Iterable[Any]) -> int:
    """Return every character that a part can hold."""
    found = 0
    for name, argument in _flat(nodes):
        if name in (*_REPEATS, "POSSESSIVE_REPEAT"):
            found |= _letters(argument[2])
        else:
            found |= character_set(name, argument) or EVERY
    return found
