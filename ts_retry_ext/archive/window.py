"""Tell which ``maxRetryTimeoutInSec`` the frontend has in force for a model, and why.

The frontend reads the value once, at registration, from the YAML file that the manifest names as
``configFile``, and says nothing to the operator where it ignores what it finds (TorchServe 0.12.0
ModelArchive.getModelConfig, ModelConfig.build, Model's constructor).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from enum import Enum
from functools import lru_cache
from typing import Any, Iterator

from ts_retry_ext.archive.config_problems import (
    Problem,
    problems_of_config,
    shown,
    suggested_integer,
)
from ts_retry_ext.archive.limits import INT_MAX, WINDOW, is_java_int, window_msec
from ts_retry_ext.archive.model_archive import Archive
from ts_retry_ext.archive.model_config import (
    RefusedConfigError,
    UnreadableConfigError,
    parse_model_config,
)
from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC

#: How alike a key must be, by difflib's ratio, to count as a misspelling.
ALIKE = 0.8
#: How deep nested keys are looked for.
MAX_NESTING = 8
#: Larger files are read again each time.
MAX_REMEMBERED_BYTES = 16 * 1024


class Source(str, Enum):
    """Where the value in force comes from."""

    DEFAULT = "default"
    MODEL_CONFIG = "model-config"
    FRONTEND = "frontend"


@dataclass(frozen=True)
class Window:
    """The window in force.

    Attributes:
        milliseconds: the number the frontend compares with; negative after an overflow.
        configured: the value as the configuration holds it: a number, boolean or text, and the text
            of anything else; None where it holds none.
        problems: what is wrong, worst first.
    """

    milliseconds: int
    source: Source
    configured: object = None
    problems: tuple[Problem, ...] = ()

    @classmethod
    def default(cls, *problems: Problem) -> Window:
        """Return the window of a model whose configuration says nothing that counts."""
        return cls(DEFAULT_WINDOW_SEC * 1000, Source.DEFAULT, None, problems)

    @property
    def seconds(self) -> float:
        """Return the window in seconds."""
        return self.milliseconds / 1000

    @property
    def reported_sec(self) -> int:
        """Return the number of seconds that the describe API shows; Java cuts towards zero."""
        return abs(self.milliseconds) // 1000 * (1 if self.milliseconds >= 0 else -1)


def window_of_archive(archive: Archive) -> Window:
    """Return the window that the frontend takes from `archive` at registration.

    Raises:
        MissingYamlError: there is a configuration, and PyYAML is not installed.
    """
    window = _window_of_archive(archive)
    if archive.manifest_refused is None:
        return window
    message = (
        "MANIFEST.json: the frontend reads it, but Python's json, with which TorchServe's workers read "
        f"it, does not ({archive.manifest_refused}): every load fails until that is corrected"
    )
    problem = Problem("unreadable-for-workers", message)
    return replace(window, problems=(*window.problems, problem))


def _window_of_archive(archive: Archive) -> Window:
    if archive.manifest is None:
        message = (
            "the archive has no MAR-INF/MANIFEST.json: it registers at a server's start under the "
            "name of its file, not through the API, and its configuration is not read"
        )
        return Window.default(Problem("no-manifest", message))
    if archive.config_file is None:
        if archive.unnamed_config is None:
            return Window.default()
        return Window.default(_unnamed(archive.unnamed_config))
    if archive.config is None:
        message = f"the manifest names {archive.config_file} as configFile, the archive lacks it"
        return Window.default(Problem("file-missing", message))
    return window_of_config(archive.config, archive.config_file)


def window_of_config(config: bytes, name: str = "model-config.yaml") -> Window:
    """Return the window that the frontend takes from a model's configuration.

    `name` is the file's, for messages.

    Raises:
        MissingYamlError: PyYAML is not installed.
    """
    read = _remembered if len(config) <= MAX_REMEMBERED_BYTES else _window_of_config
    return read(config, name)


def _window_of_config(config: bytes, name: str) -> Window:
    try:
        read = parse_model_config(config)
    except UnreadableConfigError as error:
        message = (
            f"{name} cannot be read as YAML ({error}): all of it is ignored until that is corrected"
        )
        return Window.default(Problem("unreadable-yaml", message))
    except RefusedConfigError as error:
        message = (
            f"{name}: {error}. The registration fails, and a server that loads this archive at its "
            "start ends"
        )
        return Window.default(Problem("stops-registration", message))
    content = read.content
    window = _from_value(content[WINDOW], name) if WINDOW in content else Window.default()
    others = (*_wrong_keys(content, name), *problems_of_config(read, config, name))
    return replace(window, problems=window.problems + others)


#: A model's unpacked copy and its archive hold the same file, and so do the models of a fleet.
_remembered = lru_cache(maxsize=512)(_window_of_config)


def compare(window: Window, reported: int | None) -> Window:
    """Return the window in force in a running frontend that reports `reported` seconds.

    Where the two disagree the frontend is right, and a problem says so. None stands for a frontend
    that reports nothing (before 0.11), whose window is the one computed.
    """
    if reported is None or reported == window.reported_sec:
        return window
    message = (
        f"the frontend has {reported} s in force, the archive says {window.reported_sec} s: it "
        "changed after the model was registered; register the model again"
    )
    problems = (Problem("frontend-disagrees", message), *window.problems)
    return Window(reported * 1000, Source.FRONTEND, window.configured, problems)


def _from_value(value: object, file: str) -> Window:
    if isinstance(value, bool) or not isinstance(value, int):
        message = f"{WINDOW} is {shown(value)} in {file}, only a YAML integer counts"
        return _ignored(value, "not-an-integer", message, suggested_integer(value))
    if not is_java_int(value):
        message = f"{WINDOW} {value} in {file} does not fit into 32 bits"
        return _ignored(value, "overflow", message, f"{INT_MAX // 1000} at most")
    if value < 0:
        message = (
            f"{WINDOW} {value} in {file} is negative: 0 is in force, no retry at all; write {WINDOW}: 0 "
            "if that is meant"
        )
        return Window(0, Source.MODEL_CONFIG, value, (Problem("negative", message),))
    milliseconds = window_msec({WINDOW: value})
    if milliseconds == value * 1000:
        return Window(milliseconds, Source.MODEL_CONFIG, value)
    effect = "no retry at all" if milliseconds <= 0 else "far less than was meant"
    message = (
        f"{WINDOW} {value} in {file} overflows when the frontend turns it into milliseconds: "
        f"{milliseconds / 1000} s are in force, {effect}; write at most {INT_MAX // 1000}"
    )
    return Window(milliseconds, Source.MODEL_CONFIG, value, (Problem("overflow", message),))


def _ignored(value: object, code: str, message: str, instead: str) -> Window:
    whole = f"{message}: ignored, {DEFAULT_WINDOW_SEC} is in force; write {WINDOW}: {instead}"
    problem = Problem(code, whole)
    return replace(Window.default(problem), configured=_plain(value))


def _plain(value: object) -> object:
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def _unnamed(name: str) -> Problem:
    message = (
        f"the archive holds {name}, but its manifest names no configFile, so that it is not read; "
        "pack it with torch-model-archiver --config-file"
    )
    return Problem("file-not-in-manifest", message)


def _wrong_keys(content: dict[str, Any], file: str) -> Iterator[Problem]:
    """Yield a problem for each key that was probably meant to be `WINDOW`."""
    for path, value in _keys(content, ()):
        name, where = path[-1], ".".join(path)
        exact = name == WINDOW
        if exact and len(path) == 1:
            continue
        if not exact and not _is_alike(name):
            continue
        if len(path) > 1:
            message = f"{where} is ignored in {file}: {WINDOW} counts at the top of the file only; write it there"
            yield Problem("nested-key", message)
        else:
            message = (
                f"{name}: {shown(value)} is ignored in {file}: the key is spelled {WINDOW}; write "
                f"{WINDOW}: {value if is_java_int(value) else suggested_integer(value)}"
            )
            yield Problem("misspelt-key", message)


def _keys(content: dict[Any, Any], above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], Any]]:
    for key, value in content.items():
        path = (*above, str(key))
        yield path, value
        if len(path) < MAX_NESTING:
            inner = value if isinstance(value, list) else [value]
            for item in inner:
                if isinstance(item, dict):
                    yield from _keys(item, path)


def _is_alike(name: str) -> bool:
    plain = "".join(c for c in name.lower() if c.isalnum())
    return SequenceMatcher(None, plain, WINDOW.lower()).ratio() >= ALIKE
