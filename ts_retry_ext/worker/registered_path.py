"""Where a worker's model is registered: the path that the frontend made for it."""

from __future__ import annotations

import os
from typing import Sequence

from ts_retry_ext.worker.isolation import is_installed


def registration(model_dir: str, python_path: Sequence[str]) -> str:
    """Return the path that the frontend made for this registration of the model.

    An archive is unpacked to a new directory each time, and that is the worker's working
    directory. A model that is a directory is linked from a new one (``models/<id>/<name>``), which
    only shows on ``PYTHONPATH``, right behind the model's own directory (0.12.0
    EnvironmentUtils.getEnvString).
    """
    entries = list(python_path)
    for entry, following in zip(entries, entries[1:]):
        if entry == model_dir and not is_installed(following) and _links_to(following, model_dir):
            return following
    return model_dir


def _links_to(folder: str, model_dir: str) -> bool:
    # The entry behind the model's may be any directory of the server's own PYTHONPATH, one with many links
    # too. So each costs one look, and no real path is made.
    try:
        wanted = os.stat(model_dir)
        with os.scandir(folder) as entries:
            return any(entry.is_symlink() and _is_same(entry, wanted) for entry in entries)
    except OSError:
        return False


def _is_same(link: os.DirEntry[str], wanted: os.stat_result) -> bool:
    try:
        return os.path.samestat(link.stat(), wanted)
    except OSError:
        return False  # It points nowhere.
