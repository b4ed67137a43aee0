"""Where in the model's own code a load failed: file, line, function, and the line itself."""

from __future__ import annotations

import os
import re
from typing import Iterator, NamedTuple

from ts_retry_ext.plain_text import in_one_line
from ts_retry_ext.store.exception_record import ExceptionRecord

#: A frame as Python prints it, and the line of code below it.
_PRINTED = re.compile(
    r'^ *File "(?P<file>[^"\n]{1,4000})", line (?P<line>\d{1,9}), in (?P<function>[^\n]{1,400})$'
    r"(?:\n(?P<source> {3,}[^\n]*))?",
    re.MULTILINE,
)
#: What Python adds to the message of a syntax error, and the line of code below it in a traceback.
_SYNTAX = re.compile(
    r"\((?P<file>[^(),\n]{1,400}), line (?P<line>\d{1,9})\)(?:\n(?P<source> +[^\n]*))?"
)
#: Characters of the line of code that are shown.
MOST_OF_LINE = 160


class FailingLine(NamedTuple):
    """The model's own innermost frame.

    Attributes:
        file: its file, relative to the model's directory where it lies there.
        line: number of the line, None where that was not kept.
        function: the function, None where the file itself is wrong.
        source: the line of code, redacted as the traceback is; None where that was not kept.
    """

    file: str
    line: int | None
    function: str | None
    source: str | None

    def in_words(self) -> str:
        """Return it in one line: ``h.py:8 initialize: self.threshold = float(THRESHOLD)``."""
        place = self.file if self.line is None else f"{self.file}:{self.line}"
        where = place if self.function is None else f"{place} {self.function}"
        return where if self.source is None else f"{where}: {self.source}"


def failing_line(exception: ExceptionRecord, model_dir: str | None = None) -> FailingLine | None:
    """Return the model's own innermost frame; None where none of its code was under way.

    Args:
        exception: what failed.
        model_dir: the model's directory.
    """
    own = [frame for frame in exception.frames if frame.in_app]
    if _is_syntax_error(exception.type):
        found = _SYNTAX.search(exception.traceback) or _SYNTAX.search(exception.message)
        return None if found is None else _found(found, None)
    if not own:
        return None
    frame = own[-1]
    printed = _printed(exception.traceback)
    alike = [f for f in printed if f.function == frame.function and _same(f.file, frame.file)]
    last = alike[-1] if alike else FailingLine(frame.file, None, frame.function, None)
    return _relative(last, model_dir)


def _is_syntax_error(kind: str) -> bool:
    return kind.rpartition(".")[2] in ("SyntaxError", "IndentationError", "TabError")


def _printed(traceback: str) -> Iterator[FailingLine]:
    for found in _PRINTED.finditer(traceback):
        yield _found(found, found["function"])


def _found(found: re.Match[str], function: str | None) -> FailingLine:
    source = found["source"]
    shown = None if source is None else in_one_line(source, MOST_OF_LINE)
    return FailingLine(found["file"], int(found["line"]), function, shown or None)


def _same(printed: str, kept: str) -> bool:
    """Tell whether two paths mean one file: one of them may be shortened at its front."""
    return printed == kept or printed.endswith("/" + kept) or kept.endswith("/" + printed)


def _relative(found: FailingLine, model_dir: str | None) -> FailingLine:
    if model_dir is None or not found.file.startswith(model_dir.rstrip("/") + "/"):
        return found
    return found._replace(file=os.path.relpath(found.file, model_dir))
