from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ts_retry_ext
from ts_retry_ext.frontend.interpreter import HOOK_FILE, ProbeError, probe

PACKAGE = Path(ts_retry_ext.__file__).parent
HOOK = PACKAGE.parent / HOOK_FILE
#: What the hook's line imports.
GATE = "ts_retry_ext_start.py"


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Make a virtual environment that has nothing but this package, without its hook."""
    folder = tmp_path_factory.mktemp("environment") / "v"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    (site,) = folder.glob("lib/python*/site-packages")
    # Beside the package in the checkout lies the hook.
    (site / PACKAGE.name).symlink_to(PACKAGE)
    (site / GATE).symlink_to(PACKAGE.parent / GATE)
    return folder


def site_packages(environment: Path) -> Path:
    (site,) = environment.glob("lib/python*/site-packages")
    return site


def environ() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}


def test_environment_without_the_hook_is_told(environment: Path) -> None:
    found = probe(str(environment / "bin" / "python"), environ())

    assert found.python == ".".join(map(str, sys.version_info[:3]))
    assert (found.hook_ran, found.hooks) == (False, ())
    assert found.modules == {"ts_retry_ext": True, "ts": False, "torch": False, "yaml": False}
    assert found.versions["torch"] is None


def test_hook_that_runs_is_told(environment: Path) -> None:
    hook = site_packages(environment) / HOOK_FILE
    shutil.copy(HOOK, hook)
    try:
        found = probe(str(environment / "bin" / "python"), environ())
    finally:
        hook.unlink()

    assert (found.hook_ran, found.hooks) == (True, (str(hook),))


def test_hook_in_a_folder_that_runs_none_is_told(environment: Path, tmp_path: Path) -> None:
    shutil.copy(HOOK, tmp_path)

    found = probe(str(environment / "bin" / "python"), {**environ(), "PYTHONPATH": str(tmp_path)})

    assert (found.hook_ran, found.hooks) == (False, (str(tmp_path / HOOK_FILE),))


def test_hook_that_fails_is_told(environment: Path, tmp_path: Path) -> None:
    broken = tmp_path / "ts_retry_ext"
    broken.mkdir()
    (broken / "__init__.py").write_text("raise OSError('broken on purpose')\n")
    hook = site_packages(environment) / HOOK_FILE
    shutil.copy(HOOK, hook)
    try:
        python = str(environment / "bin" / "python")
        found = probe(python, {**environ(), "PYTHONPATH": str(tmp_path)})
    finally:
        hook.unlink()

    assert not found.hook_ran
    assert "broken on purpose" in found.said


def test_what_is_no_interpreter_is_an_error(tmp_path: Path) -> None:
    for name in (str(tmp_path / "nope"), "/bin/false", "/bin/echo"):
        with pytest.raises(ProbeError, match=name):
            probe(name, environ())
