"""Which archives a command line names."""

from __future__ import annotations

import os
from typing import Iterable, Iterator

from ts_retry_ext.cli.output import CommandError


def archives_named(paths: Iterable[str]) -> Iterator[str]:
    """Yield each archive and model folder named, those of a model store one by one.

    Raises:
        CommandError: there is nothing at a path, or a folder with no model in it.
    """
    from ts_retry_ext.archive.model_archive import ArchiveError, is_model_folder
    from ts_retry_ext.archive.model_store import archives_in

    for path in paths:
        if not os.path.exists(path):
            raise CommandError(f"{path}: there is no such file or folder")
        if not os.path.isdir(path) or is_model_folder(path):
            yield path
            continue
        try:
            inside = archives_in(path)
        except ArchiveError as error:
            raise CommandError(str(error)) from error
        if not inside:
            raise CommandError(f"{path}: holds no model archive and no model folder")
        yield from inside
