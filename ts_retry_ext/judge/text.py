"""Text of unknown origin made safe to keep: bounded in length, free of control characters."""

from __future__ import annotations

import re

#: Characters of an exception's message that are kept; of a longer one its head and its tail.
MESSAGE_LIMIT = 8_000
#: Characters of a whole traceback that are kept.
TRACEBACK_LIMIT = 64_000
#: Characters of a type name, file or function name that are kept.
NAME_LIMIT = 400

_ANSI = re.compile(
    r"\x1b(?:\[[0-9;?]{0,16}[ -/]?[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_])"
)
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def bounded(text: str, limit: int) -> str:
    """Return `text`, or its head and tail (3 to 1) with the number of characters left out between."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    head = limit - tail
    left_out = len(text) - head - tail
    return f"{text[:head]} … [{left_out} characters left out] … {text[-tail:]}"


def _shown(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def visible(text: str) -> str:
    """Remove terminal sequences and spell out control characters; keep tab and newline."""
    text = text.replace("\r\n", "\n")
    return _CONTROL.sub(_shown, _ANSI.sub("", text))


def clean(text: str, limit: int = MESSAGE_LIMIT) -> str:
    """Return `text` bounded to about `limit` characters and free of control characters."""
    return bounded(visible(bounded(text, limit)), limit * 2)
