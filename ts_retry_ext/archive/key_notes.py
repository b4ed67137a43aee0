"""Note what the value of a key does not show: that the key stands twice, that a number is octal.

Importing this module imports PyYAML.
"""

from __future__ import annotations

import re
from typing import Any, Iterator, NamedTuple

import yaml

#: A key that stood in the file before; the last one counts.
REPEATED = "repeated"
#: A number that starts with 0 and is octal for that.
OCTAL = "octal"
_OCTAL = re.compile(r"[-+]?0[0-7_]*[1-7][0-7_]*", re.ASCII)


class Note(NamedTuple):
    """Something about a key at the top of a file that its value does not show.

    Attributes:
        kind: `REPEATED` or `OCTAL`.
        key: the key.
        line: the line of the key, from 1 on.
        text: the value as it stands in the file, where that is a scalar.
    """

    kind: str
    key: str
    line: int
    text: str


def notes_of(root: Any) -> Iterator[Note]:
    """Yield what is worth a note in the tree of nodes that PyYAML composed."""
    if not isinstance(root, yaml.MappingNode):
        return
    seen = set()
    for key, value in root.value:
        if not isinstance(key, yaml.ScalarNode) or key.tag == "tag:yaml.org,2002:merge":
            continue
        line = key.start_mark.line + 1
        text = value.value if isinstance(value, yaml.ScalarNode) else ""
        if key.value in seen:
            yield Note(REPEATED, key.value, line, text)
        seen.add(key.value)
        if value.tag == "tag:yaml.org,2002:int" and _OCTAL.fullmatch(text):
            yield Note(OCTAL, key.value, line, text)
