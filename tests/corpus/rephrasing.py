"""The same message in other words: what libraries change from one version to the next."""

from __future__ import annotations

import re
from collections.abc import Iterator

_SHORT = (
    ("can't", "cannot", "could not"),
    ("couldn't", "could not", "unable to"),
    ("doesn't", "does not", "did not"),
    ("isn't", "is not", "was not"),
    ("don't", "do not", "did not"),
    ("wasn't", "was not", "is not"),
    ("failed to", "could not", "unable to"),
    ("unable to", "cannot", "failed to"),
)
_NOUN = re.compile(
    r"\b(file|connection|server|model|error|request|key|token|node|broker|worker|device|client|host|shard)(s?)\b",
    re.IGNORECASE,
)
_CLAUSES = re.compile(r"(?<=\w)(?:: |; |, |\. )(?=\w)")


def rephrased(message: str) -> Iterator[tuple[str, str]]:
    """Yield (what was changed, the message so changed), each different from the message."""
    seen = {message}
    for name, text in _changed(message):
        if text not in seen:
            seen.add(text)
            yield name, text


def _changed(message: str) -> Iterator[tuple[str, str]]:
    yield "lower case", message.lower()
    yield "upper case", message.upper()
    yield "first letter", message[:1].swapcase() + message[1:]
    for old, new in (("'", '"'), ('"', "'"), ("'", "`"), ("'", ""), ("`", "'")):
        yield "quotes", message.replace(old, new)
    yield "full stop", message.rstrip(".!") + "."
    yield "exclamation mark", message.rstrip(".!") + "!"
    yield "no full stop", message.rstrip(".!")
    yield "dashes", message.replace(" - ", ": ")
    for forms in _SHORT:
        for old in forms:
            for new in forms:
                pattern = re.compile(rf"\b{re.escape(old)}\b", re.IGNORECASE)
                yield f"{old} -> {new}", pattern.sub(new, message)
    yield "number", _NOUN.sub(lambda noun: noun.group(1) + ("" if noun.group(2) else "s"), message)
    clauses = _CLAUSES.split(message)
    if 1 < len(clauses) <= 6:
        yield "order of clauses", ": ".join(clauses[::-1])
        yield "order of clauses", "; ".join((*clauses[1:], clauses[0]))
