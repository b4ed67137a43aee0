"""A message with its variable parts replaced, by an ordered table of named patterns.

What differs between two runs of one fault must go (addresses, pids, ports, dates, sizes, the order of
a set, temporary directories); what tells two faults apart must stay (names of layers, files,
directories, modules, hosts of a hub). The order matters: a date holds numbers, a URL holds a path, a
path holds hex digits.
"""

from __future__ import annotations

import re
from typing import Callable, Union

from ts_retry_ext.judge.orderless import without_order

#: Characters of a message that take part: its first lines say what is wrong.
HEAD_LINES = 6
HEAD_LIMIT = 1_500
#: Characters in which lists are put in order before the head is taken.
_ORDERED_LIMIT = 4_000

#: What takes a match's place: a template, or a function of the match.
Shown = Union[str, Callable[["re.Match[str]"], str]]

_ADDRESS = re.compile(
    r"(?:\d{1,3}(?:\.\d{1,3}){3}|\[?[0-9a-f:]*:[0-9a-f:]*\]?|localhost)$", re.IGNORECASE
)
#: A file's ending: `model.pt` is a name, `sock.9000` and `run.2` hold a number.
_ENDING = re.compile(r"[A-Za-z][A-Za-z0-9]{0,11}$")
#: A last component that is made anew by each run: temporary, a hash, a number.
_CHANCE = re.compile(
    r"""
      tmp[A-Za-z0-9_\-]{4,32}                         # tempfile
    | [A-Za-z][\w.]{0,40}[-_.](?=[a-z_]{0,7}\d)[a-z0-9_]{8}  # mkdtemp with a prefix, a digit in its end
    | (?=[a-f\-]{0,40}\d)[0-9a-f\-]{4,128}            # a hash, a UUID
    | [\d_.\-]{1,40}                                  # a date, a number
    """,
    re.VERBOSE,
)
_TEMPORARY = re.compile(r"^(?:/private)?/(?:tmp|var/tmp|var/folders|dev/shm)/")
_RANDOM_END = re.compile(r"[-_.][A-Za-z0-9_]{8}$")
_DIGITS = re.compile(r"\d+")


def _path(match: re.Match[str]) -> str:
    """Keep the last component unless it is made anew by each run; what leads to it is chance."""
    path = match.group().rstrip("/\\.,:;")
    last = re.split(r"[/\\]", path)[-1]
    stem, dot, ending = last.rpartition(".")
    if dot and stem and _ENDING.match(ending):
        return f"<dir>/{last}"
    if not last or last in ("~", "..", ".") or _CHANCE.fullmatch(last):
        return "<dir>"
    if _TEMPORARY.match(path):
        last = _RANDOM_END.sub("", last)
    return "<dir>/" + _DIGITS.sub("<n>", last)


def _url(match: re.Match[str]) -> str:
    scheme, host, path = match.group(1), match.group(2), match.group(3) or ""
    return f"{scheme}{'<host>' if _ADDRESS.match(host) else host}{path}"


def _pattern(text: str, flags: int = 0) -> re.Pattern[str]:
    return re.compile(text, re.VERBOSE | flags)


#: Name, pattern, replacement. Applied from top to bottom.
PATTERNS: tuple[tuple[str, re.Pattern[str], Shown], ...] = (
    ("secret", _pattern(r"\S{0,8}\[redacted\]"), "<secret>"),
    ("error number", _pattern(r"\[Errno\ (\d{1,3})\]"), r"[Errno_\1]"),
    ("status code", _pattern(r"\b([1-5]\d\d)\ (Client|Server)\ Error"), r"status_\1 \2 Error"),
    (
        "progress",  # tqdm: ` 45%|####      | 45/100 [00:03<00:04, 12.3it/s]`
        _pattern(r"\b\d{1,3}%\|[^|\n]{0,200}\|\ {0,4}\S{1,40}(?:\ \[[^\]\n]{0,80}\])?"),
        "<progress>",
    ),
    (
        "date and time",
        _pattern(
            r"""
              \b\d{4}[-/]\d\d?[-/]\d\d?
                (?:[T ]\d\d?:\d\d(?::\d\d(?:[.,]\d{1,9})?)?(?:Z|[ ]?[+-]\d\d:?\d\d)?)?
            | \b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),?[ ]\d\d?[ ][A-Z][a-z]{2}[ ]\d{4}[ \d:]{0,12}(?:GMT|UTC)?
            | \b(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)[ ])?[A-Z][a-z]{2}[ ]{1,2}\d\d?[ ]\d\d:\d\d:\d\d(?:[ ]\d{4})?
            | \b\d\d:\d\d:\d\d(?:[.,]\d{1,9})?\b
            """
        ),
        "<date>",
    ),
    ("uuid", _pattern(r"\b[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}\b"), "<uuid>"),
    (
        "trace of AWS",  # X-Amzn-Trace-Id, and what API Gateway writes
        _pattern(r"\b(Root|Self|Parent)=[0-9a-f\-]{8,64}", re.IGNORECASE),
        r"\1=<id>",
    ),
    (
        "named id",  # `RequestId: 4XKJ…`, `'id': 'abc'`; the id of a model or repository is its name
        _pattern(
            r"""
            (\b(?:(?:x-\w{1,12}-)?(?:amzn?|request|req|trace|span|correlation|host|session|activity|operation|job|task|run
               |pod|instance|connection|client|message|event|transaction|invocation|worker|node|actor|object|build|container)
               [-_ ]?|(?<!\w[ _\-]))id['"]?\ {0,2}[:=]\ {0,2}['"]?)
            (?!-?\d{1,20}\b)[\w\-/+=.]{2,128}
            """,
            re.IGNORECASE,
        ),
        r"\1<id>",
    ),
    (
        "address of a hub or store",
        _pattern(
            r"""
            \b([a-z][a-z0-9+]{1,20}://)([^\s/'\"?\#)>:,]{1,253}|\[[0-9a-f:]{2,60}\])(?::\d{1,5})?
            (/[^\s'\"?\#)>,]{0,500})?(?:[?\#][^\s'\")>]{0,4000})?
            """
        ),
        _url,
    ),
    (
        "ip address",
        _pattern(r"(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?:/\d{1,2})?(?::\d{1,5})?(?![\w.]*\d)"),
        "<ip>",
    ),
    (
        "bus id",  # PCI: `0000:3B:00.0`, `3b:00.0`
        _pattern(r"\b(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\b", re.IGNORECASE),
        "<bus>",
    ),
    (
        "ipv6 address",
        _pattern(
            r"""
              \[[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,7}(?:%\w{1,16})?\](?::\d{1,5})?
            | (?<![\w:])(?:[0-9a-fA-F]{1,4}:){4,7}[0-9a-fA-F]{1,4}(?![\w:])
            """
        ),
        "<ip>",
    ),
    (
        "path",
        _pattern(
            r"""(?<![\w/<:.\-])(?:~|\.{1,2}|[A-Za-z]:)?[/\\](?:[^\s/\\'\"`<>|,;:()\[\]{}]{1,255}[/\\]?){1,64}"""
        ),
        _path,
    ),
    (
        "source file of a build",  # `aten/src/ATen/x.cpp`: how much of it stands there is chance
        _pattern(r"(?<![\w/<.\-])(?:[\w.\-]{1,80}/){1,16}([\w\-]{1,80}\.(?:c|cc|cpp|cu|cuh|h|hpp|rs|go|py|pyx))\b"),
        r"<dir>/\1",
    ),
    ("memory address", _pattern(r"\b0x[0-9a-fA-F]{1,16}\b"), "<address>"),
    ("pod", _pattern(r"(?<=[\w])-[a-f0-9]{8,10}-[a-z0-9]{5}\b"), "-<pod>"),
    ("ip in a host name", _pattern(r"\bip-\d{1,3}(?:-\d{1,3}){3}\b"), "<host>"),
    ("temporary name", _pattern(r"\btmp[a-z0-9_]{6,10}\b"), "<tmp>"),
    (
        "rank",  # `[rank1]:`, `EngineCore_DP0`, `TP3`, `worker-2`
        _pattern(
            r"""
            (\b(?:rank|worker|replica|actor|engine|stage|thread|process|proc|device|gpu|node)[-_ ]?
             |(?<![A-Za-z0-9])(?:[DTPE]P)_?)\d{1,6}(?!\w)
            """,
            re.IGNORECASE,
        ),
        r"\1<n>",
    ),
    ("hex id", _pattern(r"\b(?=[a-f]{0,40}\d)[0-9a-f]{12,128}\b|\b[0-9a-f]{32,128}\b|\b(?=[0-9]{0,8}[a-f])(?=[a-f]{0,8}\d)[0-9a-f]{6,11}\b"), "<id>"),
    ("id in upper case", _pattern(r"\b(?=[A-Z]{0,40}\d)(?=\d{0,40}[A-Z])[A-Z0-9]{12,128}\b"), "<id>"),
    (
        "base64",  # both cases, and a sign of its end or three digits: else it can be a name
        _pattern(
            r"""
            (?<![\w+/=])(?=[A-Za-z0-9+/]{20,2000}=|(?:[A-Za-z+/]{0,40}\d){3})(?=[a-z\d+/]{0,40}[A-Z])(?=[A-Z\d+/]{0,40}[a-z])
            [A-Za-z0-9+/]{20,2000}={0,2}(?![\w+/])
            """
        ),
        "<id>",
    ),
    (
        "short id",  # eight to ten letters and digits that change places three times
        _pattern(r"\b(?=[a-z0-9]{8,10}\b)(?:[a-z]{1,3}\d{1,3}){2,4}[a-z]{0,3}\b|\brun\ (?:\w{3,12}-){2}\d{1,5}\b"),
        "<id>",
    ),
    (
        "ordinal",
        _pattern(r"\b\d{1,9}(?:st|nd|rd|th)\b", re.IGNORECASE),
        "<n>",
    ),
    (
        "numbered name",  # `psm_12345_0`, `_48213`: a pid and a counter
        _pattern(r"(?<=[A-Za-z])_(?:\d{3,7}(?:_\d{1,7}){1,3}|\d{5,7})(?![A-Za-z0-9])"),
        "_<n>",
    ),
    ("size", _pattern(r"(?<![\w.])\d+(?:\.\d+)?[ ]?(?:[KMGT]i?B?|bytes?|B)\b(?:/s)?"), "<size>"),
    (
        "duration",
        _pattern(
            r"(?<![\w.])\d+(?:\.\d+)?[ ]?(?:seconds?|secs?|minutes?|min|hours?|days?|ms|us|s)\b"
        ),
        "<time>",
    ),
    (
        "number",
        _pattern(
            r"""
              (?<![\w])[-+]?\d+(?:\.\d+)?(?:[eE][-+]?\d+)?%?(?!\w)
            | (?<![\w.])[-+]?(?:nan|inf)(?![\w.])
            """
        ),
        "<n>",
    ),
    ("array", _pattern(r"(?<=[\[(])\ {1,8}(?=<n>)|(?<=<n>)\ {1,8}(?=[\])])|(?<=<n>,)\ {0,8}(?=<n>)"), ""),
    ("numbers", _pattern(r"<n>(?:,<n>){1,400}"), "<n>s"),
)  # fmt: skip


def normal_form(text: str) -> str:
    """Return the first lines of a message with every variable part replaced by its name."""
    # In order before it is cut: which members of a set lie before the cut is chance, too.
    text = without_order(text[:_ORDERED_LIMIT])[:HEAD_LIMIT]
    lines = [line.strip() for line in text.split("\n")]
    text = " ".join(" ".join(line.split()) for line in lines[:HEAD_LINES] if line)
    for _name, pattern, shown in PATTERNS:
        text = pattern.sub(shown, text)
    return without_order(text)
