"""Which archives and model folders a path names: one, or a model store of them."""

from __future__ import annotations

import os

from ts_retry_ext.archive.model_archive import ArchiveError, is_model_folder

#: Files of a model store that ``--models all`` loads (0.12.0 ModelServer.initModelStore).
LOADED_BY_ALL = (".mar", ".model", ".tar.gz")
#: Files that are archives as well, and are loaded only when named.
LOADED_BY_NAME = (".tgz",)
#: What is wrong with a folder that is neither a model nor a model store.
NO_MODEL = (
    "holds no model archive and no MAR-INF/MANIFEST.json; TorchServe serves such a folder only with "
    "default_service_handler in its config.properties"
)


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


def models_at(path: str, default_handler: str | None = None) -> list[str]:
    """Return the archive or model folder at `path`, of a model store all that it holds.

    Args:
        path: an archive, a model folder or a model store.
        default_handler: ``default_service_handler`` of the server, or None. With one, TorchServe serves
            any folder, also one without a manifest: SageMaker's layout (0.12.0 ModelArchive.load,
            ModelManager.createModelArchive).

    Raises:
        ArchiveError: there is nothing at `path`, or a folder with no model in it.
    """
    if not os.path.exists(path):
        raise ArchiveError(path, "there is no such file or folder")
    if not os.path.isdir(path) or is_model_folder(path):
        return [path]
    inside = archives_in(path)
    if inside:
        return inside
    if default_handler is None:
        raise ArchiveError(path, NO_MODEL)
    return [path]
