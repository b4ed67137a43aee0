"""The name of a fault: equal for one fault over runs, hosts and directories, else different."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from ts_retry_ext.judge.facts import errno_names, http_statuses
from ts_retry_ext.judge.failure import Cause, Failure, Frame
from ts_retry_ext.judge.lineage import plain
from ts_retry_ext.judge.normal_form import normal_form
from ts_retry_ext.judge.redact import redact

#: Raise this with every change of what goes into a fingerprint or how it is normalized.
FINGERPRINT_VERSION = 2
#: Exceptions of the chain that take part.
_CHAIN_PART = 5
#: Library frames that take part where the stack holds no frame of the model's own code.
_LIBRARY_FRAMES = 2
_APP_FRAMES = 8
#: Libraries that pass an import on and say nothing of the fault.
_MACHINERY = ("importlib", "runpy", "threading", "concurrent", "multiprocessing")


@dataclass(frozen=True)
class FingerprintParts:
    """Show what a fingerprint is made of (`ts-retry show`).

    Attributes:
        types: plain exception types of the chain, outermost first.
        frames: `module:function` of the model's own frames, else of the innermost library ones.
        messages: normalized messages of the chain.
        numbers: errno names and HTTP status codes.
    """

    types: tuple[str, ...]
    frames: tuple[str, ...]
    messages: tuple[str, ...]
    numbers: tuple[str, ...]


def explain(failure: Failure) -> FingerprintParts:
    """Return the parts a failure's fingerprint is made of.

    They are those that a printed traceback has, so that a log gives the same name: no exception that
    `from None` hides, no number that only an attribute holds.
    """
    links = [link for link in failure.links if link.is_printed][:_CHAIN_PART]
    numbers: list[str] = []
    for link in links:
        numbers += sorted(errno_names(None, link.message[:2000]))
        numbers += [str(code) for code in sorted(http_statuses(None, link.message[:2000]))]
    return FingerprintParts(
        types=tuple(plain(link.type) for link in links),
        frames=tuple(f"{frame.module}:{frame.function}" for frame in _telling(failure.frames)),
        messages=tuple(normal_form(redact(_message(link))) for link in links),
        numbers=tuple(dict.fromkeys(numbers)),
    )


def fingerprint(failure: Failure) -> str:
    """Return 16 hex digits that name the fault."""
    parts = explain(failure)
    text = "\x1e".join(
        (
            "\x1f".join(parts.types),
            "\x1f".join(parts.frames),
            "\x1f".join(parts.messages),
            "\x1f".join(parts.numbers),
        )
    )
    data = f"{FINGERPRINT_VERSION}\x1e{text}".encode("utf-8", "backslashreplace")
    return hashlib.sha256(data).hexdigest()[:16]


def _message(link: Cause) -> str:
    return link.message[:4_000]


def _telling(frames: tuple[Frame, ...]) -> tuple[Frame, ...]:
    own = [frame for frame in frames if frame.in_app]
    if own:
        return tuple(own[-_APP_FRAMES:])
    library = [frame for frame in frames if not _is_machinery(frame)]
    return tuple(library[-_LIBRARY_FRAMES:])


def _is_machinery(frame: Frame) -> bool:
    return frame.file.startswith("<") or frame.module.partition(".")[0] in _MACHINERY
