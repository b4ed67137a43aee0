"""Name what a frontend makes of a model's configuration that its author did not mean.

What the frontend ignores, it ignores with a line in its log or in silence (TorchServe 0.12.0
ModelConfig.build); what its workers cannot read ends their loads. Each problem names file and key,
what the frontend makes of it, and what to write.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Callable, Iterator, Mapping, NamedTuple

from ts_retry_ext.archive.limits import (
    DEFAULT_TIMEOUT_SEC,
    RESPONSE_TIMEOUT,
    STARTUP_TIMEOUT,
    WINDOW,
    is_java_int,
)
from ts_retry_ext.archive.model_config import ModelConfig, why_python_refuses

#: Numbers that count above 0 only, and what is in force else.
_POSITIVE = {STARTUP_TIMEOUT: DEFAULT_TIMEOUT_SEC, RESPONSE_TIMEOUT: DEFAULT_TIMEOUT_SEC}


@dataclass(frozen=True)
class Problem:
    """One thing about a configuration that an operator should know.

    Attributes:
        code: a stable name in lower case with hyphens.
        message: a sentence for people.
    """

    code: str
    message: str


class _Kind(NamedTuple):
    code: str
    wanted: str
    fits: Callable[[Any], bool]


_INTEGER = _Kind("not-an-integer", "a YAML integer", is_java_int)
_BOOLEAN = _Kind("not-a-boolean", "true or false", lambda value: isinstance(value, bool))
_TEXT = _Kind("not-a-text", "a text", lambda value: isinstance(value, str))
_LIST = _Kind("not-a-list", "a list", lambda value: isinstance(value, list))
_MAPPING = _Kind("not-a-mapping", "a mapping", lambda value: isinstance(value, dict))
#: Keys that 0.12.0 ModelConfig.build knows, beside the window.
_KINDS = {
    **dict.fromkeys(
        ("minWorkers", "maxWorkers", "batchSize", "maxBatchDelay", RESPONSE_TIMEOUT,
         STARTUP_TIMEOUT, "parallelLevel", "clientTimeoutInMills", "jobQueueSize",
         "sequenceMaxIdleMSec", "sequenceTimeoutMSec", "maxSequenceJobQueueSize",
         "maxNumSequence"),
        _INTEGER,
    ),
    **dict.fromkeys(
        ("useJobTicket", "continuousBatching", "sequenceBatching", "asyncCommunication", "useVenv"),
        _BOOLEAN,
    ),
    "deviceType": _TEXT,
    "parallelType": _TEXT,
    "deviceIds": _LIST,
    "torchrun": _MAPPING,
}  # fmt: skip


def problems_of_config(config: ModelConfig, data: bytes, name: str) -> Iterator[Problem]:
    """Yield what the frontend makes of a configuration beside its window.

    Args:
        config: what the frontend reads of `data`.
        data: the file.
        name: its name, for messages.
    """
    from ts_retry_ext.archive.key_notes import OCTAL, REPEATED

    yield from ignored_values(config.content, name)
    for note in config.notes:
        if note.kind == REPEATED:
            message = (
                f"{name}: {note.key} stands in the file again in line {note.line}, and only the last "
                "one counts: remove the others"
            )
            yield Problem("repeated-key", message)
        if note.kind == OCTAL and (note.key == WINDOW or _KINDS.get(note.key) is _INTEGER):
            value = config.content.get(note.key)
            message = (
                f"{name}: {note.key}: {note.text} starts with 0 and is octal, {value} is in force: "
                f"write {note.key}: {note.text.lstrip('+-0_') or '0'}, or {value}"
            )
            yield Problem("octal", message)
    refused = why_python_refuses(data)
    if refused is not None:
        message = (
            f"{name}: the frontend reads it, but PyYAML, with which TorchServe's workers read it, "
            f"does not ({refused}): every load fails until that is corrected"
        )
        yield Problem("unreadable-for-workers", message)


def ignored_values(content: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """Yield a problem for each value that is none for the frontend, beside the window's."""
    for key, value in content.items():
        kind = _KINDS.get(key)
        if kind is None:
            continue
        if not kind.fits(value):
            message = (
                f"{name}: {key} is {shown(value)}, only {kind.wanted} counts: it is ignored; "
                f"write {key}: {_suggested(kind, value)}"
            )
            yield Problem(kind.code, message)
        elif key in _POSITIVE and value <= 0:
            message = (
                f"{name}: {key} is {value}, only a number above 0 counts: it is ignored, "
                f"{_POSITIVE[key]} is in force; write {key}: {_POSITIVE[key]}"
            )
            yield Problem("not-positive", message)


def shown(value: object) -> str:
    """Return a value as a message shows it."""
    if value is None:
        return "empty"
    text = repr(value) if isinstance(value, str) else str(value)
    return text if len(text) <= 80 else text[:77] + "..."


def suggested_integer(value: object) -> str:
    """Return the number that was probably meant, else what to write in words."""
    if isinstance(value, float) and value.is_integer() and is_java_int(int(value)):
        return str(int(value))
    if isinstance(value, str):
        try:
            meant = int(value.strip(), 0) if value.strip()[:1].isascii() else None
        except ValueError:
            meant = None
        if meant is not None and is_java_int(meant):
            return str(meant)
    return "a whole number without quotes"


def _suggested(kind: _Kind, value: object) -> str:
    if kind is _INTEGER:
        return suggested_integer(value)
    if kind is _BOOLEAN and str(value).strip().lower() in ("true", "false"):
        return str(value).strip().lower()
    return kind.wanted
