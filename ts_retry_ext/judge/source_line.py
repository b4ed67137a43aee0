"""Paths that the model's own line of code names, where the failure itself names none."""

from __future__ import annotations

import re

from ts_retry_ext.judge.failure import Failure, Frame
from ts_retry_ext.judge.frames import UNPACKED_DIR

#: A frame as Python prints it.
_FRAME = '  File "{file}", line {line}, in {function}\n'
#: Lines of source that are printed of one frame at most; Python 3.13 prints a whole call.
_LINES = 12
#: An absolute path that stands alone as a literal. Behind a plus, it is the end of a path.
_LITERAL = re.compile(
    r"(?:[(\[{,=:]|\breturn|\bin|\bor|\belse|^)\s{0,40}[rfbRFB]{0,2}(?P<quote>['\"])(?P<path>/[^/'\"\s][^'\"\n]{0,1000})(?P=quote)"
)


def own_frame(failure: Failure) -> Frame | None:
    """Return the model's own innermost frame, None if there is none."""
    return next((frame for frame in reversed(failure.frames) if frame.in_app), None)


def own_directory(failure: Failure) -> str | None:
    """Return the directory into which the archive was unpacked, as the model's own frame shows it."""
    frame = own_frame(failure)
    found = UNPACKED_DIR.match(frame.file) if frame else None
    return found.group("dir") if found else None


def paths_in_own_line(failure: Failure) -> tuple[str, ...]:
    """Return the absolute paths that stand as literals in the source line of the model's own innermost frame."""
    frame = own_frame(failure)
    if frame is None or frame.line is None:
        return ()
    head = _FRAME.format(file=frame.file, line=frame.line, function=frame.function)
    _, found, rest = failure.traceback.partition(head)
    if not found:
        return ()
    source = []
    for line in rest.split("\n")[:_LINES]:
        if not line.startswith("    "):
            break
        source.append(line.strip())
    return tuple(match["path"] for line in source for match in _LITERAL.finditer(line))
