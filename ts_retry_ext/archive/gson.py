"""Read JSON as leniently as Gson 2.10 does for the frontend, beyond what JSON allows.

Comments, single quotes, names and texts without quotes, ``=`` or ``=>`` for a colon and ``;`` for a
comma are taken (JsonReader with setLenient, which Gson.fromJson sets). Each point was tried on the
classes in TorchServe 0.12.0's jar.
"""

from __future__ import annotations

_BLANK = " \t\r\n"
_ENDS_LITERAL = "/\\;#={}[]:, \t\f\r\n"
_ESCAPES = {"t": "\t", "b": "\b", "n": "\n", "r": "\r", "f": "\f"}
_PREFIX = ")]}'\n"


class GsonError(ValueError):
    """A text that Gson refuses, too."""


def loads(text: str, *, map_levels: int = 0) -> object:
    """Return what Gson makes of a text: mappings, lists, None, booleans, and everything else as text.

    The outermost `map_levels` levels of objects are read into Java maps, which refuse equal names.

    Raises:
        GsonError: Gson refuses it.
        RecursionError: it is nested too deeply for Python.
    """
    reader = _Reader(text, map_levels)
    if text.startswith(_PREFIX):
        reader.at = len(_PREFIX)
    value = reader.value()
    # Gson is strict again behind the value: no comment there.
    if text[reader.at :].strip(_BLANK):
        msg = f"more behind the end, at character {reader.at + 1}"
        raise GsonError(msg)
    return value


class _Reader:
    def __init__(self, text: str, map_levels: int) -> None:
        self.text = text
        self.at = 0
        self.map_levels = map_levels

    def value(self) -> object:
        char = self.next()
        if char == "{":
            return self._object()
        if char == "[":
            return self._array()
        if char in "\"'":
            return self._quoted(char)
        self.at -= 1
        literal = self._literal()
        keyword = literal.lower()
        if keyword == "null":
            return None
        return keyword == "true" if keyword in ("true", "false") else literal

    def next(self) -> str:
        """Return the next character that counts, and step behind it."""
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char in _BLANK:
                continue
            if char == "#" or self.text.startswith("//", self.at - 1):
                self._skip_behind("\n", at_end=True)
            elif self.text.startswith("/*", self.at - 1):
                self.at += 1
                self._skip_behind("*/", at_end=False)
            else:
                return char
        msg = "unexpected end"
        raise GsonError(msg)

    def _skip_behind(self, mark: str, *, at_end: bool) -> None:
        found = self.text.find(mark, self.at)
        if found < 0 and not at_end:
            msg = "a comment without end"
            raise GsonError(msg)
        self.at = len(self.text) if found < 0 else found + len(mark)

    def _object(self) -> dict[str, object]:
        content: dict[str, object] = {}
        char = self.next()
        if char == "}":
            return content
        while True:
            if char in "\"'":
                name = self._quoted(char)
            else:
                self.at -= 1
                name = self._literal()
            separator = self.next()
            if separator not in ":=":
                raise self._unexpected(separator, "':'")
            if separator == "=" and self.text.startswith(">", self.at):
                self.at += 1
            if name in content and self.map_levels > 0:
                msg = f"the name {name!r} occurs twice"
                raise GsonError(msg)
            self.map_levels -= 1
            content[name] = self.value()
            self.map_levels += 1
            char = self.next()
            if char == "}":
                return content
            if char not in ",;":
                raise self._unexpected(char, "',' or '}'")
            char = self.next()

    def _array(self) -> list[object]:
        items: list[object] = []
        char = self.next()
        if char == "]":
            return items
        while True:
            self.at -= 1
            if char in ",;]":
                items.append(None)  # Nothing between two commas is null.
            else:
                items.append(self.value())
            char = self.next()
            if char == "]":
                return items
            if char not in ",;":
                raise self._unexpected(char, "',' or ']'")
            char = self.next()

    def _literal(self) -> str:
        start = self.at
        while self.at < len(self.text) and self.text[self.at] not in _ENDS_LITERAL:
            self.at += 1
        if self.at == start:
            raise self._unexpected(self.text[start], "a value")
        return self.text[start : self.at]

    def _quoted(self, quote: str) -> str:
        out: list[str] = []
        while self.at < len(self.text):
            char = self.text[self.at]
            self.at += 1
            if char == quote:
                return "".join(out)
            out.append(self._escaped() if char == "\\" else char)
        msg = "a text without end"
        raise GsonError(msg)

    def _escaped(self) -> str:
        char = self.text[self.at : self.at + 1]
        self.at += 1
        if char == "u":
            digits = self.text[self.at : self.at + 4]
            self.at += 4
            try:
                return chr(int(digits if len(digits) == 4 and digits.isalnum() else "", 16))
            except ValueError:
                msg = f"\\u{digits} is no character"
                raise GsonError(msg) from None
        if char in _ESCAPES:
            return _ESCAPES[char]
        if char and char in "'\"\\/\n":
            return char
        msg = f"\\{char} is no escape, at character {self.at}"
        raise GsonError(msg)

    def _unexpected(self, char: str, wanted: str) -> GsonError:
        return GsonError(f"{char!r} at character {self.at} where {wanted} is due")
