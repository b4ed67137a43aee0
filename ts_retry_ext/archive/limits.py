"""What the frontend has in force for a model: time-outs, retry window, how its workers are launched.

By the rules of TorchServe 0.12.0 (ModelConfig.build and its setters, Model's constructor,
ModelManager.createModel). Values that a registration request gives besides are not to be seen here.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple

from ts_retry_ext.archive.model_folder import ModelFolder

#: ModelConfig.defaultStartupTimeout, defaultResponseTimeout and ConfigManager's defaults of both.
DEFAULT_TIMEOUT_SEC = 120
STARTUP_TIMEOUT = "startupTimeout"
RESPONSE_TIMEOUT = "responseTimeout"
WINDOW = "maxRetryTimeoutInSec"
#: Keys of ``config.properties`` that count for a model without a configuration.
SERVER_KEYS = {
    STARTUP_TIMEOUT: "default_startup_timeout",
    RESPONSE_TIMEOUT: "default_response_timeout",
}
INT_MAX = 2**31 - 1
INT_MIN = -(2**31)
#: The parallelType whose worker is not launched with torchrun.
CUSTOM = "custom"
_PARALLEL = ("pp", "tp", "pptp", CUSTOM)


class LimitsInForce(NamedTuple):
    """What the frontend makes of a model's configuration.

    Attributes:
        startup_timeout_sec: how long a LOAD may take.
        response_timeout_sec: how long a request may take.
        window_msec: the number that the time since the first stop is compared with, in
            milliseconds; negative after an overflow.
        ranks: ``parallelLevel`` or ``nproc-per-node``; 0 for a worker that is one process.
        parallel_type: ``parallelType`` in lower case; empty without ranks.
    """

    startup_timeout_sec: int
    response_timeout_sec: int
    window_msec: int
    asynchronous: bool
    use_venv: bool
    batch_size: int
    ranks: int
    parallel_type: str


def limits_in_force(
    config: Mapping[str, Any] | None, properties: Mapping[str, str], torchserve: str | None = None
) -> LimitsInForce:
    """Return what the frontend has in force for a model.

    `config` is None where the frontend reads none; without `torchserve` it is the newest version.
    """
    content = {} if config is None else config
    ranks, parallel_type = _parallel(content)
    return LimitsInForce(
        startup_timeout_sec=timeout_sec(load_timeout_key(torchserve), config, properties),
        response_timeout_sec=timeout_sec(RESPONSE_TIMEOUT, config, properties),
        window_msec=window_msec(config),
        asynchronous=content.get("asyncCommunication") is True,
        use_venv=content.get("useVenv") is True,
        batch_size=max(1, integer(content, "batchSize", 1)),
        ranks=ranks,
        parallel_type=parallel_type,
    )


def load_timeout_key(torchserve: str | None) -> str:
    """Return which time-out limits a load: before 0.12 `RESPONSE_TIMEOUT` (0.11.1 WorkerThread.run)."""
    parts = (torchserve or "").split(".")
    is_old = parts[0] == "0" and parts[1:2] != [] and parts[1].isdigit() and int(parts[1]) < 12
    return RESPONSE_TIMEOUT if is_old else STARTUP_TIMEOUT


def timeout_sec(key: str, config: Mapping[str, Any] | None, properties: Mapping[str, str]) -> int:
    """Return `STARTUP_TIMEOUT` or `RESPONSE_TIMEOUT` of a model in seconds.

    A configuration without the key means 120, whatever the server's default is; the server's
    counts where the model has no configuration.
    """
    if config is not None:
        return positive(config, key, DEFAULT_TIMEOUT_SEC)
    return (
        _positive_text(properties.get(of_models(key), ""))
        or _positive_text(properties.get(SERVER_KEYS[key], ""))
        or DEFAULT_TIMEOUT_SEC
    )


def of_models(key: str) -> str:
    """Return the key of `properties` for what the server says under ``models`` of this version.

    No file has such a key: whoever knows name and version adds it (`version_entry.properties_for`).
    """
    return f"models: {key}"


def _positive_text(text: str) -> int:
    digits = text.strip()
    is_number = digits.isascii() and digits.isdecimal() and len(digits) <= len(str(INT_MAX))
    return int(digits) if is_number and int(digits) <= INT_MAX else 0


def timeout_source(
    key: str, config: Mapping[str, Any] | None, properties: Mapping[str, str]
) -> str:
    """Return in words where the value that `timeout_sec` returns was set."""
    if config is not None:
        found = [f"{key} in model-config.yaml"] if positive(config, key, 0) else []
    else:
        keys = (of_models(key), SERVER_KEYS[key])
        found = [f"{k} in config.properties" for k in keys if _positive_text(properties.get(k, ""))]
    return found[0] if found else f"TorchServe's default, because no {key} is set"


def window_msec(config: Mapping[str, Any] | None) -> int:
    """Return the retry window of a model in milliseconds, as 0.12.0 Model's constructor makes it."""
    from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC

    value = integer({} if config is None else config, WINDOW, DEFAULT_WINDOW_SEC)
    return as_int32(max(0, value) * 1000)


def integer(config: Mapping[str, Any], key: str, default: int) -> int:
    """Return the number under `key`; what is no ``java.lang.Integer`` for SnakeYAML does not count."""
    value: Any = config.get(key)
    return int(value) if is_java_int(value) else default


def positive(config: Mapping[str, Any], key: str, default: int) -> int:
    """Return the number under `key` if it is above 0."""
    value = integer(config, key, default)
    return value if value > 0 else default


def is_java_int(value: Any) -> bool:
    """Tell whether SnakeYAML makes a ``java.lang.Integer`` of `value`."""
    return isinstance(value, int) and not isinstance(value, bool) and INT_MIN <= value <= INT_MAX


def as_int32(value: int) -> int:
    """Return `value` as a 32-bit int holds it."""
    return (value - INT_MIN) % 2**32 + INT_MIN


def _parallel(config: Mapping[str, Any]) -> tuple[int, str]:
    """Return how many ranks a worker has and of which type; the later of the two keys counts."""
    level = 0
    for key in config:
        if key == "parallelLevel":
            given = integer(config, key, level)
            level = given if given >= 0 else level
        elif key == "torchrun" and isinstance(config[key], dict):
            level = positive(config[key], "nproc-per-node", 1)
    named = config.get("parallelType")
    kind = named.lower() if isinstance(named, str) else ""
    return (level, kind) if level > 0 and kind in _PARALLEL else (0, "")


def timeout_of(folder: ModelFolder, key: str, properties: Mapping[str, str]) -> float:
    """Return `timeout_sec` of an unpacked model; its configuration is parsed only if need be."""
    # Where the server has a default of its own, it matters whether the frontend can read the
    # model's configuration at all.
    has_own = SERVER_KEYS[key] in properties or of_models(key) in properties
    keys = () if has_own else (key,)
    return float(timeout_sec(key, folder.usable_configuration(*keys), properties))


def timeout_in_words(folder: ModelFolder, key: str, properties: Mapping[str, str]) -> str:
    """Return the same with name, value and source, as ``startupTimeout is 120 s (…)``."""
    source = timeout_source(key, folder.usable_configuration(key), properties)
    return f"{key} is {timeout_of(folder, key, properties):.0f} s ({source})"
