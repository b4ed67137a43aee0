"""A loader for PyYAML that makes of a text what SnakeYAML 2.1 makes of it.

Both grew from one parser for YAML 1.1, so that plain values come out the same (``5:00`` is 300,
``010`` is 8). Where they differ this follows SnakeYAML; each point was tried on the classes in
TorchServe 0.12.0's ``model-server.jar``. Importing this module imports PyYAML.
"""

from __future__ import annotations

import re
from typing import Any, ClassVar

import yaml

from ts_retry_ext.archive.key_notes import Note, notes_of
from ts_retry_ext.garbage_collector import PausedCollector

#: Limits of SnakeYAML 2.1's LoaderOptions.
MAX_CHARACTERS = 3 * 1024 * 1024
MAX_DEPTH = 50
MAX_COLLECTION_ALIASES = 50
#: CPython refuses to convert more than 4,300; Java has BigInteger.
MAX_DIGITS = 1000

YAMLError = yaml.YAMLError
_STANDARD = "tag:yaml.org,2002:"
_TEXT, _INTEGER, _FLOAT = _STANDARD + "str", _STANDARD + "int", _STANDARD + "float"
_MERGE = _STANDARD + "merge"
_BOOLEANS = {"yes": True, "no": False, "true": True, "false": False, "on": True, "off": False}
_ANCHOR_ENDS = "\0 \t\r\n\x85\u2028\u2029:,[]{}/.*&"
_AFTER_ANCHOR = "\0 \t\r\n\x85\u2028\u2029?:,]}%@`"
#: Characters of an untagged value beyond which it is text, whatever it looks like.
_LONGEST = {_INTEGER: 1024, _FLOAT: 1024, _STANDARD + "timestamp": 50}
_NO_DIGITS = re.compile(r"[-+]?0[bx]?_+", re.ASCII)
_EXPONENT = re.compile(
    r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9][0-9_]*)[eE][-+]?[0-9]+", re.ASCII
)
_BASE64 = re.compile(r"[A-Za-z0-9+/]*={0,2}", re.ASCII)
_ESCAPES = {c: m for c, m in yaml.SafeLoader.ESCAPE_REPLACEMENTS.items() if c not in "/\t"}


class Opaque:
    """A value whose content is of no interest, only that it is neither text nor a usual number."""

    def __init__(self, shown: str) -> None:
        self.shown = shown

    def __str__(self) -> str:
        return self.shown


class MisfitError(Exception):
    """An explicit tag that does not fit its value.

    SnakeYAML gets it from Java as NumberFormatException or ClassCastException, which is none of its
    own errors and gets through.
    """


class SnakeYamlLoader(yaml.SafeLoader):
    """Loads one document as ``new Yaml().load`` does."""

    ESCAPE_REPLACEMENTS: ClassVar[Any] = _ESCAPES  # type: ignore[misc]
    depth = 0
    aliases = 0

    def fetch_more_tokens(self) -> Any:
        """Fetch tokens; a comment at the end may be longer than the limit."""
        if self.index > MAX_CHARACTERS:
            msg = f"it has more than {MAX_CHARACTERS} characters"
            raise YAMLError(msg)
        return super().fetch_more_tokens()

    def scan_plain_spaces(self, indent: Any, start_mark: Any) -> Any:
        """Take tabs inside and behind a plain text for spaces."""
        length = 0
        while self.peek(length) in " \t":
            length += 1
        blank = self.prefix(length)
        self.forward(length)
        chunks = super().scan_plain_spaces(indent, start_mark)
        return [blank] if blank and chunks == [] else chunks

    def scan_anchor(self, TokenClass: Any) -> Any:  # noqa: N803 - as PyYAML names it
        """Take almost any character into the name of an anchor."""
        start = self.get_mark()
        self.forward()
        length = 0
        while self.peek(length) not in _ANCHOR_ENDS:
            length += 1
        name = self.prefix(length)
        self.forward(length)
        if not name or self.peek() not in _AFTER_ANCHOR:
            problem = f"unexpected character {self.peek()!r} in the name of an anchor"
            raise yaml.scanner.ScannerError(None, None, problem, self.get_mark())
        return TokenClass(name, start, self.get_mark())

    def compose_node(self, parent: Any, index: Any) -> Any:
        """Compose a node within SnakeYAML's limits; of two anchors with one name the last counts."""
        if self.check_event(yaml.AliasEvent):
            node = self.anchors.get(self.peek_event().anchor)  # type: ignore[no-untyped-call]
            self.aliases += isinstance(node, yaml.CollectionNode)
            if self.aliases > MAX_COLLECTION_ALIASES:
                msg = f"it has more than {MAX_COLLECTION_ALIASES} aliases"
                raise YAMLError(msg)
            return super().compose_node(parent, index)
        self.anchors.pop(self.peek_event().anchor, None)  # type: ignore[no-untyped-call]
        self.depth += 1
        if self.depth > MAX_DEPTH + 1:
            msg = f"it is nested more than {MAX_DEPTH} deep"
            raise YAMLError(msg)
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1

    def resolve(self, kind: Any, value: Any, implicit: Any) -> Any:
        """Return the tag of an untagged value: ``=`` and ``0x_`` are text, ``1e3`` is a number."""
        tag = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]
        if tag in _LONGEST and len(value) > _LONGEST[tag]:
            return _TEXT
        if tag == _STANDARD + "value" or (tag == _INTEGER and _NO_DIGITS.fullmatch(value)):
            return _TEXT
        if tag == _TEXT and implicit[0] and _EXPONENT.fullmatch(value):
            return _FLOAT
        return tag

    def flatten_mapping(self, node: Any) -> None:
        """Put what ``<<`` names before a mapping's own keys; of two merged values the first counts."""
        merged: list[Any] = []
        own = []
        for key, value in node.value:
            if key.tag == _MERGE:
                merged = [*self._merged(value), *merged]
            else:
                own.append((key, value))
        node.value = [*merged, *own]

    def _merged(self, node: Any) -> list[Any]:
        mappings = node.value if isinstance(node, yaml.SequenceNode) else [node]
        pairs: list[Any] = []
        for mapping in mappings:
            if not isinstance(mapping, yaml.MappingNode):
                problem = "<< takes a mapping or a list of mappings"
                raise yaml.constructor.ConstructorError(None, None, problem, mapping.start_mark)
            self.flatten_mapping(mapping)
            pairs = [*mapping.value, *pairs]
        return pairs

    def construct_scalar(self, node: Any) -> Any:
        """Return a scalar's text."""
        return self._fitting(node, yaml.ScalarNode).value

    def construct_sequence(self, node: Any, deep: bool = False) -> Any:
        """Return a list."""
        return super().construct_sequence(self._fitting(node, yaml.SequenceNode), deep)

    def construct_mapping(self, node: Any, deep: bool = False) -> Any:
        """Return a mapping; Java takes a list or a mapping as a key."""
        self.flatten_mapping(self._fitting(node, yaml.MappingNode))
        content: dict[Any, Any] = {}
        for key, value in node.value:
            read = self._key(key)
            content.pop(read, None)  # The last of two keys counts, and its place does.
            content[read] = self.construct_object(value, deep=deep)
        return content

    def _key(self, node: Any) -> Any:
        if isinstance(node, yaml.ScalarNode):
            return self.construct_object(node)
        return Opaque("a list or mapping")

    def _fitting(self, node: Any, kind: Any) -> Any:
        if isinstance(node, kind):
            return node
        msg = f"{node.tag} on something else, line {node.start_mark.line + 1}"
        raise MisfitError(msg)

    def integer(self, node: Any) -> Any:
        """Return a number, as Java does where CPython has a limit."""
        digits = self._digits(node)
        return Opaque(digits) if len(digits) > MAX_DIGITS else self.construct_yaml_int(node)

    def number(self, node: Any) -> Any:
        """Return a number with a fraction or an exponent."""
        self._digits(node)
        return self.construct_yaml_float(node)

    def _digits(self, node: Any) -> str:
        digits = str(self.construct_scalar(node)).replace("_", "")
        if not digits:
            problem = "found empty value"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return digits

    def boolean(self, node: Any) -> bool | None:
        """Return a boolean, None for any other word with its tag."""
        return _BOOLEANS.get(self.construct_scalar(node).lower())

    def timestamp(self, node: Any) -> Opaque:
        """Return something for a date; 2024-13-99 is one for Java."""
        if self.timestamp_regexp.match(self.construct_scalar(node)) is None:
            problem = f"unexpected timestamp {node.value!r:.80}"
            raise yaml.constructor.ConstructorError(None, None, problem, node.start_mark)
        return Opaque(node.value)

    def binary(self, node: Any) -> Opaque:
        """Return something for bytes in base64."""
        text = "".join(self.construct_scalar(node).split())
        if len(text) % 4 or not _BASE64.fullmatch(text):
            msg = "!!binary on what is no base64"
            raise MisfitError(msg)
        return Opaque("bytes")


_CONSTRUCTORS: dict[str, Any] = {
    "int": SnakeYamlLoader.integer,
    "float": SnakeYamlLoader.number,
    "bool": SnakeYamlLoader.boolean,
    "timestamp": SnakeYamlLoader.timestamp,
    "binary": SnakeYamlLoader.binary,
}
for _name, _construct in _CONSTRUCTORS.items():
    SnakeYamlLoader.add_constructor(_STANDARD + _name, _construct)


def load(text: str) -> tuple[Any, tuple[Note, ...]]:
    """Return what SnakeYAML makes of a text, and what is worth a note.

    Raises:
        YAMLError: it rejects the text.
        MisfitError: an explicit tag does not fit.
        RecursionError: it is nested too deeply for Python.
    """
    loader = SnakeYamlLoader(text)
    try:
        # The collector would look at each new node again and again: half of the time for a large file.
        with PausedCollector():
            root = loader.get_single_node()
            if root is None:
                return None, ()
            notes = tuple(notes_of(root))
            return loader.construct_document(root), notes
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError) as error:
        raise MisfitError(str(error)) from error
    finally:
        loader.dispose()
