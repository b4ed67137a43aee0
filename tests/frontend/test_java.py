from __future__ import annotations

import os
from pathlib import Path

import pytest

from ts_retry_ext.frontend.java import JavaError, find_java


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
