"""The package's own code on every supported Python, with nothing else installed."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.packaging import environment
from tests.packaging.environment import Environment
from tests.packaging.interpreters import Interpreter

#: What a worker uses must import where TorchServe's own dependencies are what is missing.
STANDARD_LIBRARY_ONLY = (
    *("errors", "settings", "judge", "store", "worker"),
    *("archive", "plain_text", "trial.bootstrap", "trial.undeclared_imports"),
)

NEED_YAML = ("archive.snake_yaml", "archive.key_notes")
"""What reads YAML, and is imported only where there is some."""

IMPORT_ALL = f"""
import importlib, pkgutil, sys
late = {NEED_YAML!r}
for name in sys.argv[1:]:
    module = importlib.import_module("ts_retry_ext." + name)
    for found in pkgutil.walk_packages(getattr(module, "__path__", ()), module.__name__ + "."):
        if not found.name.endswith(("__main__", *late)):
            importlib.import_module(found.name)
print(sum(name.startswith("ts_retry_ext") for name in sys.modules))
"""


@pytest.fixture(scope="module")
def empty_environment(
    interpreter: Interpreter, wheel: Path, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Make an environment with this package and nothing else."""
    root = tmp_path_factory.mktemp("empty")
    made = environment.create(root / "venv", interpreter, "--without-pip")
    shutil.unpack_archive(wheel, made.site_packages, "zip")
    return made


def test_what_a_worker_uses_imports_with_the_standard_library_alone(
    empty_environment: Environment,
) -> None:
    done = empty_environment.run("-W", "error", "-c", IMPORT_ALL, *STANDARD_LIBRARY_ONLY)
    assert done.stderr == ""
    assert int(done.stdout) > 20


def test_every_module_compiles(empty_environment: Environment) -> None:
    package = empty_environment.site_packages / "ts_retry_ext"
    done = empty_environment.run("-W", "error", "-m", "compileall", "-q", "-f", str(package))
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_a_script_of_that_name_that_is_not_torchserves_runs_as_ever(
    empty_environment: Environment, worker_script: Path, tmp_path: Path
) -> None:
    """No frontend is among its ancestors: the hook says so and leaves it alone."""
    done = empty_environment.run(str(worker_script), "--sock-type", "unix", cwd=tmp_path)
    assert (done.returncode, done.stdout) == (0, "script ran\n")
    assert all(line.startswith("ts-retry: not active") for line in done.stderr.splitlines())
    assert [path.name for path in tmp_path.iterdir()] == [worker_script.name]
