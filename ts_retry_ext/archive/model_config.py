"""Read a model's YAML configuration as the frontend does, with SnakeYAML 2.1.

PyYAML is imported when a file is read, and not before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from ts_retry_ext.archive.key_notes import Note


class ModelConfigError(Exception):
    """A configuration that says nothing."""


class UnreadableConfigError(ModelConfigError, ValueError):
    """The frontend logs an error and goes on as if the model had no configuration."""


class RefusedConfigError(ModelConfigError, ValueError):
    """The frontend fails on it with an exception that its start-up code does not expect.

    A registration through the API is answered with 500. A server that is to load the archive at its
    start ends, whatever other models it has (0.12.0 ModelServer.initModelStore).
    """


class MissingYamlError(ModelConfigError, ImportError):
    """PyYAML is not installed, so that no configuration can be read."""


class ModelConfig(NamedTuple):
    """What the frontend reads of a model's configuration."""

    content: dict[str, Any]
    notes: tuple[Note, ...]


def read_model_config(data: bytes) -> dict[str, Any]:
    """Return the mapping that the frontend reads from a model's configuration.

    Raises:
        UnreadableConfigError: it is not YAML that the frontend reads.
        RefusedConfigError: it is YAML, but no mapping with texts as keys.
        MissingYamlError: PyYAML is not installed.
    """
    return parse_model_config(data).content


def usable_model_config(data: bytes | None) -> dict[str, Any] | None:
    """Return the same, None where there is no file, or none that the frontend makes anything of.

    Raises:
        MissingYamlError: PyYAML is not installed.
    """
    try:
        return None if data is None else read_model_config(data)
    except (UnreadableConfigError, RefusedConfigError):
        return None


def parse_model_config(data: bytes) -> ModelConfig:
    """Return what the frontend reads, with notes. Raises as `read_model_config` does."""
    content, notes = _load(data.decode("utf-8", errors="replace"))
    if content is None:
        msg = (
            "the file is empty: write at least one key, such as batchSize: 1, or name no configFile"
        )
        raise RefusedConfigError(msg)
    if not isinstance(content, dict):
        msg = f"the file holds no mapping but {_kind(content)}: write lines such as batchSize: 1"
        raise RefusedConfigError(msg)
    _check_keys(content, "")
    torchrun = content.get("torchrun")
    if isinstance(torchrun, dict):
        _check_keys(torchrun, " under torchrun")
    return ModelConfig(content, notes)


def why_python_refuses(data: bytes) -> str | None:
    """Return why PyYAML does not read a file that the frontend reads, or None if it does.

    TorchServe's worker reads it so before it makes the handler (0.12.0 ts/service.py, ts/utils/util.py).
    """
    import yaml

    try:
        yaml.safe_load(data.decode("utf-8", errors="replace"))
    except yaml.YAMLError as error:
        return _first_line(error)
    except Exception as error:  # A tag that does not fit its value is no error of YAML's.
        return f"{type(error).__name__}: {error}"
    return None


def _check_keys(content: dict[Any, Any], where: str) -> None:
    for key in content:
        if not isinstance(key, str):
            msg = f"the key {_shown(key)}{where} is read as {_kind(key)}, not as text: quote it"
            raise RefusedConfigError(msg)


def _load(text: str) -> tuple[Any, tuple[Note, ...]]:
    try:
        from ts_retry_ext.archive.snake_yaml import MisfitError, YAMLError, load
    except ModuleNotFoundError as error:
        msg = "PyYAML is not installed: pip install pyyaml"
        raise MissingYamlError(msg) from error
    except Exception as error:  # A file of the archive that shadows it can raise anything.
        msg = f"PyYAML cannot be imported: {error!r}"
        raise MissingYamlError(msg) from error
    try:
        return load(text)
    except YAMLError as error:
        raise UnreadableConfigError(_first_line(error)) from error
    except RecursionError as error:
        msg = "it is nested too deeply"
        raise UnreadableConfigError(msg) from error
    except MisfitError as error:
        msg = f"an explicit tag does not fit: {error}"
        raise RefusedConfigError(msg) from error


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
