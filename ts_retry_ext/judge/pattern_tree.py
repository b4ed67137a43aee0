"""A regular expression taken apart: its top alternatives, and the syntax tree that Python makes of one."""

from __future__ import annotations

import re
import warnings
from typing import Any

try:
    from re import _parser as _sre_parser  # type: ignore[attr-defined]
except ImportError:  # before Python 3.11
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sre_parse as _sre_parser


def parsed(pattern: str) -> list[Any]:
    """Return the nodes of a pattern as `re` parses it: pairs of an operation and its argument.

    Raises:
        re.error: the pattern is no regular expression.
    """
    return list(_sre_parser.parse(pattern, re.IGNORECASE))


def top_alternatives(pattern: str) -> list[str]:
    """Split at the bars that stand outside of groups and character classes."""
    parts, start, depth, in_class, skip = [], 0, 0, False, False
    for position, char in enumerate(pattern):
        if skip:
            skip = False
        elif char == "\\":
            skip = True
        elif in_class:
            # A bracket right after the opening one is a member of the class.
            in_class = char != "]" or pattern[position - 1] == "["
        elif char == "[":
            in_class = True
        elif char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "|" and depth == 0:
            parts.append(pattern[start:position])
            start = position + 1
    return [*parts, pattern[start:]]
