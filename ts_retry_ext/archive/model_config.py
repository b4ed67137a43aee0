"""Read a model's YAML configuration as the frontend does, with SnakeYAML 2.1.

PyYAML and SnakeYAML both speak YAML 1.1, so that plain values come out the same (``5:00`` is 300,
``010`` is 8). Where they differ, this follows SnakeYAML; each point was tried on the classes in
TorchServe 0.12.0's ``model-server.jar``.
"""

from __future__ import annotations

from typing import Any

from ts_retry_ext.archive.config_errors import (
    MissingYamlError,
    RefusedConfigError,
    UnreadableConfigError,
)

MAX_CHARACTERS = 3 * 1024 * 1024
MAX_DEPTH = 50
MAX_COLLECTION_ALIASES = 50
"""Limits of SnakeYAML 2.1's LoaderOptions."""
MAX_DIGITS = 1000


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


class _Opaque:
    """A value whose content is of no interest, only that it is neither text nor a usual number."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def __str__(self) -> str:
        return self.shown


def _load(text: str) -> Any:
    try:
        import yaml
    except ImportError as error:
        raise MissingYamlError("PyYAML is not installed: pip install pyyaml") from error
    if len(text) > MAX_CHARACTERS:
        raise UnreadableConfigError(f"it has more than {MAX_CHARACTERS} characters")
    try:
        return yaml.load(text, Loader=_loader())
    except yaml.YAMLError as error:
        raise UnreadableConfigError(_first_line(error)) from error
    except RecursionError as error:
        raise UnreadableConfigError("it is nested too deeply") from error
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        # An explicit tag such as !!int on something else: Java's NumberFormatException or
        # ClassCastException is none of SnakeYAML's own and gets through.
        raise RefusedConfigError(f"an explicit tag does not fit: {error}") from error


def _loader() -> Any:
    """Return a loader class for PyYAML; made here so that importing this module needs no PyYAML."""
    import yaml

    class Loader(yaml.SafeLoader):
        depth = 0
        aliases = 0

        def compose_node(self, parent: Any, index: Any) -> Any:
            if self.check_event(yaml.AliasEvent):
                node = self.anchors.get(self.peek_event().anchor)  # type: ignore[no-untyped-call]
                self.aliases += isinstance(node, yaml.CollectionNode)
                if self.aliases > MAX_COLLECTION_ALIASES:
                    raise yaml.YAMLError(f"it has more than {MAX_COLLECTION_ALIASES} aliases")
                return super().compose_node(parent, index)
            self.depth += 1
            if self.depth > MAX_DEPTH + 1:
                raise yaml.YAMLError(f"it is nested more than {MAX_DEPTH} deep")
            try:
                return super().compose_node(parent, index)
            finally:
                self.depth -= 1

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:
            # Java takes a list or a mapping as a key.
            self.flatten_mapping(node)
            pairs = ((k, self.construct_object(v, deep=deep)) for k, v in node.value)
            return {self._key(key): value for key, value in pairs}

        def _key(self, node: Any) -> Any:
            if isinstance(node, yaml.ScalarNode):
                return self.construct_object(node)
            return _Opaque("a list or mapping")

        def construct_date(self, node: Any) -> Any:
            if self.timestamp_regexp.match(node.value) is None:
                raise yaml.YAMLError(f"unexpected timestamp: {node.value!r:.80}")
            return _Opaque(node.value)  # 2024-13-99 is a date for Java.

        def construct_int(self, node: Any) -> Any:
            # CPython refuses to convert thousands of digits; Java has BigInteger.
            plain = len(node.value) <= MAX_DIGITS
            return self.construct_yaml_int(node) if plain else _Opaque(node.value)

    Loader.add_constructor("tag:yaml.org,2002:timestamp", Loader.construct_date)
    Loader.add_constructor("tag:yaml.org,2002:int", Loader.construct_int)
    Loader.add_constructor("tag:yaml.org,2002:value", lambda _, node: str(node.value))
    return Loader


def _kind(value: object) -> str:
    if value is None:
        return "null"
    names = {bool: "a boolean", int: "a number", float: "a number", str: "text", list: "a list"}
    return names.get(type(value), "a mapping" if isinstance(value, dict) else "something else")


def _shown(value: object) -> str:
    return str(value) if isinstance(value, _Opaque) else f"{value!r:.80}"


def _first_line(error: Exception) -> str:
    """Return what a YAML error says, in one line: the problem and its place."""
    problem = getattr(error, "problem", None)
    mark = getattr(error, "problem_mark", None)
    if problem and mark is not None:
        return f"{problem}, line {mark.line + 1}, column {mark.column + 1}"
    return (str(error).splitlines() or [type(error).__name__])[0]
