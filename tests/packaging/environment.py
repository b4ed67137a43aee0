"""A virtual environment that a test installs the package into."""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Mapping, Sequence

from tests.packaging.interpreters import Interpreter


@dataclass(frozen=True)
class Environment:
    """One virtual environment.

    Attributes:
        root: its directory.
        interpreter: what it was made with.
        bare: the names in site-packages when it was new.
    """

    root: Path
    interpreter: Interpreter
    bare: frozenset[str] = frozenset()

    @property
    def python(self) -> Path:
        return self.root / "bin" / "python"

    @property
    def site_packages(self) -> Path:
        return self.root / "lib" / f"python{self.interpreter.version}" / "site-packages"

    def run(
        self,
        *arguments: str,
        cwd: Path | None = None,
        environ: Mapping[str, str] | None = None,
        text: str = "",
    ) -> subprocess.CompletedProcess[str]:
        """Run the environment's Python with nothing inherited that changes how it starts."""
        return subprocess.run(
            [str(self.python), *arguments],
            cwd=cwd or self.root,
            env={**clean_environ(), **(environ or {})},
            input=text,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def pip(self, *arguments: str) -> None:
        """Run pip; a failure shows what pip said."""
        done = self.run("-m", "pip", "--no-input", *arguments)
        assert done.returncode == 0, done.stdout + done.stderr

    def installed(self) -> frozenset[str]:
        """Return the names in site-packages."""
        return frozenset(path.name for path in self.site_packages.iterdir())

    def copy(self, root: Path) -> Environment:
        """Copy the environment, for a test that changes it. Only ``python -m`` works in the copy."""
        shutil.copytree(self.root, root, symlinks=True)
        return replace(self, root=root)


def create(root: Path, interpreter: Interpreter, *options: str) -> Environment:
    """Make a virtual environment in `root`."""
    command = [interpreter.path, "-m", "venv", *options, str(root)]
    subprocess.run(command, check=True, env=clean_environ(), timeout=120)
    made = Environment(root, interpreter)
    return replace(made, bare=made.installed())


def clean_environ(drop: Sequence[str] = ("VIRTUAL_ENV",)) -> dict[str, str]:
    """Return this process's environment without Python's own switches."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "COV_", "PYTEST", "__PYVENV")) and name not in drop
    }
