"""Text of unknown origin made safe to keep: bounded in length, free of control characters."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ts_retry_ext.judge.failure import LEFT_OUT

#: Characters of an exception's message that are kept; of a longer one its head and its tail.
MESSAGE_LIMIT = 8_000
#: Characters of a whole traceback that are kept.
TRACEBACK_LIMIT = 64_000
#: Characters of a type name, file or function name that are kept.
NAME_LIMIT = 400
#: Characters beyond a cut in which a secret that begins before it may end: an RSA key of 4096 bits has 3,300.
_SECRET_LENGTH = 4_000
#: Characters at the start of the last window that are not kept.
_DIVIDED = 1_000

_ANSI = re.compile(
    r"\x1b(?:\[[0-9;?]{0,16}[ -/]?[@-~]|\][^\x07\x1b]{0,200}(?:\x07|\x1b\\)|[@-Z\\-_])"
)
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def bounded(text: str, limit: int, secrets: Sequence[str] = ()) -> str:
    """Return `text`, or its head and tail (3 to 1) with the number of characters left out between.

    Secrets are taken out before the cut, since half a secret is not known as one.

    Args:
        text: anything.
        limit: characters that are kept.
        secrets: values that must not appear (see `redact.secret_values`).
    """
    if len(text) <= limit:
        return text
    # Imported here: most texts are short, and a holder needs none of this.
    from ts_retry_ext.judge.redact import redact

    tail = limit // 4
    head = limit - tail
    if len(text) <= limit + 2 * _SECRET_LENGTH:
        return head_and_tail(redact(text, secrets), limit)
    begin = redact(text[: head + _SECRET_LENGTH], secrets)
    end = redact(text[-tail - _SECRET_LENGTH :], secrets)
    # A secret that the window itself divides stands at its start; what is kept must not reach it.
    end = end[_DIVIDED:][-tail:]
    return f"{begin[:head]} … [{len(text) - limit} {LEFT_OUT}] … {end}"


def head_and_tail(text: str, limit: int) -> str:
    """Return `text`, or its head and tail; for what is neither stored nor shown."""
    if len(text) <= limit:
        return text
    tail = limit // 4
    head = limit - tail
    left_out = len(text) - head - tail
    return f"{text[:head]} … [{left_out} {LEFT_OUT}] … {text[-tail:]}"


def _shown(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def visible(text: str) -> str:
    """Remove terminal sequences and spell out control characters; keep tab and newline."""
    text = text.replace("\r\n", "\n")
    return _CONTROL.sub(_shown, _ANSI.sub("", text))


def clean(text: str, limit: int = MESSAGE_LIMIT, secrets: Sequence[str] = ()) -> str:
    """Return `text` bounded to about `limit` characters and free of control characters."""
    return bounded(visible(bounded(text, limit, secrets)), limit * 2, secrets)
