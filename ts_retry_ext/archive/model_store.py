"""List the archives of a model store."""

from __future__ import annotations

import os

from ts_retry_ext.archive.model_archive import ArchiveError, is_model_folder

LOADED_BY_ALL = (".mar", ".model", ".tar.gz")
"""Files of a model store that ``--models all`` loads (0.12.0 ModelServer.initModelStore)."""
LOADED_BY_NAME = (".tgz",)
"""Files that are archives as well, and are loaded only when named."""


def archives_in(store: str) -> list[str]:
    """Return the archives and model folders of the model store at `store`, sorted.

    Raises:
        ArchiveError: the folder cannot be listed.
    """
    try:
        names = sorted(name for name in os.listdir(store) if not name.startswith("."))
    except OSError as error:
        raise ArchiveError(store, f"cannot be listed: {error.strerror}") from error
    paths = (os.path.join(store, name) for name in names)
    endings = LOADED_BY_ALL + LOADED_BY_NAME
    return [p for p in paths if (is_model_folder(p) if os.path.isdir(p) else p.endswith(endings))]
