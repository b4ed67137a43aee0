"""What this package's own lines say of a failure, where TorchServe logs no traceback of it, or lost it.

The frontend can lose what a worker wrote last, and its script logs no traceback of a ``SystemExit`` or a
``socket.timeout``. The forms are those of `worker.failure_report.failure_line` and
`store.marker.why_not_loaded`.
"""

from __future__ import annotations

import re
from typing import Iterable, NamedTuple

_MODEL = r"ts-retry: model (?:'[^']{1,400}'|\"[^\"]{1,400}\")"
_FAILED = re.compile(
    rf"{_MODEL} failed in phase (?P<phase>\w{{1,20}}) with (?P<cause>.{{1,4000}}); "
    r"[^;()]{1,60} \([^()]{0,200}fingerprint (?P<fingerprint>[0-9a-f]{16})\)"
)
_HELD = re.compile(
    rf"{_MODEL} is held, [^:]{{1,80}}: (?P<cause>.{{1,4000}}) "
    r"\[[^\[\]]{0,200}fingerprint (?P<fingerprint>[0-9a-f]{16})\]"
)


class OwnWord(NamedTuple):
    """What one line says.

    Attributes:
        cause: type and message of the exception, in one line.
        fingerprint: of the failure as the worker saw it, 16 hex digits.
        phase: how far the worker was, or None where the line does not say.
    """

    cause: str
    fingerprint: str
    phase: str | None


def own_word(line: str) -> OwnWord | None:
    """Return what a line says of a failure, or None where it is none of those lines."""
    failed = _FAILED.search(line)
    if failed is not None:
        return OwnWord(failed["cause"], failed["fingerprint"], failed["phase"])
    held = _HELD.search(line)
    return None if held is None else OwnWord(held["cause"], held["fingerprint"], None)


def own_words(lines: Iterable[str]) -> list[OwnWord]:
    """Return what lines say of failures, in their order."""
    return [word for word in map(own_word, lines) if word is not None]
