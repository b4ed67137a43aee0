"""The package's settings: one table, and one way to resolve it with the source of each value.

A value in the model's ``model-config.yaml`` beats the environment, which beats the server's
``config.properties``. A bad value is named in a problem and the next source, in the end the
default, is used; it never stops a worker.
"""

from __future__ import annotations

from enum import Enum
from typing import Any, Callable, Mapping, NamedTuple

PROPERTY_PREFIX = "retry_"
ENVIRONMENT_PREFIX = "TS_RETRY_"
MODEL_SECTION = "retry"
#: The state directory's name in the server's log directory, where no setting says otherwise.
STATE_DIRECTORY_NAME = "ts_retry"
#: A longer interval is a slip of the keyboard: a week, in seconds.
MAX_SECONDS = 7 * 24 * 3600.0


#: Values of ``ready_when`` that are no names of models.
ALL_MODELS, ANY_MODEL = "all", "any"


class OnFatal(str, Enum):
    """What follows a non-recoverable failure."""

    HOLD = "hold"
    """The worker holds; clients wait, as they do in stock TorchServe."""
    REJECT = "reject"
    """The worker answers every request with 503 and the cause."""
    RETIRE = "retire"
    """The worker holds, and the sidecar scales the model to 0."""
    SHUTDOWN = "shutdown"
    """The server is stopped."""
    OBSERVE = "observe"
    """Nothing is stopped: failures are judged and reported only."""

    def __str__(self) -> str:
        return self.value


class Setting(NamedTuple):
    """One row of the table.

    Attributes:
        name: the attribute of `Settings`, and with ``retry_`` before it the key in
            ``config.properties``, with ``TS_RETRY_`` before it, in capitals, the variable.
        model_key: the key under ``retry:`` in ``model-config.yaml``, or None where a model has no
            say.
        default: the value when no source gives one.
        parse: turns what a source holds into the value; raises ValueError when it is none.
        allowed: what is allowed, in words.
        help: what the setting does, one sentence.
    """

    name: str
    model_key: str | None
    default: Any
    parse: Callable[[Any], Any]
    allowed: str
    help: str

    @property
    def property_key(self) -> str:
        """Return the key in ``config.properties``."""
        return PROPERTY_PREFIX + self.name

    @property
    def variable(self) -> str:
        """Return the name of the environment variable."""
        return ENVIRONMENT_PREFIX + self.name.upper()


class Resolved(NamedTuple):
    """The value of one setting and where it comes from, in words a person understands."""

    value: Any
    source: str


class Settings(NamedTuple):
    """Every setting, resolved. The attributes are the rows of `SETTINGS`."""

    enabled: Resolved
    on_fatal: Resolved
    max_identical_failures: Resolved
    max_hard_crashes: Resolved
    first_trial: Resolved
    longest_trial_interval: Resolved
    rules: Resolved
    state_dir: Resolved
    sidecar: Resolved
    sidecar_address: Resolved
    sidecar_hosts: Resolved
    ready_when: Resolved
    renew_keys: Resolved


def _boolean(raw: Any) -> bool:
    if isinstance(raw, bool):
        return raw
    text = str(raw).strip().lower()
    if text not in ("true", "false"):
        raise ValueError
    return text == "true"


def _count(raw: Any) -> int:
    if isinstance(raw, bool) or not isinstance(raw, (int, str)):
        raise ValueError
    value = int(raw)
    if value < 0:
        raise ValueError
    return value


def _seconds(raw: Any) -> float:
    """Take a length of time; a number with a unit, or one that never ends, is none."""
    if isinstance(raw, bool) or not isinstance(raw, (int, float, str)):
        raise ValueError
    value = float(raw)
    if not 0 <= value <= MAX_SECONDS:
        raise ValueError
    return value


def _positive_seconds(raw: Any) -> float:
    value = _seconds(raw)
    if value == 0:
        raise ValueError
    return value


def _on_fatal(raw: Any) -> OnFatal:
    # YAML 1.1 has no trap here: none of the words reads as a boolean.
    return OnFatal(str(raw).strip().lower())


def _text(raw: Any) -> str:
    if not isinstance(raw, str) or not raw.strip():
        raise ValueError
    return raw.strip()


def _rules(raw: Any) -> Any:
    """Take a path from a file or variable, a list of rules from ``model-config.yaml``."""
    return raw if isinstance(raw, list) else _text(raw)


def _address(raw: Any) -> str:
    text = _text(raw)
    scheme, separator, rest = text.partition("://")
    host, colon, port = rest.rpartition(":")
    if scheme != "http" or not (separator and host and colon and port.isdigit()):
        raise ValueError
    return text


SETTINGS: tuple[Setting, ...] = (
    Setting("enabled", "enabled", True, _boolean, "true or false",
            "Switch the package on. If false, TorchServe runs as without it."),
    Setting("on_fatal", "onFatal", OnFatal.HOLD, _on_fatal, "hold, reject, retire, shutdown or observe",
            "What to do after a non-recoverable failure."),
    Setting("max_identical_failures", "maxIdenticalFailures", 3, _count,
            "a whole number, 0 for never",
            "Halt a model after this number of identical unknown failures in a row of one worker, if no other one has loaded it."),
    Setting("max_hard_crashes", "maxHardCrashes", 3, _count, "a whole number, 0 for never",
            "Halt a model after this number of crashes in a row (segfault, os._exit, OOM kill)."),
    Setting("first_trial", "firstTrial", 10.0, _seconds,
            "a number of seconds up to 604800 (7 days), 0 for no trial loads by time",
            "Seconds from a halt of unknown cause to the first trial load."),
    Setting("longest_trial_interval", "longestTrialInterval", 600.0, _positive_seconds,
            "a number of seconds above 0, up to 604800 (7 days)",
            "The longest time between two trial loads, in seconds."),
    Setting("rules", "rules", None, _rules, "a YAML file or a folder of them (several are separated by commas), or a list in model-config.yaml",
            "Rules of your own, tried before the built-in ones."),
    Setting("state_dir", None, None, _text, "a path",
            "The state directory (default: ts_retry in the log directory)."),
    Setting("sidecar", None, False, _boolean, "true or false",
            "Let the first worker start a sidecar for this server."),
    Setting("sidecar_address", None, "http://127.0.0.1:8083", _address, "http://HOST:PORT",
            "Where the sidecar listens."),
    Setting("sidecar_hosts", None, None, _text, "names separated by commas",
            "Names under which clients may reach the sidecar, such as that of a Service, besides localhost and addresses."),
    Setting("ready_when", None, ANY_MODEL, _text, "all, any, or names of models separated by commas",
            "When the sidecar's /readyz is 200: all models serve, any does (once each has served), or the named ones do."),
    Setting("renew_keys", None, True, _boolean, "true or false",
            "Renew an expired management or inference key with the API key of key_file.json."),
)  # fmt: skip


def resolve(
    properties: Mapping[str, str],
    environ: Mapping[str, str],
    model_section: object = None,
    *,
    config_file: str | None = None,
    model_config_file: str = "model-config.yaml",
) -> tuple[Settings, tuple[str, ...]]:
    """Resolve every setting.

    Args:
        properties: the server's ``config.properties``.
        environ: the worker's environment.
        model_section: what stands under ``retry:`` in the model's configuration, or None.
        config_file: the path behind `properties`, for sources and problems.
        model_config_file: the path behind `model_section`, likewise.

    Returns:
        The settings, and one sentence for each unknown key or bad value.
    """
    problems: list[str] = []
    section: dict[Any, Any] = {}
    if isinstance(model_section, dict):
        section = model_section
    elif model_section is not None:
        problems.append(
            f"{model_config_file}: {MODEL_SECTION}: must hold keys such as onFatal: hold, "
            f"not {model_section!r:.80}; the section is ignored"
        )
    origin = config_file or "config.properties"
    resolved: dict[str, Resolved] = {}
    for row in SETTINGS:
        value = Resolved(row.default, "default")
        candidates = (
            (section, row.model_key, model_config_file, f"{MODEL_SECTION}: {row.model_key}"),
            (environ, row.variable, "environment", row.variable),
            (properties, row.property_key, origin, row.property_key),
        )
        for source, key, where, shown in candidates:
            if key is None or key not in source:
                continue
            try:
                value = Resolved(row.parse(source[key]), f"{where} ({shown})")
                break
            except (ValueError, TypeError):
                problems.append(
                    f"{where}: {shown} is {source[key]!r:.80}, allowed is {row.allowed}; "
                    "it is ignored"
                )
        resolved[row.name] = value
    problems += _longest_below_first(resolved)
    problems += _unknown(section, [r.model_key for r in SETTINGS if r.model_key], model_config_file)
    problems += _unknown(
        [k for k in environ if k.startswith(ENVIRONMENT_PREFIX)],
        [r.variable for r in SETTINGS],
        "environment",
    )
    problems += _unknown(
        [k for k in properties if k.startswith(PROPERTY_PREFIX)],
        [r.property_key for r in SETTINGS],
        origin,
    )
    return Settings(**resolved), tuple(problems)


def _longest_below_first(resolved: dict[str, Resolved]) -> list[str]:
    """Put the default in place of a longest interval that is shorter than the first one."""
    first, longest = resolved["first_trial"], resolved["longest_trial_interval"]
    if longest.value >= first.value:
        return []
    default = max(
        first.value, next(r.default for r in SETTINGS if r.name == "longest_trial_interval")
    )
    resolved["longest_trial_interval"] = Resolved(default, "default")
    return [
        (
            f"{longest.source}: longest_trial_interval is {longest.value:g}, shorter than "
            f"first_trial, which is {first.value:g} ({first.source}); {default:g} is used"
        )
    ]


def _unknown(keys: Any, known: list[str], where: str) -> list[str]:
    found = []
    for key in keys:
        if key in known:
            continue
        import difflib

        near = difflib.get_close_matches(str(key), known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f"; known are {', '.join(known)}"
        found.append(f"{where}: unknown setting {key!r:.80}{hint}")
    return found
