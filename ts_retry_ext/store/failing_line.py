"""Where in the model's own code a load failed: file, line, function, and the line itself."""

from __future__ import annotations

import os
import re
from typing import Iterator

from ts_retry_ext.plain_text import in_one_line
from ts_retry_ext.store.exception_record import ExceptionRecord, FailingLine

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
#: How Python words a call of a class or method that the signature does not allow, from 3.10 on with the class.
_WRONG_CALL = re.compile(r"^(?:(?P<owner>\w+)\.)?(?P<called>\w+)\(\) (?:takes|missing|got) ")
_CLASS = re.compile(r"^class +(?P<name>\w+)\b[^\n]*", re.MULTILINE)
#: Characters of a handler's file that are looked through.
MOST_OF_FILE = 1_000_000
#: Characters of the line of code that are shown.
MOST_OF_LINE = 160


def failing_line(exception: ExceptionRecord, model_dir: str | None = None) -> FailingLine | None:
    """Return the model's own innermost frame; None where none of its code was under way.

    Workers find it once and keep it in the record (`ExceptionRecord.at`).
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


def class_statement(
    exception: ExceptionRecord, model_dir: str, handler: str | None
) -> FailingLine | None:
    """Return the class of the handler's file that TorchServe called in a way it does not allow.

    There TorchServe's own frame is the last one, and no line of the model is in the traceback.
    `handler` is as the manifest names it: ``h.py``, ``h``, or ``h.py:function``.
    """
    called = _WRONG_CALL.match(exception.message)
    if handler is None or exception.type != "TypeError" or called is None:
        return None
    name = handler.partition(":")[0]
    name = name if name.endswith(".py") else f"{name}.py"
    try:
        with open(os.path.join(model_dir, name), encoding="utf-8", errors="replace") as stream:
            text = stream.read(MOST_OF_FILE)
    except (OSError, ValueError):
        return None
    classes = list(_CLASS.finditer(text))
    meant = [c for c in classes if c["name"] in (called["owner"], called["called"])]
    if not meant and len(classes) == 1:
        meant = classes  # Before 3.10 Python names the method alone.
    if not meant:
        return None
    line = text.count("\n", 0, meant[0].start()) + 1
    return FailingLine(name, line, None, in_one_line(meant[0].group(), MOST_OF_LINE).rstrip(":"))


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
