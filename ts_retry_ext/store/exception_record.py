"""An exception as marker and journal hold it under ``exception``."""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple


class CauseRecord(NamedTuple):
    """One exception of a chain: its type, with its module, and its message."""

    type: str
    message: str


class FrameRecord(NamedTuple):
    """One frame of a traceback.

    Attributes:
        in_app: whether the code is the model's own.
    """

    file: str
    function: str
    in_app: bool


class FailingLine(NamedTuple):
    """The model's own innermost frame.

    Attributes:
        file: its file, relative to the model's directory where it lies there.
        line: number of the line, None where that was not kept.
        function: the function, None where the file itself is wrong.
        source: the line of code, redacted as the traceback is; None where that was not kept.
    """

    file: str
    line: int | None
    function: str | None
    source: str | None

    def in_words(self) -> str:
        """Return it in one line: ``h.py:8 initialize: self.threshold = float(THRESHOLD)``."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        where = place if self.function is None else f"{place} {self.function}"
        return where if self.source is None else f"{where}: {self.source}"


class FingerprintRecord(NamedTuple):
    """What a fingerprint is made of.

    Attributes:
        types: exception types of the chain; frames: ``module:function``.
        messages: the chain's messages without what varies; numbers: errno names, HTTP statuses.
    """

    types: tuple[str, ...] = ()
    frames: tuple[str, ...] = ()
    messages: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()


class ExceptionRecord(NamedTuple):
    """What failed.

    Attributes:
        type: the exception's type, with its module.
        message: its text; secrets are out, here and everywhere below.
        chain: what caused it, innermost last.
        frames: its traceback, innermost frame last.
        at: where in the model's own code it failed, or None where none of it was under way.
    """

    type: str
    message: str
    chain: tuple[CauseRecord, ...] = ()
    frames: tuple[FrameRecord, ...] = ()
    traceback: str = ""
    fingerprint_parts: FingerprintRecord = FingerprintRecord()
    at: FailingLine | None = None


def exception_to_json(exception: ExceptionRecord) -> dict[str, Any]:
    """Return an exception as a file holds it."""
    return {
        **exception._asdict(),
        "chain": [link._asdict() for link in exception.chain],
        "frames": [frame._asdict() for frame in exception.frames],
        "fingerprint_parts": exception.fingerprint_parts._asdict(),
        "at": None if exception.at is None else exception.at._asdict(),
    }


def exception_from_json(content: Mapping[str, Any]) -> ExceptionRecord:
    """Return the exception that a file holds, whose shape `spoilt_keys` has found to be ours."""
    parts = content.get("fingerprint_parts") or {}
    return ExceptionRecord(
        type=_text(content, "type"),
        message=_text(content, "message"),
        chain=tuple(
            CauseRecord(_text(link, "type"), _text(link, "message"))
            for link in content.get("chain") or ()
        ),
        frames=tuple(
            FrameRecord(_text(f, "file"), _text(f, "function"), bool(f.get("in_app")))
            for f in content.get("frames") or ()
        ),
        traceback=_text(content, "traceback"),
        fingerprint_parts=FingerprintRecord(
            *(tuple(parts.get(name) or ()) for name in FingerprintRecord._fields)
        ),
        at=_place(content.get("at")),
    )


def _place(content: Mapping[str, Any] | None) -> FailingLine | None:
    if not content or not content.get("file"):
        return None
    line, function, source = (content.get(key) for key in ("line", "function", "source"))
    return FailingLine(content["file"], line, function or None, source or None)


def _text(content: Mapping[str, Any], key: str) -> str:
    return content.get(key) or ""
