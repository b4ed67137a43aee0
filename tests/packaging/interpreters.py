"""The Pythons of this machine that the package claims to support."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

OLDEST = (3, 8)
NEWEST_TRIED = (3, 16)

_ASK = "import ensurepip, sys, venv; print(sys.implementation.name, *sys.version_info[:2])"


@dataclass(frozen=True)
class Interpreter:
    """One CPython with venv and pip.

    Attributes:
        version: such as "3.8".
        path: of the executable.
    """

    version: str
    path: str


def supported_interpreters() -> list[Interpreter]:
    """Return one interpreter for each supported version found, oldest first, the running one included."""
    found: dict[tuple[int, int], Interpreter] = {}
    for path in _candidates():
        version = _version(path)
        if version is not None and version >= OLDEST and version not in found:
            found[version] = Interpreter("{}.{}".format(*version), path)
    return [found[version] for version in sorted(found)]


def _candidates() -> list[str]:
    minors = range(OLDEST[1], NEWEST_TRIED[1])
    on_path = [shutil.which(f"python3.{minor}") for minor in minors]
    pyenv = sorted(str(path) for path in Path.home().glob(".pyenv/versions/3.*/bin/python"))
    return [sys.executable, *pyenv, *(path for path in on_path if path)]


def _version(path: str) -> tuple[int, int] | None:
    """Ask the interpreter itself: a pyenv shim can be there and stand for nothing."""
    try:
        answer = subprocess.run(
            [path, "-I", "-c", _ASK], capture_output=True, text=True, timeout=30, check=False
        )
    except OSError:
        return None
    match = re.fullmatch(r"cpython (\d+) (\d+)\s*", answer.stdout)
    return (int(match[1]), int(match[2])) if answer.returncode == 0 and match else None
