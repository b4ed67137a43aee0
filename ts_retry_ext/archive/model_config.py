"""Read a model's YAML configuration as the frontend does, with SnakeYAML 2.1.

PyYAML is imported when a file is read, and not before.
"""

from __future__ import annotations

from typing import Any

from ts_retry_ext.archive.config_errors import (
    MissingYamlError,
    RefusedConfigError,
    UnreadableConfigError,
)


def read_model_config(data: bytes) -> dict[str, Any]:
    """Return the mapping that the frontend reads from a model's configuration.

    Raises:
        UnreadableConfigError: it is not YAML that the frontend reads.
        RefusedConfigError: it is YAML, but no mapping with texts as keys.
        MissingYamlError: PyYAML is not installed.
    """
    content = _load(data.decode("utf-8", errors="replace"))
    if content is None:
        raise RefusedConfigError("the file is empty")
    if not isinstance(content, dict):
        raise RefusedConfigError(f"the file holds no mapping but {_kind(content)}")
    for key in content:
        if not isinstance(key, str):
            raise RefusedConfigError(f"the key {_shown(key)} is read as {_kind(key)}, not as text")
    torchrun = content.get("torchrun")
    if isinstance(torchrun, dict):
        for key in torchrun:
            if not isinstance(key, str):
                where = f"the key {_shown(key)} under torchrun"
                raise RefusedConfigError(f"{where} is read as {_kind(key)}, not as text")
    return content


def _load(text: str) -> Any:
    try:
        import yaml

        from ts_retry_ext.archive.snake_yaml import MisfitError, load
    except ImportError as error:
        raise MissingYamlError("PyYAML is not installed: pip install pyyaml") from error
    try:
        return load(text)
    except yaml.YAMLError as error:
        raise UnreadableConfigError(_first_line(error)) from error
    except RecursionError as error:
        raise UnreadableConfigError("it is nested too deeply") from error
    except MisfitError as error:
        raise RefusedConfigError(f"an explicit tag does not fit: {error}") from error


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "a mapping" if isinstance(value, dict) else "something else")


def _shown(value: object) -> str:
    return str(value) if type(value).__name__ == "Opaque" else f"{value!r:.80}"


def _first_line(error: Exception) -> str:
    """Return what a YAML error says, in one line: the problem and its place."""
    problem = getattr(error, "problem", None)
    mark = getattr(error, "problem_mark", None)
    if problem and mark is not None:
        return f"{problem}, line {mark.line + 1}, column {mark.column + 1}"
    return (str(error).splitlines() or [type(error).__name__])[0]
