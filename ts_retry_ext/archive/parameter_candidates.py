"""What the frontend makes of each parameter of a model, with every place that can decide it.

By the rules of TorchServe 0.12.0 (ModelConfig.build and its setters, Model's constructor and
setModelState, ModelManager.createModel, ModelServer.initModelStore, ApiUtils.handleRegister).
"""

from __future__ import annotations

import re
from enum import Enum
from typing import Any, Callable, Iterator, Mapping, NamedTuple

from ts_retry_ext.archive.limits import (
    DEFAULT_TIMEOUT_SEC,
    INT_MAX,
    RESPONSE_TIMEOUT,
    SERVER_KEYS,
    STARTUP_TIMEOUT,
    WINDOW,
    integer,
    is_java_int,
    limits_in_force,
    positive,
    timeout_sec,
)


class Origin(Enum):
    """The kinds of places that decide a parameter."""

    MODEL_CONFIG = "the model's configuration"
    MODELS = "what the server's configuration holds of the model under models"
    SNAPSHOT = "the model's entry in the config snapshot that the server started from"
    SERVER = "a key of the server's configuration"
    DEFAULT = "TorchServe's default"


class Candidate(NamedTuple):
    """A value that a parameter can have.

    Attributes:
        value: the value as the describe API shows it; None where only the frontend knows it.
        key: the key there; of a default, what it is in words, or nothing.
    """

    value: Any
    origin: Origin
    key: str = ""


class Start(NamedTuple):
    """What a server says of one version of a model.

    Attributes:
        entry: what that holds of the version under ``models``, else in its config snapshot.
        is_snapshot: whether the entry is one of a snapshot.
        at_startup: whether the server's start registers the model, not a request.
    """

    properties: Mapping[str, str]
    entry: Mapping[str, object] = {}
    is_snapshot: bool = False
    at_startup: bool = True

    def number(self, key: str) -> int | None:
        """Return a whole number of the entry, None where it holds none that counts."""
        value = _number(str(self.entry.get(key)))
        # 0.12.0 ConfigManager.getJsonIntValue; a snapshot is taken as it is.
        return value if value is None or value > 0 or self.is_snapshot else None


_Candidates = Iterator[Candidate]
_NUMBER = re.compile(r"-?\d{1,10}", re.ASCII)
_SEQUENCES, _ASYNC, _TORCHRUN = "sequenceBatching", "asyncCommunication", "torchrun"
_EACH_DEVICE = "one for each GPU or processor"
_NOT_ASKED = "the model has a configuration, so no other place counts"
_DEVICE = "gpu if TorchServe sees one, else cpu"


def parameters_of(
    config: Mapping[str, Any] | None, start: Start
) -> dict[str, tuple[Candidate, ...]]:
    """Return the candidates for each parameter; the first one is in force after a server's start.

    Those behind it count where a request, or another version of TorchServe, made it otherwise.
    """
    content = {} if config is None else config
    found = {
        "minWorkers": _workers("minWorkers", content, start),
        "maxWorkers": _workers("maxWorkers", content, start),
        "batchSize": _batching("batchSize", content, start, 1, lambda value: max(1, value)),
        "maxBatchDelay": _batching("maxBatchDelay", content, start, 100, lambda value: value),
        RESPONSE_TIMEOUT: _timeout(RESPONSE_TIMEOUT, config, start),
        STARTUP_TIMEOUT: _timeout(STARTUP_TIMEOUT, config, start),
        "jobQueueSize": _queue(content, start),
    }
    return {**{key: tuple(rows) for key, rows in found.items()}, **_of_model_only(content)}


def _workers(key: str, content: Mapping[str, Any], start: Start) -> _Candidates:
    yield from _of_snapshot(key, start)
    least = max(1, integer(content, "minWorkers", 0)) if _is_int(content, "minWorkers") else 0
    most = integer(content, "maxWorkers", 0)
    if 0 < least <= most:  # The two count together, or neither does.
        yield Candidate(least if key == "minWorkers" else most, Origin.MODEL_CONFIG, key)
    if start.at_startup:
        yield from _of_models(key, start)
        if _is_debug(start):
            yield Candidate(1, Origin.SERVER, "debug")
    default = _server_number(start, "default_workers_per_model")
    if default:
        yield Candidate(default, Origin.SERVER, "default_workers_per_model")
    elif start.at_startup:
        yield Candidate(None, Origin.DEFAULT, _EACH_DEVICE)
    else:
        yield Candidate(0, Origin.DEFAULT)


def _batching(
    key: str,
    content: Mapping[str, Any],
    start: Start,
    default: int,
    made: Callable[[int], int],
) -> _Candidates:
    yield from _of_snapshot(key, start)
    value = made(integer(content, key, 0)) if _is_int(content, key) else 0
    if value > 0:
        yield Candidate(value, Origin.MODEL_CONFIG, key)
    yield from _of_models(key, start)
    yield Candidate(default, Origin.DEFAULT)


def _timeout(key: str, config: Mapping[str, Any] | None, start: Start) -> _Candidates:
    if _is_debug(start):
        yield Candidate(INT_MAX, Origin.SERVER, "debug")
    yield from _of_snapshot(key, start)
    others = [*_of_models(key, start), *_of_server_timeout(key, start)]
    own = 0 if config is None else positive(config, key, 0)
    if own:
        yield Candidate(own, Origin.MODEL_CONFIG, key)
    elif config is not None:
        yield Candidate(DEFAULT_TIMEOUT_SEC, Origin.DEFAULT, _NOT_ASKED if others else "")
    yield from others
    yield Candidate(DEFAULT_TIMEOUT_SEC, Origin.DEFAULT)


def _of_server_timeout(key: str, start: Start) -> _Candidates:
    server_key = SERVER_KEYS[key]
    if server_key in start.properties:
        yield Candidate(timeout_sec(key, None, start.properties), Origin.SERVER, server_key)


def _queue(content: Mapping[str, Any], start: Start) -> _Candidates:
    own = positive(content, "jobQueueSize", 0)
    if own:
        yield Candidate(own, Origin.MODEL_CONFIG, "jobQueueSize")
    size = _server_number(start, "job_queue_size")
    yield (
        Candidate(100, Origin.DEFAULT)
        if size is None
        else Candidate(size, Origin.SERVER, "job_queue_size")
    )


def _of_model_only(content: Mapping[str, Any]) -> dict[str, tuple[Candidate, ...]]:
    """Return what nothing but the model's configuration can set."""
    limits = limits_in_force(content, {})
    # The describe API divides the milliseconds, which can have overflowed, as Java does.
    window = int(limits.window_msec / 1000)
    ids = content.get("deviceIds")
    kind = limits.parallel_type
    # Its value, None where it holds none that counts, and the default.
    own: dict[str, tuple[Any, Any]] = {
        WINDOW: (window if _is_int(content, WINDOW) else None, window),
        "clientTimeoutInMills": (_at_least(0, content, "clientTimeoutInMills"), 0),
        "deviceIds": (ids if isinstance(ids, list) and all(map(is_java_int, ids)) else None, []),
        "parallelType": (kind or None, ""),
        "parallelLevel": (limits.ranks if kind else None, 0),
        **{key: (_switch(content, key), False) for key in ("continuousBatching", _SEQUENCES)},
        **_sequence_limits(content),
        **{key: (_switch(content, key), False) for key in ("useJobTicket", "useVenv", _ASYNC)},
    }
    found = {
        key: (
            Candidate(default, Origin.DEFAULT)
            if value is None
            else Candidate(value, Origin.MODEL_CONFIG, key),
        )
        for key, (value, default) in own.items()
    }
    if [key for key in content if key in ("parallelLevel", _TORCHRUN)][-1:] == [_TORCHRUN]:
        (level,) = found["parallelLevel"]
        found["parallelLevel"] = (level._replace(key=f"{_TORCHRUN}: nproc-per-node"),)
    return {"deviceType": _device_type(content), **found}


def _sequence_limits(content: Mapping[str, Any]) -> dict[str, tuple[Any, Any]]:
    """Return the limits of sequences; without the first one, none of them is read."""
    leasts = {"sequenceTimeoutMSec": 0, "maxNumSequence": 1, "maxSequenceJobQueueSize": 1}
    idle = positive(content, "sequenceMaxIdleMSec", 0)
    return {
        "sequenceMaxIdleMSec": (idle or None, 0),
        **{
            key: (_at_least(least, content, key) if idle else None, least if idle else 0)
            for key, least in leasts.items()
        },
    }


def _at_least(least: int, content: Mapping[str, Any], key: str) -> int | None:
    return max(least, content[key]) if _is_int(content, key) else None


def _switch(content: Mapping[str, Any], key: str) -> bool | None:
    value = content.get(key)
    return value if isinstance(value, bool) else None


def _device_type(content: Mapping[str, Any]) -> tuple[Candidate, ...]:
    """Return the candidates of a key that asks for a GPU and gets none where there is none."""
    default = Candidate(None, Origin.DEFAULT, _DEVICE)
    named = content.get("deviceType")
    kind = named.lower() if isinstance(named, str) else ""
    if kind not in ("cpu", "gpu"):
        return (default,)
    return (Candidate(kind, Origin.MODEL_CONFIG, "deviceType"), default)


def _of_snapshot(key: str, start: Start) -> _Candidates:
    value = start.number(key)
    if start.is_snapshot and value is not None:
        yield Candidate(value, Origin.SNAPSHOT, key)


def _of_models(key: str, start: Start) -> _Candidates:
    value = start.number(key)
    if not start.is_snapshot and value is not None:
        yield Candidate(value, Origin.MODELS, key)


def _is_debug(start: Start) -> bool:
    return start.properties.get("debug", "").lower() == "true"


def _server_number(start: Start, key: str) -> int | None:
    """Return a number of the server's configuration; it does not start with another text."""
    return _number(start.properties.get(key, ""))


def _number(text: str) -> int | None:
    return int(text) if _NUMBER.fullmatch(text) else None


def _is_int(content: Mapping[str, Any], key: str) -> bool:
    return is_java_int(content.get(key))
