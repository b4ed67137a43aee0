"""What tests of the plug-in need: a Java compiler, TorchServe's jar, and the plug-in with test classes beside."""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from pathlib import Path
from types import ModuleType

import pytest

from ts_retry_ext.plugin import JAR

PROJECT = Path(__file__).parents[2]
#: The compiler that the jar of the repository is made by.
JAVAC_MAJOR = 17


@pytest.fixture(scope="session")
def builder() -> ModuleType:
    spec = importlib.util.spec_from_file_location("plugin_build", PROJECT / "plugin" / "build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def javac() -> str:
    """Return the compiler, of the version that the jar is made by; skip where there is none."""
    found = shutil.which("javac")
    if found is None:
        pytest.skip("no javac: apt-get install openjdk-17-jdk-headless")
    told = subprocess.run([found, "-version"], capture_output=True, text=True, check=True)
    major = re.search(r"javac (\d+)", told.stdout + told.stderr)
    if major is None or int(major.group(1)) != JAVAC_MAJOR:
        pytest.skip(f"javac {JAVAC_MAJOR} is needed, here is {told.stdout.strip()}")
    return found


@pytest.fixture(scope="session")
def class_path(builder: ModuleType, javac: str, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the class path of the shipped jar and of the classes in this folder."""
    classes = tmp_path_factory.mktemp("classes")
    path = f"{classes}:{JAR}:{builder.sdk()}"
    sources = sorted(str(source) for source in Path(__file__).parent.glob("*.java"))
    subprocess.run([javac, "-proc:none", "-cp", path, "-d", str(classes), *sources], check=True)
    return path
