"""Packages to install, and a virtual environment of every supported Python to install them into."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.packaging import distributions, environment
from tests.packaging.environment import Environment
from tests.packaging.interpreters import Interpreter, supported_interpreters

#: Between others that are tried in every run.
NIGHTLY = ("3.9", "3.10", "3.12")
PROBE = Path(__file__).with_name("probe.py")


def _parameters() -> list[Any]:
    # One group for each interpreter, so that its environments are made once, in one xdist worker.
    return [
        pytest.param(
            interpreter,
            id=interpreter.version,
            marks=[
                pytest.mark.xdist_group(f"python{interpreter.version}"),
                *[pytest.mark.nightly] * (interpreter.version in NIGHTLY),
            ],
        )
        for interpreter in supported_interpreters()
    ]


@pytest.fixture(scope="session", params=_parameters())
def interpreter(request: pytest.FixtureRequest) -> Interpreter:
    """Give every supported Python of this machine in turn."""
    found: Interpreter = request.param
    return found


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the sdist."""
    folder = tmp_path_factory.mktemp("sdist")
    return distributions.build_sdist(distributions.copy_project(folder / "src"), folder / "dist")


@pytest.fixture(scope="session")
def wheel(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel, from the sdist as those do who have no checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    project = distributions.unpack_sdist(sdist, folder / "src")
    return distributions.build_wheel(project, folder / "dist")


@pytest.fixture(scope="session")
def probe_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Copy the project, with a start-up function that tells when it runs and fails as it is told."""
    project = distributions.copy_project(tmp_path_factory.mktemp("probe") / "src")
    (project / "ts_retry_ext" / "worker").mkdir(exist_ok=True)
    shutil.copyfile(PROBE, project / "ts_retry_ext" / "worker" / "startup.py")
    return project


@pytest.fixture(scope="session")
def probe_wheel(probe_project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of `probe_project`."""
    folder = tmp_path_factory.mktemp("probe-wheel")
    copied = shutil.copytree(probe_project, folder / "src")
    return distributions.build_wheel(copied, folder / "dist")


@pytest.fixture(scope="session", params=["wheel", "editable"])
def installed(
    request: pytest.FixtureRequest,
    interpreter: Interpreter,
    probe_project: Path,
    probe_wheel: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Environment:
    """Install the package with the probe, as a wheel and as an editable install. Tests change nothing."""
    made = environment.create(tmp_path_factory.mktemp("venv"), interpreter)
    if request.param == "wheel":
        made.pip("install", "--no-deps", str(probe_wheel))
    else:
        made.pip("install", "--no-deps", "--editable", str(probe_project))
    return made


@pytest.fixture
def worker_script(tmp_path: Path) -> Path:
    """Write a script with the name of TorchServe's worker script."""
    return write_script(tmp_path / "model_service_worker.py")


def write_script(path: Path) -> Path:
    """Write a script that says that it ran."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("print('script ran')\n")
    return path
