"""What a frame's file path says: which module it is, and whether it is the model's own code."""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from typing import TypeVar

from ts_retry_ext.judge.failure import FRAME_LIMIT, Frame
from ts_retry_ext.judge.text import NAME_LIMIT, clean

_Item = TypeVar("_Item")

#: A directory into which TorchServe unpacks an archive: `models/<32 hex digits>`
#: (TorchServe 0.12.0, archive utilities of the frontend).
UNPACKED_DIR = re.compile(r"^(?P<dir>.{0,2000}?/models/[0-9a-f]{32})(?:/|$)")
_INSTALLED = re.compile(r"/(?:site-packages|dist-packages)/(?P<rest>[^\n]+)$")
_STDLIB = re.compile(r"/(?:lib(?:64)?/python\d(?:\.\d+)?t?|[Ll]ib)/(?P<rest>[^\n]+)$")
_OURS = "ts_retry_ext"
#: Where this package lies: in an editable install not in site-packages.
_OUR_ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep


def module_of(file: str, model_dir: str | None = None) -> str:
    """Return the dotted module name that a path stands for."""
    if file.startswith("<"):
        return file.strip("<>").replace("frozen ", "")
    path = file.replace("\\", "/")
    inside = _inside(path, model_dir)
    if path.startswith(_OUR_ROOT):
        relative = f"{_OURS}/{path[len(_OUR_ROOT) :]}"
    elif inside is not None:
        relative = inside
    else:
        found = _INSTALLED.search(path) or _STDLIB.search(path)
        relative = found.group("rest") if found else path
        if not found and (path.startswith(("/", "~")) or path[1:2] == ":"):
            relative = path.rpartition("/")[2]
    for ending in (".py", ".pyc", ".pyx", ".so"):
        if relative.endswith(ending):
            relative = relative[: -len(ending)]
            break
    return ".".join(part for part in relative.split("/") if part not in ("", ".", "..", "__init__"))


def is_in_app(file: str, model_dir: str | None = None) -> bool:
    """Tell whether a path is the model's own code: no library, no interpreter, no TorchServe."""
    path = file.replace("\\", "/")
    if path.startswith("<"):
        return False
    if _inside(path, model_dir) is not None:
        return True
    if _INSTALLED.search(path) or _STDLIB.search(path):
        return False
    return not re.search(r"(?:^|/)ts/(?:model_loader|model_service_worker|service)\.py$", path)


def is_ours(module: str) -> bool:
    """Tell whether a module is part of this package."""
    return module == _OURS or module.startswith(_OURS + ".")


def make_frame(file: str, function: str, line: int | None, model_dir: str | None) -> Frame:
    """Build a frame from what a traceback says of it."""
    file = clean(file, NAME_LIMIT)
    return Frame(
        file=file,
        function=clean(function, NAME_LIMIT),
        module=module_of(file, model_dir),
        line=line,
        in_app=is_in_app(file, model_dir),
    )


def bounded_stack(items: Sequence[_Item]) -> tuple[_Item, ...]:
    """Return a stack, or its first and last frames where it is longer than `FRAME_LIMIT`."""
    if len(items) <= FRAME_LIMIT:
        return tuple(items)
    half = FRAME_LIMIT // 2
    return (*items[:half], *items[-half:])


def _inside(path: str, model_dir: str | None) -> str | None:
    candidates = [model_dir] if model_dir else []
    found = UNPACKED_DIR.match(path)
    if found:
        candidates.append(found.group("dir"))
    for directory in candidates:
        prefix = directory.rstrip("/") + "/"
        if not prefix.strip("/"):
            continue
        if path.startswith(prefix):
            return os.path.normpath(path[len(prefix) :])
    return None
