"""Read ``config.properties`` as the frontend does, with ``java.util.Properties``."""

from __future__ import annotations

from typing import Iterator, Mapping

_WHITESPACE = " \t\f"
_BYTE_ORDER_MARK = b"\xef\xbb\xbf".decode("latin-1")
_HEX = "0123456789abcdefABCDEF"
_ESCAPES = {"t": "\t", "n": "\n", "r": "\r", "f": "\f"}


def parse_properties(text: str) -> dict[str, str]:
    r"""Return the keys and values of a properties file.

    Follows ``java.util.Properties.load``: ``#`` and ``!`` comments, ``=``, ``:`` or white space
    between key and value, a backslash at the end of a line continues it, the last of two equal
    keys counts. A broken ``\u`` escape, for which Java throws, is kept as it stands.
    """
    return dict(_split(line) for line in _logical_lines(text) if line)


def read_properties(path: str) -> dict[str, str]:
    """Return the keys and values of the properties file at `path`.

    Raises:
        OSError: the file cannot be read.
    """
    # java.util.Properties.load(InputStream) is defined to read ISO 8859-1.
    with open(path, "rb") as stream:
        return parse_properties(stream.read().decode("latin-1"))


def marked_keys(properties: Mapping[str, str], path: str) -> list[str]:
    """Return a sentence where a byte order mark hides the first key of the file at `path`."""
    return [
        f"{path} starts with a byte order mark, so that Java reads its first key as {key!r}, which "
        f"counts for nothing: save the file without the mark"
        for key in properties
        if key.startswith(_BYTE_ORDER_MARK)
    ]


def resolve_environment(
    properties: Mapping[str, str], environ: Mapping[str, str]
) -> dict[str, str]:
    """Replace ``$$NAME$$`` in values (0.12.0 ConfigManager.resolveEnvVarVals).

    The frontend refuses to start when a variable is missing, so here it is left as it stands.
    """
    return {key: _expand(value, environ) for key, value in properties.items()}


def _expand(value: str, environ: Mapping[str, str]) -> str:
    done, rest = "", value
    while True:
        before, opened, after = rest.partition("$$")
        name, closed, tail = after.partition("$$")
        if not opened or not closed:
            return done + rest
        done += before + environ.get(name, "$$" + name + "$$")
        rest = tail


def _logical_lines(text: str) -> Iterator[str]:
    pending: list[str] = []
    # Not splitlines: bytes 85, 0c and 1c, which UTF-8 letters hold too, end no line for Java.
    for raw in text.replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        line = raw.lstrip(_WHITESPACE)
        if not any(pending) and (not line or line[0] in "#!"):
            continue  # Behind a backslash alone, a comment is one still.
        backslashes = len(line) - len(line.rstrip("\\"))
        if backslashes % 2:
            pending.append(line[:-1])
            continue
        yield "".join(pending) + line
        pending = []
    yield "".join(pending)


def _split(line: str) -> tuple[str, str]:
    end = 0
    while end < len(line) and line[end] not in "=:" + _WHITESPACE:
        end += 2 if line[end] == "\\" else 1
    rest = line[end:].lstrip(_WHITESPACE)
    if rest[:1] in ("=", ":"):
        rest = rest[1:].lstrip(_WHITESPACE)
    return _unescape(line[:end]), _unescape(rest)


def _unescape(text: str) -> str:
    if "\\" not in text:
        return text
    out: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        at += 1
        if char != "\\" or at == len(text):
            out.append(char)
            continue
        char = text[at]
        at += 1
        if char != "u":
            out.append(_ESCAPES.get(char, char))
            continue
        digits = text[at : at + 4]
        if len(digits) == 4 and all(digit in _HEX for digit in digits):
            out.append(chr(int(digits, 16)))
            at += 4
        else:
            out.append("\\u")
    return _with_pairs_joined("".join(out))


def _with_pairs_joined(text: str) -> str:
    """Join the two escapes of a character beyond 16 bits; half of a pair is nothing to show."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
