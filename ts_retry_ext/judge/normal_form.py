"""A message with its variable parts replaced, by an ordered table of named patterns.

What differs between two runs of one fault must go (addresses, pids, ports, dates, sizes,
directories); what tells two faults apart must stay (names of layers, files, modules, hosts of a
hub). The order matters: a date holds numbers, a URL holds a path, a path holds hex digits.
"""

from __future__ import annotations

import re
from typing import Callable, Union

#: Characters of a message that take part: its first lines say what is wrong.
HEAD_LINES = 6
HEAD_LIMIT = 1_500


def _path(match: re.Match[str]) -> str:
    """Keep the file's name where it has an ending; a directory's name is chance."""
    last = match.group().rstrip("/.,:;").rpartition("/")[2]
    stem, dot, ending = last.rpartition(".")
    if dot and stem and re.match(r"[A-Za-z][A-Za-z0-9]{0,11}$", ending):
        return f"<dir>/{last}"
    return "<dir>"


def _url(match: re.Match[str]) -> str:
    return (
        f"{match.group(1)}<host>{match.group(3) or ''}"
        if _ADDRESS.match(match.group(2))
        else (f"{match.group(1)}{match.group(2)}{match.group(3) or ''}")
    )


_ADDRESS = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f:]*:[0-9a-f:]*\]?|localhost)$", re.IGNORECASE
)

#: What takes a match's place: a template, or a function of the match.
Shown = Union[str, Callable[["re.Match[str]"], str]]
#: Name, pattern, replacement. Applied from top to bottom.
PATTERNS: tuple[tuple[str, re.Pattern[str], Shown], ...] = (
    ("secret", re.compile(r"\S{0,8}\[redacted\]"), "<secret>"),
    ("error number", re.compile(r"\[Errno (\d{1,3})\]"), r"[Errno_\1]"),
    ("status code", re.compile(r"\b([1-5]\d\d) (Client|Server) Error"), r"status_\1 \2 Error"),
    (
        "date and time",
        re.compile(
            r"\b\d{4}[-/]\d\d?[-/]\d\d?(?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z| ?[+-]\d\d:?\d\d)?)?"
            r"|\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? \d\d? [A-Z][a-z]{2} \d{4}[ \d:]{0,12}(?:GMT|UTC)?"
            r"|\b[A-Z][a-z]{2} \d\d? \d\d:\d\d:\d\d(?: \d{4})?|\b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b"
        ),
        "<date>",
    ),
    ("uuid", re.compile(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    ("address of a hub or store", re.compile(r"\b([a-z][a-z0-9+]{1,20}://)([^\s/'\"?#)>:,]{1,253}|\[[0-9a-f:]{2,60}\])(?::\d{1,5})?(/[^\s'\"?#)>,]{0,500})?(?:[?#][^\s'\")>]{0,4000})?"), _url),
    ("ip address", re.compile(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?::\d{1,5})?(?![\w.]*\d)"), "<ip>"),
    ("ipv6 address", re.compile(r"\[[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}\](?::\d{1,5})?|(?<![\w:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}(?![\w:])"), "<ip>"),
    ("path", re.compile(r"(?<![\w/<:.\-])(?:~|\.{1,2}|[A-Za-z]:)?[/\\](?:[^\s/\\'\"`<>|,;:()\[\]{}]{1,255}[/\\]?){1,64}"), _path),
    ("memory address", re.compile(r"\b0x[0-9a-fA-F]{1,16}\b"), "<address>"),
    ("pod", re.compile(r"(?<=[\w])-[a-f0-9]{8,10}-[a-z0-9]{5}\b"), "-<pod>"),
    ("ip in a host name", re.compile(r"\bip-\d{1,3}(?:-\d{1,3}){3}\b"), "<host>"),
    ("temporary name", re.compile(r"\btmp[a-z0-9_]{6,10}\b"), "<tmp>"),
    ("hex id", re.compile(r"\b(?=[a-f]{0,40}\d)[0-9a-f]{12,128}\b|\b[0-9a-f]{32,128}\b"), "<id>"),
    ("size", re.compile(r"(?<![\w.])\d+(?:\.\d+)? ?(?:[KMGT]i?B?|bytes?|B)\b(?:/s)?"), "<size>"),
    ("duration", re.compile(r"(?<![\w.])\d+(?:\.\d+)? ?(?:seconds?|secs?|minutes?|min|hours?|ms|us|s)\b"), "<time>"),
    ("number", re.compile(r"(?<![\w])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?%?(?!\w)"), "<n>"),
)  # fmt: skip


def normal_form(text: str) -> str:
    """Return the first lines of a message with every variable part replaced by its name."""
    lines = [line.strip() for line in text[:HEAD_LIMIT].split("\n")]
    text = " ".join(" ".join(line.split()) for line in lines[:HEAD_LINES] if line)
    for _name, pattern, shown in PATTERNS:
        text = pattern.sub(shown, text)
    return text
