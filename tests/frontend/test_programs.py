from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import ts_retry_ext
from ts_retry_ext.frontend.programs import HOOK_FILE, JavaError, ProbeError, find_java, probe

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


def fake_java(folder: Path, said: str) -> Path:
    """Make a java that tells the version of a runtime that is not on this machine."""
    program = folder / "bin" / "java"
    program.parent.mkdir(parents=True)
    program.write_text(f"#!/bin/sh\ncat >&2 <<'END'\n{said}\nEND\n")
    program.chmod(0o755)
    return program


def test_java_of_this_machine_is_found() -> None:
    java = find_java(os.environ)

    assert java.major >= 11
    assert os.access(java.executable, os.X_OK)


@pytest.mark.parametrize(
    ("said", "version", "major"),
    [
        ('openjdk version "17.0.15" 2025-04-15\nOpenJDK Runtime', "17.0.15", 17),
        ('java version "1.8.0_392"', "1.8.0_392", 8),
        ('Picked up JAVA_TOOL_OPTIONS: -Xmx1g\nopenjdk version "25" 2025-09-16', "25", 25),
        ('openjdk version "21-ea"', "21-ea", 21),
    ],
)
def test_java_home_beats_the_path(said: str, version: str, major: int, tmp_path: Path) -> None:
    program = fake_java(tmp_path, said)

    java = find_java({"JAVA_HOME": str(tmp_path), "PATH": os.environ["PATH"]})

    assert (java.executable, java.version, java.major) == (str(program), version, major)


def test_missing_java_is_an_error_that_says_where_it_was_looked_for(tmp_path: Path) -> None:
    with pytest.raises(JavaError, match="no java on the PATH"):
        find_java({"PATH": str(tmp_path)})
    with pytest.raises(JavaError, match=f"JAVA_HOME is {tmp_path}, which has no bin/java"):
        find_java({"JAVA_HOME": str(tmp_path)})


def test_program_that_is_no_java_is_an_error(tmp_path: Path) -> None:
    fake_java(tmp_path, "hello")

    with pytest.raises(JavaError, match="does not report its version: hello"):
        find_java({"JAVA_HOME": str(tmp_path), "PATH": os.environ["PATH"]})
