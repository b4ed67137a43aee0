"""Words without which a pattern cannot match, so that most rules need no regular expression.

A table of some hundred patterns searched one after the other takes milliseconds for each kilobyte of
text; looking for a plain word takes a microsecond. A pattern is taken apart into its alternatives,
and the words are read from the syntax tree of each.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from ts_retry_ext.judge.pattern_tree import parsed, top_alternatives

_REFERS_BACK = re.compile(r"\\[1-9]|\(\?P[=<]|\(\?[aiLmsux-]+\)|\(\?\(|\[\^?\]")
#: What stands for itself, a dot with its backslash included: most alternatives are plain words.
_PLAIN = re.compile(r"(?:[\w ,:;=<>!@#%&/'\"~`-]|\\[^\w\s]){2,}", re.ASCII)
_ESCAPED = re.compile(r"\\(.)")
#: What stands for the beginning of a word that is too short to have one.
_SHORT = ""
#: Longest list of words worth looking for.
_MOST_WORDS = 64


def required_words(pattern: str) -> tuple[str, ...] | None:
    """Return lower-case words of which every match holds at least one; None where none are known."""
    if _PLAIN.fullmatch(pattern):
        return (_ESCAPED.sub(r"\1", pattern).lower(),)
    try:
        words = _of_sequence(parsed(pattern))
    except Exception:
        return None
    return tuple(sorted(words)) if words and len(words) <= _MOST_WORDS else None


def beginnings(lowered: str) -> frozenset[str]:
    """Return what words of a text in lower case can begin with: every three characters that follow one another in it."""
    return frozenset((_SHORT, *map("".join, zip(lowered, lowered[1:], lowered[2:]))))


def may_occur(pattern: str, lowered: str, begun: frozenset[str]) -> bool:
    """Tell whether a text holds a word that a match of the pattern needs; True if that is not known.

    Args:
        pattern: regular expression; case does not count.
        lowered: where to look, in lower case.
        begun: its `beginnings`; most words are left without a look through the text.
    """
    words = _words(pattern)
    if words is None:
        return True
    for begin, word in words:  # noqa: SIM110, asked some hundred times for each failure, so without a generator
        if begin in begun and word in lowered:
            return True
    return False


def search(pattern: str, text: str, lowered: str) -> bool:
    """Tell whether a pattern occurs in a text.

    Args:
        pattern: regular expression; case does not count.
        text: where to look.
        lowered: the same in lower case.

    Raises:
        re.error: the pattern is no regular expression.
    """
    for words, alternative in alternatives(pattern):
        # One word is the usual case, and asked some thousand times for each failure.
        if words is not None and (
            words[0] not in lowered
            if len(words) == 1
            else not any(word in lowered for word in words)
        ):
            continue
        if compiled(alternative).search(text) is not None:
            return True
    return False


@lru_cache(maxsize=2048)
def alternatives(pattern: str) -> tuple[tuple[tuple[str, ...] | None, str], ...]:
    """Return the alternatives of a pattern, each with its required words.

    A pattern that refers to its own groups, or sets flags, is left whole.
    """
    whole = _REFERS_BACK.search(pattern) is not None
    parts = [pattern] if whole else top_alternatives(pattern)
    return tuple((required_words(part), part) for part in parts)


@lru_cache(maxsize=2048)
def _words(pattern: str) -> tuple[tuple[str, str], ...] | None:
    """Return what each word of all alternatives of a pattern begins with, and the word; None if an alternative has none."""
    found: list[str] = []
    for words, _alternative in alternatives(pattern):
        if words is None:
            return None
        found += words
    return tuple((word[:3] if len(word) > 2 else _SHORT, word) for word in dict.fromkeys(found))


@lru_cache(maxsize=8192)
def compiled(pattern: str) -> re.Pattern[str]:
    """Compile a rule's pattern; case does not count."""
    return re.compile(pattern, re.IGNORECASE)


def _of_sequence(sequence: Iterable[Any]) -> frozenset[str] | None:
    """Return the best of the word sets of a sequence's items: the one whose words are longest."""
    candidates: list[frozenset[str]] = []
    run: list[str] = []
    for operation, argument in sequence:
        name = str(operation)
        if name == "LITERAL" and argument < 128:
            run.append(chr(argument).lower())
            continue
        if len(run) > 1:
            candidates.append(frozenset(["".join(run)]))
        run = []
        words = _of_item(name, argument)
        if words:
            candidates.append(words)
    if len(run) > 1:
        candidates.append(frozenset(["".join(run)]))
    candidates = [words for words in candidates if len(words) <= _MOST_WORDS]
    return max(candidates, key=_worth) if candidates else None


def _of_item(name: str, argument: Any) -> frozenset[str] | None:
    if name == "BRANCH":
        parts = [_of_sequence(branch) for branch in argument[1]]
        known = [part for part in parts if part is not None]
        return frozenset().union(*known) if len(known) == len(parts) else None
    if name == "SUBPATTERN":
        return _of_sequence(argument[-1])
    if name in ("MAX_REPEAT", "MIN_REPEAT", "POSSESSIVE_REPEAT") and argument[0] >= 1:
        return _of_sequence(argument[2])
    if name == "ATOMIC_GROUP":
        return _of_sequence(argument)
    return None


def _worth(words: frozenset[str]) -> tuple[int, int]:
    return min(len(word) for word in words), -len(words)
