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

#: Numbers that count above 0 only: what is in force else, and what to write.
_POSITIVE = {
    STARTUP_TIMEOUT: (DEFAULT_TIMEOUT_SEC, DEFAULT_TIMEOUT_SEC),
    RESPONSE_TIMEOUT: (DEFAULT_TIMEOUT_SEC, DEFAULT_TIMEOUT_SEC),
    # 0.12.0 ModelManager.createModel: another number may stand under models in config.properties.
    "maxBatchDelay": (100, 1),
}


@dataclass(frozen=True)
class Problem:
    """One thing about a configuration that an operator should know.

    Attributes:
        code: a stable name in lower case with hyphens.
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


def _letters(key: str) -> str:
    return "".join(char for char in key.lower() if char.isalnum()).rstrip("s")


_BY_LETTERS = {_letters(key): key for key in _KINDS}


def problems_of_config(config: ModelConfig, data: bytes, name: str) -> Iterator[Problem]:
    """Yield what the frontend makes of a configuration beside its window."""
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
            yield from _misspelt(key, value, name)
        elif not kind.fits(value):
            message = (
                f"{name}: {key} is {shown(value)}, only {kind.wanted} counts: it is ignored; "
                f"write {key}: {_suggested(kind, value)}"
            )
            yield Problem(kind.code, message)
        elif key in _POSITIVE and value <= 0:
            in_force, instead = _POSITIVE[key]
            message = (
                f"{name}: {key} is {value}, only a number above 0 counts: it is ignored, "
                f"{in_force} is in force; write {key}: {instead}"
            )
            yield Problem("not-positive", message)
    yield from _ignored_workers(content, name)


def _misspelt(key: str, value: object, name: str) -> Iterator[Problem]:
    """Yield a problem where a key differs from one of TorchServe's in case, signs or an s only."""
    meant = _BY_LETTERS.get(_letters(key))
    if meant is None:
        return
    kind = _KINDS[meant]
    instead = shown(value) if kind.fits(value) else _suggested(kind, value)
    message = (
        f"{name}: {key}: {shown(value)} is ignored: the key is spelled {meant}; write "
        f"{meant}: {instead}"
    )
    yield Problem("misspelt-key", message)


def _ignored_workers(content: Mapping[str, Any], name: str) -> Iterator[Problem]:
    """Yield a problem where the numbers of workers do not count (0.12.0 ModelServer.initModelStore)."""
    given = {key: content[key] for key in ("minWorkers", "maxWorkers") if key in content}
    if not given or not all(map(is_java_int, given.values())):
        return  # One that is no number has a problem already.
    least, most = max(1, given.get("minWorkers", 1)), given.get("maxWorkers", 0)
    if "minWorkers" in given and least <= most:
        return
    named = " and ".join(f"{key}: {value}" for key, value in given.items())
    are = "are" if len(given) > 1 else "is"
    message = (
        f"{name}: {named} {are} ignored: the two count together only, with minWorkers not above "
        f"maxWorkers; write minWorkers: {least} and maxWorkers: {max(least, most)}"
    )
    yield Problem("workers-ignored", message)


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
