"""The matrix of docs/compatibility.md, with one command: ``nox``.

Real servers need torch. A CPU build of it is at hand for Python 3.11 on the machines this project is
made on, so the servers run there, for every TorchServe; the other Pythons run what needs no torch.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import nox

nox.options.default_venv_backend = "venv"

PYTHONS = ("3.8", "3.9", "3.10", "3.11", "3.12", "3.13")
SERVER_PYTHON = "3.11"
#: What a TorchServe has to do: halt, recover, several workers, crashes, folders, kinds of handlers
#: and of workers, trial loads, each `on_fatal`, the plug-in. What a version lacks is skipped there, and says so.
SERVER_TESTS = (
    "tests/e2e/test_main_job.py",
    "tests/e2e/test_directory_model.py",
    "tests/e2e/test_workers_kinds.py",
    "tests/e2e/test_workers_launch.py",
    "tests/e2e/test_workers_others.py",
    "tests/e2e/test_trials.py",
    "tests/e2e/test_trials_kinds.py",
    "tests/e2e/test_on_fatal.py",
    "tests/e2e/test_not_registered.py",
    "tests/e2e/test_plugin.py",
)
#: What is left to do where no retry can succeed: see docs/torchserve-defects.md.
NO_RETRY_TESTS = ("tests/e2e/test_no_retry.py",)
TORCHSERVE = {
    "0.8.2": NO_RETRY_TESTS,
    "0.9.0": NO_RETRY_TESTS,
    "0.10.0": SERVER_TESTS,
    "0.11.1": SERVER_TESTS,
    "0.12.0": SERVER_TESTS,
}
#: What needs neither torch nor a server: judging, store, hook, holder, commands.
LOCAL_TESTS = ("tests/judge", "tests/store", "tests/worker", "tests/snapshot", "tests/packaging")
PYTEST = ("pytest>=7.4", "pytest-rerunfailures>=13", "pytest-timeout>=2.2", "pytest-xdist>=3.5")


@nox.session(python=SERVER_PYTHON)
@nox.parametrize("torchserve", list(TORCHSERVE))
def servers(session: nox.Session, torchserve: str) -> None:
    """Run real servers of one TorchServe."""
    needed = (*PYTEST, "torch-workflow-archiver")
    session.install("-c", "constraints.txt", "-e", ".[demo]", *needed)
    session.install("--no-deps", f"torchserve=={torchserve}")
    tests = session.posargs or TORCHSERVE[torchserve]
    session.run("python", "-m", "pytest", *tests, env={"TORCH_AT_START": "1"})


@nox.session(python=PYTHONS)
def pythons(session: nox.Session) -> None:
    """Run everything that needs no torch on one Python."""
    session.install("-e", ".", *PYTEST, "hypothesis", "setuptools>=64")
    session.run("python", "-m", "pytest", *(session.posargs or LOCAL_TESTS))


@nox.session(python=SERVER_PYTHON)
def docs(session: nox.Session) -> None:
    """Build the site of the documentation in ``site``; a link that leads nowhere is an error."""
    session.install("-c", "constraints.txt", ".[docs,sidecar]")
    session.run("mkdocs", "build", "--strict", *session.posargs)


@nox.session(python=SERVER_PYTHON)
def api(session: nox.Session) -> None:
    """Hold the sidecar's answers against docs/reference/openapi.yaml: a nightly job."""
    session.install("-c", "constraints.txt", ".[test]", "schemathesis>=4")
    session.run("python", "-m", "pytest", "-m", "nightly", "tests/reference/test_http_api.py")


@nox.session(python=SERVER_PYTHON)
def ageing(session: nox.Session) -> None:
    """List rules whose words the newest libraries no longer write: a nightly job, not a test."""
    session.install("--upgrade", "-e", ".[corpus]", "torch", *PYTEST)
    session.run("python", "-m", "tests.corpus.ageing", success_codes=[0, 3])


DIST = Path("dist").resolve()
#: Installers of these Pythons prefer this wheel: docs/decisions.md, 38.
WITHOUT_START = "py315.py316.py317"


@nox.session(python=SERVER_PYTHON, default=False)
def release(session: nox.Session) -> None:
    """Build HEAD into dist/ and check what was built; with a tag's name, whether it may be released."""
    if session.posargs:
        session.run("python", "tests/packaging/release_notes.py", *session.posargs)
    session.install("build", "twine")
    source = Path(session.create_tmp(), "source")
    for folder in (source, DIST):
        shutil.rmtree(folder, ignore_errors=True)
    # A build/ folder from before would put deleted modules into the wheel.
    session.run("git", "clone", "--quiet", ".", str(source), external=True)
    build = ("python", "-m", "build", "--outdir", str(DIST))
    session.run(*build, str(source))
    session.run(*build, "--wheel", f"-C--build-option=--python-tag={WITHOUT_START}", str(source))
    session.run("twine", "check", "--strict", *map(str, sorted(DIST.iterdir())))


@nox.session(python=PYTHONS, default=False)
def wheels(session: nox.Session) -> None:
    """Install the wheel in dist/ into a clean environment, and try it there."""
    (wheel,) = DIST.glob("*-py3-none-any.whl")
    session.install(f"{wheel}[sidecar]")
    session.run("python", "tests/packaging/installed.py", wheel.name.split("-")[1])
