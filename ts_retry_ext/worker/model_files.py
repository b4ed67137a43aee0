"""The model's files as a worker finds them: where they are registered, and whether they changed."""

from __future__ import annotations

import os
import re
import zlib
from typing import Iterator, Sequence

#: What Python and the kernel write beside the model; a change there says nothing about it.
_IGNORED_DIRECTORIES = ("__pycache__",)
_IGNORED_FILES = re.compile(r".*\.pyc|core(\.\d+)?", re.DOTALL)
_SIGNATURE = re.compile(r"\d+-[0-9a-f]{8}-(\d{1,20})", re.ASCII)
#: The kernel stamps files with a clock that lags by a tick, up to 10 ms; in nanoseconds.
_TICK_NS = 20_000_000


def registration(model_dir: str, python_path: Sequence[str]) -> str:
    """Return the path that the frontend made for this registration of the model.

    An archive is unpacked to a new directory each time, and that is the worker's working
    directory. A model that is a directory is linked from a new one (``models/<id>/<name>``), which
    only shows on ``PYTHONPATH``, right behind the model's own directory (0.12.0
    EnvironmentUtils.getEnvString).
    """
    entries = list(python_path)
    for entry, following in zip(entries, entries[1:]):
        if entry == model_dir and _links_to(following, model_dir):
            return following
    return model_dir


def signature(model_dir: str, since_ns: int) -> str:
    """Return a short text that `is_unchanged` compares a model's files with.

    Handlers unpack archives, or write logs, in the model's directory. What was written since the
    load began counts by its name alone, so that the load of another worker, which writes it again,
    is not taken for a repair.

    Args:
        model_dir: the model's directory.
        since_ns: when the load that failed began, in nanoseconds since the epoch.
    """
    total = 0
    count = 0
    for line in sorted(_file_lines(model_dir, since_ns)):
        total = zlib.crc32(line, total)
        count += 1
    return f"{count}-{total:08x}-{since_ns}"


def is_unchanged(model_dir: str, signed: str) -> bool:
    """Tell whether no file of the model was added, removed or written since it was `signed`."""
    known = _SIGNATURE.fullmatch(signed)
    return known is not None and signature(model_dir, int(known[1])) == signed


def _links_to(folder: str, model_dir: str) -> bool:
    # The entry behind the model's may be any directory of the server's own PYTHONPATH, a large one too.
    try:
        with os.scandir(folder) as entries:
            links = [entry.path for entry in entries if entry.is_symlink()]
    except OSError:
        return False
    return any(os.path.realpath(link) == model_dir for link in links)


def _file_lines(model_dir: str, since_ns: int) -> Iterator[bytes]:
    for folder, folders, files in os.walk(model_dir):
        folders[:] = [name for name in folders if name not in _IGNORED_DIRECTORIES]
        for name in files:
            if _IGNORED_FILES.fullmatch(name):
                continue
            path = os.path.join(folder, name)
            try:
                status = os.stat(path)
            except OSError:
                continue
            if status.st_mtime_ns + _TICK_NS >= since_ns:
                yield os.fsencode(path)
            else:
                facts = f"{path}\0{status.st_size}\0{status.st_mtime_ns}\0{status.st_ino}"
                yield os.fsencode(facts)
