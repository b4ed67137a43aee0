"""Virtual environments that lack something, or have another TorchServe, made of this one."""

from __future__ import annotations

import site
import subprocess
import sys
import venv
from pathlib import Path


class Environment:
    """A virtual environment that sees what this one has installed, except for some of it.

    Args:
        root: where to make it.
        without: what it lacks: top-level modules, or files of site-packages by their full name.
    """

    def __init__(self, root: Path, without: tuple[str, ...]) -> None:
        venv.create(root, symlinks=True)
        self.python = str(root / "bin" / "python")
        self._packages = next(root.glob("lib/python*/site-packages"))
        self._available: dict[str, Path] = {}
        for entry in _installed():
            self._available.setdefault(entry.name, entry)
        for name, entry in self._available.items():
            if not _belongs_to(name, without):
                (self._packages / name).symlink_to(entry)

    def download(self, requirement: str) -> None:
        """Install one distribution from the package index; none that it depends on.

        Raises:
            subprocess.CalledProcessError: pip cannot.
        """
        command = [self.python, "-m", "pip", "install", "--quiet", "--no-deps", requirement]
        subprocess.run(command, check=True, capture_output=True, text=True)

    def install(self, *modules: str) -> None:
        """Add what was left out."""
        for name, entry in self._available.items():
            if _belongs_to(name, modules):
                (self._packages / name).symlink_to(entry)


def _installed() -> list[Path]:
    folders = [Path(path) for path in sys.path if path.endswith("site-packages")]
    assert folders, f"no site-packages on {sys.path}; {site.getsitepackages()}"
    return [entry for folder in folders for entry in folder.iterdir()]


def _belongs_to(name: str, modules: tuple[str, ...]) -> bool:
    stem = name.split("-")[0].split(".")[0].lower().lstrip("_")
    return stem in modules or name in modules
