"""Tell which TorchServe is installed, without importing it."""

from __future__ import annotations

import os


def torchserve_version_in(folder: str) -> str | None:
    """Return the version that ``version.txt`` in TorchServe's folder ``ts`` says, or None."""
    try:
        with open(os.path.join(folder, "version.txt"), "rb") as stream:
            return stream.read(40).decode("ascii", "replace").strip() or None
    except OSError:
        return None
