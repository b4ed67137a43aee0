"""Which files a model's directory has."""

from __future__ import annotations

import os

#: Files of a directory that are listed; one with more than that is not looked through.
FILES_LIMIT = 10_000


def names_of_files(folder: str) -> tuple[str, ...]:
    """Return the files below a folder, relative to it, without links that lead out of it.

    Raises:
        LookupError: it has more than `FILES_LIMIT` files, or cannot be read.
    """
    root = os.path.realpath(folder)
    found: list[str] = []
    for place, _, names in os.walk(root, onerror=_unreadable):
        for name in names:
            path = os.path.join(place, name)
            if os.path.islink(path) and not os.path.realpath(path).startswith(root + os.sep):
                continue
            found.append(os.path.relpath(path, root))
            if len(found) > FILES_LIMIT:
                raise LookupError(folder)
    return tuple(found)


def _unreadable(error: OSError) -> None:
    raise LookupError(error.filename) from error
