"""Copies of this project, and what is built from them."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parents[2]

_SOURCES = (
    "ts_retry_ext", "plugin", "handlers", "bench", "docs", "tests",
    "setup.cfg", "pyproject.toml", "MANIFEST.in", "build_hook.py",
    "ts_retry_ext.pth", "ts_retry_ext.start", "ts_retry_ext_start.py", "constraints.txt",
    "config.properties", "README.md", "CHANGELOG.md", "LICENSE",
)  # fmt: skip

_UNWANTED = shutil.ignore_patterns("__pycache__", "*.egg-info", "*.mar", "*.pt", ".*")

_BUILD = (
    "import sys; from setuptools import build_meta; "
    "getattr(build_meta, sys.argv[1])(sys.argv[2], {'--build-option': sys.argv[3:]})"
)


def copy_project(target: Path) -> Path:
    """Copy the sources, so that a build leaves nothing in the checkout; return the copy."""
    target.mkdir(parents=True)
    for name in _SOURCES:
        source = PROJECT / name
        if source.is_dir():
            shutil.copytree(source, target / name, ignore=_UNWANTED)
        elif source.exists():
            shutil.copy2(source, target / name)
    return target


def build_sdist(project: Path, folder: Path) -> Path:
    """Build an sdist of `project` and return its path."""
    return _build("build_sdist", project, folder, "*.tar.gz")


def build_wheel(project: Path, folder: Path, *options: str) -> Path:
    """Build a wheel of `project` with options of setuptools' bdist_wheel, and return its path."""
    return _build("build_wheel", project, folder, "*.whl", *options)


def unpack_sdist(sdist: Path, folder: Path) -> Path:
    """Unpack an sdist and return the project in it."""
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (project,) = folder.iterdir()
    return project


def _build(kind: str, project: Path, folder: Path, pattern: str, *options: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-c", _BUILD, kind, str(folder), *options]
    done = subprocess.run(
        command, cwd=project, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (built,) = folder.glob(pattern)
    return built
