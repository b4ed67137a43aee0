"""Lists in a message put in order: a set prints its members in another order in each process.

Python's hash of a text is another one in each process (PYTHONHASHSEED), so a message that prints a
set, or a list made from one, is never the same twice. Two faults whose lists differ in order alone
are taken for one; nobody has named such a pair.
"""

from __future__ import annotations

import re

#: Members of one list that are put in order; a longer one is left as it is.
_MEMBERS_LIMIT = 200

#: One member: a text or bytes in quotes, what Python shows in angle brackets, or a word.
_MEMBER = (
    r"(?:b?'[^'\n]{0,120}'|b?\"[^\"\n]{0,120}\"|<[\w.]{1,40} [^<>\n]{1,120}>|[\w.\-<>/]{1,120})"
)
#: A member before a colon or an equals sign is a key, and one behind it is its value.
_LIST = re.compile(
    r"(?<![\w.=\-])(?<!: )"
    + _MEMBER
    + r"(?:, ?"
    + _MEMBER
    + r"){1,"
    + str(_MEMBERS_LIMIT)
    + r"}(?![\w.\-]| ?[:=])"
)
_PARTS = re.compile(_MEMBER)


def without_order(text: str) -> str:
    """Return a text with the members of every list that is divided by commas in order."""
    return _LIST.sub(_ordered, text)


def _ordered(match: re.Match[str]) -> str:
    return ", ".join(sorted(_PARTS.findall(match.group())))
