"""What one node of a parsed regular expression matches, as a set of characters in one integer.

Bit n stands for the character n of ASCII, and one more bit for every other character. Case does not
count, as in every pattern of a rule. Node names are those of Python's `re._parser` (3.8 to 3.14).
"""

from __future__ import annotations

from typing import Any

_OTHER = 1 << 128
#: Every character.
EVERY = (1 << 129) - 1


def _of(characters: str) -> int:
    found = 0
    for character in characters:
        found |= 1 << ord(character)
    return found


_DIGIT = _of("0123456789")
_LETTER = _of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_WORD = _DIGIT | _LETTER | _of("_") | _OTHER
_SPACE = _of(" \t\n\r\f\v") | _OTHER
_CATEGORIES = {
    "CATEGORY_DIGIT": _DIGIT | _OTHER,
    "CATEGORY_NOT_DIGIT": EVERY & ~_DIGIT,
    "CATEGORY_SPACE": _SPACE,
    "CATEGORY_NOT_SPACE": EVERY & ~(_SPACE & ~_OTHER),
    "CATEGORY_WORD": _WORD,
    "CATEGORY_NOT_WORD": EVERY & ~(_WORD & ~_OTHER),
}


def character_set(name: str, argument: Any) -> int | None:
    """Return what a node matches; None if the node is not one character."""
    if name == "LITERAL":
        return _one(argument)
    if name == "NOT_LITERAL":
        return EVERY & ~_one(argument)
    if name == "ANY":
        return EVERY & ~_of("\n")
    return _class(argument) if name == "IN" else None


def _one(code: int) -> int:
    if code > 127:
        return _OTHER
    return _of(chr(code).lower() + chr(code).upper())


def _class(items: Any) -> int:
    found, negated = 0, False
    for operation, argument in items:
        name = str(operation)
        if name == "NEGATE":
            negated = True
        elif name == "LITERAL":
            found |= _one(argument)
        elif name == "RANGE":
            low, high = argument
            for code in range(low, min(high, 127) + 1):
                found |= _one(code)
            found |= _OTHER if high > 127 else 0
        elif name == "CATEGORY":
            found |= _CATEGORIES.get(str(argument), EVERY)
    return EVERY & ~(found & ~_OTHER) if negated else found
