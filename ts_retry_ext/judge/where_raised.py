"""Where a failure was raised: in the model's own code, in an installed library, or in TorchServe.

A remedy that tells to correct a line is of use only where the line is the model's own.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple

from ts_retry_ext.judge.failure import Frame

#: Sources of compiled modules, as Cython names them: a library's.
_COMPILED = re.compile(r"\.(?:pyx|pxi|pxd)$")
_INSTALLED = re.compile(r"[/\\](?:site|dist)-packages[/\\]")
#: What a rule can ask (`when.raised_in`).
PLACES = ("own", "library", "torchserve")


class RaisedIn(NamedTuple):
    """Hold where a failure was raised.

    Attributes:
        kind: one of `PLACES`, or empty if the stack does not show it.
        package: top-level name of the library, else empty.
    """

    kind: str = ""
    package: str = ""


def packages_of(frames: Sequence[Frame]) -> list[str]:
    """Return the top-level names of the installed libraries on the stack, outermost first."""
    return [frame.module.partition(".")[0] for frame in frames if _INSTALLED.search(frame.file)]


def where_raised(frames: Sequence[Frame]) -> RaisedIn:
    """Return where the innermost frame lies that is not the interpreter's."""
    for frame in reversed(frames):
        if frame.file.startswith("<"):
            continue
        package = frame.module.partition(".")[0]
        if _INSTALLED.search(frame.file):
            return RaisedIn("torchserve") if package == "ts" else RaisedIn("library", package)
        if _COMPILED.search(frame.file):
            return RaisedIn("library", package.lstrip("_"))
        if frame.in_app:
            return RaisedIn("own")
    return RaisedIn()
