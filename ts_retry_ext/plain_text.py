"""What more than one room says or shows: text made visible, a cause in one line, what decided.

Standard library only: workers import it.
"""

from __future__ import annotations

import unicodedata


def visible(text: str, *, keep: str = "") -> str:
    """Return `text` with escapes for control characters and for what no encoding holds.

    Args:
        text: what to show.
        keep: control characters to leave as they are, such as a line feed.
    """
    return "".join(
        c if c in keep or unicodedata.category(c)[0] != "C" else _escape(c) for c in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
