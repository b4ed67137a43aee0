"""Take off what collectors, consoles and pastes put around a log's lines, whatever it is.

Nothing is known of the form beforehand. Lines whose own begin or end is known (TorchServe's head, a state, a
header of Python's) show what stands in front of and behind them, and all others have the same there.
"""

from __future__ import annotations

import html
import re
from typing import Iterable, Sequence

from ts_retry_ext.logs.log_record import origin_of
from ts_retry_ext.logs.shared_prefix import PrefixPatterns

#: TorchServe's pattern: time and level (0.12.0, log4j2.xml).
HEAD = re.compile(rb"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[,.]\d{3}\d{0,6} +\[\w{4,5} *\] ")
#: How lines end for good: what stands behind was put there.
_ENDS = re.compile(
    rb"(?:Torch worker started\.|Backend worker process died\.|\(most recent call last\):|\[PID\]\d+"
    rb"|State change \w+ -> WORKER_[A-Z_]+|Retry worker: \d+ in \d+ seconds\.|, error: Worker died\."
    rb"|, batchSize: -?\d+|Worker disconnected\. WORKER_[A-Z_]+|Model server started\.)([^\r]*)\r?$"
)
_COLOURS = re.compile(rb"\x1b\[[\d;]{0,20}[mK]")
_NAME = re.compile(rb"[\w.\-]+(?:/[\w.\-]+)+|[\w.\-]*\d[\w.\-]*")
#: Lines of a block that are looked at; of the first one more.
_SAMPLE, _FIRST_SAMPLE = 16, 4_000
_LONGEST_SUFFIX = 600
#: Columns of terminals and of mails.
_WIDTHS = range(40, 400)
_LEAST_FULL = 3
#: More bytes than one line of a log has; of lines that are all equally long no end would come.
_LONGEST_JOINED = 16_000
_HTML = re.compile(rb"^\s*</?[a-zA-Z]{1,10}\b[^<>]{0,400}>")
_ESCAPED = re.compile(rb"&lt;module&gt;|File &(?:quot|#34);")
#: Of JSON a line holds an object or one member; see `envelope`.
_JSON = re.compile(rb"^[\s,\[]*(?:\{\s*(?:[\"}]|$)|\"[\w@.\-]{1,80}\"\s*:)")
_HTML_END = re.compile(r"(?i)<br ?/?>|</(?:tr|li|p|div|pre)>")
_HTML_CELL = re.compile(r"(?i)</t[dh]>")
_HTML_TAG = re.compile(r"(?i)</?(?:table|t[dhr]|thead|tbody|ul|ol|li|p|div|span|pre|code|a|b|i|em|strong|font|html|body)\b[^<>]{0,400}>")  # fmt: skip


class CollectedForm:
    """Learn the form of one file, and give its lines without it.

    Attributes:
        width: columns at which its lines were broken, or None.
    """

    def __init__(self) -> None:
        self.width: int | None = None
        self._is_first = True
        self._is_html = False
        self._prefixes: dict[bytes, None] = {}
        self._suffixes: dict[bytes, None] = {}
        #: Lines whose end is known and that end there, less those that go on.
        self._ends = 0
        self._patterns = PrefixPatterns(None)
        self._suffix: re.Pattern[bytes] | None = None
        self._broken = b""

    def bare(self, lines: list[bytes]) -> list[bytes]:
        """Return lines as TorchServe and Python wrote them; those of one block after the other.

        What names the origin of a line behind it, or of a line without a head, is put in front, between two bytes of 1.
        """
        if self._is_first:
            self._look_at_first(lines)
        if self._is_html:
            lines = list(_from_html(lines))
        if self.width is not None:
            lines = self._joined(lines)
        self._learn(lines)
        if self._patterns.pattern is None and self._suffix is None:
            return lines
        return [self._bare(line) for line in lines]

    def rest(self) -> list[bytes]:
        """Return what is left at the end of the file."""
        rest, self._broken = self._broken, b""
        return [self._bare(rest)] if rest else []

    def _look_at_first(self, lines: Sequence[bytes]) -> None:
        sample = lines[:_FIRST_SAMPLE]
        marked = sum(_HTML.search(line) is not None for line in sample)
        escaped = any(_ESCAPED.search(line) for line in sample)
        raw = any(b'  File "' in line for line in sample)
        self._is_html = marked * 2 > len(sample) or (escaped and not raw)
        if not self._is_html:
            self.width = _width(sample)

    def _learn(self, lines: Sequence[bytes]) -> None:
        looked_at = _FIRST_SAMPLE if self._is_first else _SAMPLE
        self._is_first = False
        before = len(self._prefixes), len(self._suffixes)
        for line in lines[:: max(1, len(lines) // looked_at)]:
            self._learn_from(line)
        if (len(self._prefixes), len(self._suffixes)) != before:
            self._patterns = PrefixPatterns.of(p.decode("latin-1") for p in self._prefixes)
            self._suffix = _suffix_pattern(self._suffixes) if self._ends < 0 else None

    def _learn_from(self, line: bytes) -> None:
        if b"\x1b" in line:
            line = _COLOURS.sub(b"", line)
        head = HEAD.search(line) if _JSON.match(line) is None else None
        if head is not None and head.start() and len(self._prefixes) < 2_000:
            self._prefixes[line[: head.start()]] = None
        if head is not None or b"(most recent call last):" in line:
            end = _ENDS.search(line, head.end() if head is not None else 0)
            tail = end[1].rstrip() if end is not None else b""
            self._ends += (end is not None) - 2 * bool(tail)
            if 0 < len(tail) <= _LONGEST_SUFFIX and len(self._suffixes) < 200:
                self._suffixes[tail] = None

    def _bare(self, line: bytes) -> bytes:
        if b"\x1b" in line:
            line = _COLOURS.sub(b"", line)
        if _JSON.match(line) is not None:
            return line
        origin = b""
        if self._suffix is not None:
            line = line.rstrip(b"\r ")
            behind = self._suffix.search(line[-_LONGEST_SUFFIX:])
            if behind is not None:
                named = _NAME.search(behind[0])
                origin = named[0] if named is not None else b""
                line = line[: len(line) - len(behind[0])].rstrip(b" ")
        if HEAD.search(line) is None:
            rest = self._patterns.split(line.decode("latin-1"))[1].encode("latin-1")
            origin = origin or origin_of(line[: len(line) - len(rest)])
            line = rest
        if origin:
            line = b"\x01%s\x01%s" % (origin, line)
        return line

    def _joined(self, lines: Iterable[bytes]) -> list[bytes]:
        """Return lines that were broken at a width in one piece; what may go on is kept back."""
        whole: list[bytes] = []
        full = self.width or 0
        broken, length = self._broken, full
        for line in lines:
            line = line.rstrip(b"\r")
            if broken and length >= full - 1 and len(broken) < _LONGEST_JOINED and _goes_on(line):
                broken += line if length >= full else b" " + line
            else:
                if broken:
                    whole.append(broken)
                broken = line
            length = _columns(line)
        self._broken = broken
        return whole


def _width(lines: Sequence[bytes]) -> int | None:
    """Return the number of columns at which lines were broken, or None."""
    lengths = [_columns(line) for line in lines]
    width = max(lengths, default=0)
    full = [i for i, length in enumerate(lengths) if length == width]
    if width not in _WIDTHS or len(full) < max(_LEAST_FULL, len(lines) // 20):
        return None
    if len(full) * 10 > len(lines) * 9:
        return None  # Of lines that were broken, the last pieces are shorter.
    goes_on = sum(_goes_on(lines[i + 1]) for i in full if i + 1 < len(lines))
    return width if goes_on * 4 >= len(full) * 3 else None


def _goes_on(line: bytes) -> bool:
    """Tell whether a line can be the rest of the one above."""
    head = HEAD.search(line[:400])
    return (
        line.strip() != b""
        and (head is None or head.start() > 120)
        and not line.startswith((b"Traceback (most", b'  File "', b"\tat "))
    )


def _columns(line: bytes) -> int:
    line = line.rstrip(b"\r")
    return len(line) if line.isascii() else len(line.decode("utf-8", "replace"))


def _suffix_pattern(suffixes: Iterable[bytes]) -> re.Pattern[bytes] | None:
    shapes = dict.fromkeys(
        re.sub(rb"\d+", rb"\\d+", re.escape(b" ".join(suffix.split())).replace(rb"\ ", rb"\s+"))
        for suffix in suffixes
    )
    longest_first = sorted(shapes, key=lambda shape: -len(shape))
    return re.compile(rb"\s*(?:%s)$" % b"|".join(longest_first)) if shapes else None


def _from_html(lines: Iterable[bytes]) -> Iterable[bytes]:
    for line in lines:
        text = line.decode("utf-8", "replace")
        for part in _HTML_END.sub("\n", text).split("\n"):
            cells = _HTML_TAG.sub("", _HTML_CELL.sub(" | ", part))
            bare = html.unescape(cells).replace("\xa0", " ").rstrip()
            yield bare.encode("utf-8", "replace")
