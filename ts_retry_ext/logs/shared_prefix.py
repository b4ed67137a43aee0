"""Learn what a logger or collector puts in front of each line, from the lines where it can be seen."""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple, Sequence

#: Different prefixes of one text: one for each pod, rank or host.
MOST_PREFIXES = 64
_LONGEST = 600
_PART = re.compile(r"\s+|\w+|[^\w\s]")
#: What differs from line to line within a prefix, and says nothing of the writer.
_VARYING = re.compile(
    r"\d{4}-\d\d-\d\d[T ]\S*|\d\d-\d\d(?= )|\d\d:\d\d:\d\d\S*"
    r"|\b(?:TRACE|DEBUG|INFO|NOTICE|WARN|WARNING|ERROR|CRITICAL|FATAL)\b|\[[\w./]+:\d+\]|^\s*\d+\s|\s+"
)


class PrefixPatterns(NamedTuple):
    """Hold the prefixes of a text.

    Attributes:
        pattern: matches any of them at the begin of a line; None where lines have none.
    """

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, prefixes: Iterable[str]) -> PrefixPatterns:
        """Return the patterns of prefixes that were seen."""
        shapes = dict.fromkeys(shape(p) for p in dict.fromkeys(prefixes) if 0 < len(p) <= _LONGEST)
        chosen = sorted(list(shapes)[:MOST_PREFIXES], key=len, reverse=True)
        return cls(re.compile("|".join(f"(?:{one})" for one in chosen)) if chosen else None)

    def split(self, line: str) -> tuple[str, str]:
        """Return who wrote a line, as its prefix names it, and the line without the prefix."""
        found = self.pattern.match(line) if self.pattern is not None else None
        if found is None:
            return "", line
        return writer(found[0]), line[found.end() :]


def shape(prefix: str) -> str:
    """Return a pattern of a prefix in which numbers, times and levels may be others.

    White space at its end is kept as it is: what follows may be indented. A line without text may lack it.
    """
    bare = prefix.rstrip()
    parts: Sequence[str] = _PART.findall(bare)
    made = "".join(map(_part, parts))
    if prefix[:1].isspace() and bare:
        made = r"[ \t]*" + made[len(r"[ \t]+") :]
    behind = len(prefix) - len(bare)
    if not bare:
        return re.escape(prefix)
    return made + (rf"(?:[ \t]{{{behind}}}|[ \t]{{0,{behind - 1}}}$)" if behind else "")


def _part(part: str) -> str:
    if part.isspace():
        return r"[ \t]+"
    if part.isdigit():
        return r"\d+"
    if any(character.isdigit() for character in part):
        return r"\w+"
    if part.isupper() and len(part) > 1:
        return "[A-Z]+"
    return re.escape(part)


def writer(prefix: str) -> str:
    """Return the part of a prefix that names who writes: rank, process, pod."""
    return _VARYING.sub("", prefix)
