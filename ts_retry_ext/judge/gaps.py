"""Gaps in the words of a built-in rule: `{module|the module}`, a name and the words to use without it."""

from __future__ import annotations

import re

GAP = re.compile(r"\{(\w{1,20})\|([^{}]{0,200})\}")


def without_names(words: str) -> str:
    """Return words with the general ones in every gap, as the table of rules shows them."""
    return GAP.sub(lambda gap: gap.group(2), words)
