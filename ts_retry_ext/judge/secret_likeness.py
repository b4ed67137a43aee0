"""Tell a secret from a word, a number, a name or a path, by its looks alone."""

from __future__ import annotations

import re

from ts_retry_ext.judge.secret_formats import MASK

#: Characters below which nothing is taken for a value drawn at random.
_RANDOM_LENGTH = 8
#: Letters in a row that no word of a message has.
LONGER_THAN_WORDS = 24

#: Words that begin a sentence where a value could stand.
PROSE = frozenset(
    (
        *(
            "missing",
            "required",
            "invalid",
            "not",
            "is",
            "must",
            "should",
            "none",
            "null",
            "true",
            "false",
            "yes",
            "no",
        ),
        *(
            "expired",
            "empty",
            "field",
            "str",
            "string",
            "bool",
            "int",
            "bytes",
            "type",
            "object",
            "value",
            "authentication",
        ),
        *(
            "auth",
            "failed",
            "failure",
            "incorrect",
            "wrong",
            "denied",
            "and",
            "or",
            "the",
            "a",
            "an",
            "for",
            "was",
            "given",
        ),
        *(
            "provided",
            "expected",
            "got",
            "cannot",
            "can",
            "may",
            "to",
            "of",
            "in",
            "unknown",
            "unset",
            "undefined",
        ),
        *(
            "optional",
            "default",
            "from",
            "with",
            "error",
            "has",
            "have",
            "does",
            "do",
            "are",
            "be",
            "been",
            "if",
            "when",
        ),
        *(
            "this",
            "that",
            "it",
            "its",
            "your",
            "our",
            "any",
            "both",
            "either",
            "neither",
            "nor",
            "too",
            "at",
            "on",
            "by",
        ),
        *(
            "as",
            "only",
            "also",
            "need",
            "needs",
            "used",
            "using",
            "use",
            "set",
            "found",
            "available",
            "supported",
        ),
    )
)
IDENTIFIER = re.compile(
    r"[a-z]+(?:[_\-.][a-z]+)+\d?|[A-Z][a-z]+(?:[A-Z][a-z]+){1,8}|[A-Z]+(?:_[A-Z]+)+"
)
_NUMBER = re.compile(r"[-+]?\d{1,11}(?:\.\d+)?|\d{4}-\d\d-\d\d\S{0,20}")
_PLACE = re.compile(
    r"(?:/|\./|~/|\$|%|https?://|file:|arn:|projects/)|.{0,100}\.(?:json|pem|py|ya?ml|txt|key|crt|env)[.:]?$"
)


def is_harmless(value: str) -> bool:
    """Tell whether a value is a word of a sentence, a name, a number, a path, or masked already."""
    word = value.strip().rstrip(".,:;").lower()
    if (
        MASK in value
        or not word
        or word in PROSE
        or (" " in word and word.split(" ", 1)[0] in PROSE)
    ):
        return True
    if set(word) <= set("*x.…-") or value.startswith(("<", "[", "{", "(")):
        return True
    bare = value.strip().rstrip(".,:;")
    return bool(IDENTIFIER.fullmatch(bare) or _NUMBER.fullmatch(bare) or _PLACE.match(bare))


def looks_random(value: str) -> bool:
    """Tell whether a value holds a digit beside letters, or signs that no word has, or is longer than words are.

    It has eight characters at least.
    """
    if len(value) < _RANDOM_LENGTH or MASK in value or is_harmless(value):
        return False
    if any(char.isdigit() or char in "+/=~%" for char in value):
        return True
    return len(value) >= LONGER_THAN_WORDS and value.isalpha()
