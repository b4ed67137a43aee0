"""Give a model its own environment and packages where the server would (0.12.0 ModelManager), and say what it lacks."""

from __future__ import annotations

import os
import sys
import time
from typing import Mapping

from ts_retry_ext.trial.child_processes import Children
from ts_retry_ext.trial.driven_worker import interpreter
from ts_retry_ext.trial.findings import Findings
from ts_retry_ext.trial.launch import Launch
from ts_retry_ext.trial.undeclared_imports import declared

#: How long pip may take; the frontend waits for ever.
INSTALL_TIMEOUT_SEC = 1800.0
_MODULE_MISSING = ("module-missing", "module-missing-text")


class RegistrationError(Exception):
    """The frontend would refuse the model because of its environment."""

    def __init__(self, why: str, output: str) -> None:
        super().__init__(why)
        self.output = output


def install_requirements(
    launch: Launch,
    model_dir: str,
    home: str,
    properties: Mapping[str, str],
    environ: Mapping[str, str],
    children: Children,
) -> str:
    """Make the virtual environment and install the requirements; return the model's interpreter.

    Both go below the folder that the frontend made for the model, never into the model's own where
    that is a folder.

    Raises:
        RegistrationError: a command failed.
        AbortedError: the check was told to stop.
    """
    own = os.path.dirname(model_dir) if os.path.islink(model_dir) else model_dir
    python = interpreter(launch.runtime)
    if launch.limits.use_venv:
        script = os.path.join(home, "ts", "utils", "setup_model_venv.py")
        venv = os.path.join(own, "venv")
        _run([sys.executable, script, venv], own, environ, children, "making its environment")
        if launch.runtime == "python":
            python = os.path.join(venv, "bin", "python")
    wanted = properties.get("install_py_dep_per_model", "").strip().lower() == "true"
    if wanted and launch.requirements_file:
        where = ["--upgrade-strategy", "only-if-needed"] if launch.limits.use_venv else ["-t", own]
        file = os.path.join(model_dir, launch.requirements_file)
        command = [python, "-m", "pip", "install", "-U", *where, "-r", file]
        _run(command, own, environ, children, f"installing {launch.requirements_file}")
    return python


def _run(
    command: list[str], folder: str, environ: Mapping[str, str], children: Children, what: str
) -> None:
    try:
        child = children.start(command, environ, folder)
    except OSError as error:
        msg = f"{what} failed: {error}"
        raise RegistrationError(msg, "") from error
    try:
        child.wait(time.monotonic() + INSTALL_TIMEOUT_SEC)
    finally:
        status = children.end(child)
    children.proceed()
    if status != 0:
        msg = f"{what} failed with exit code {status}"
        raise RegistrationError(msg, child.output())


def requirement_problems(
    launch: Launch, model_dir: str, properties: Mapping[str, str], found: Findings
) -> list[tuple[str, str]]:
    """Return what has to be said of the packages that the archive's code imports."""
    installs = properties.get("install_py_dep_per_model", "").strip().lower() == "true"
    file = launch.requirements_file
    problems = []
    if found.undeclared:
        names = ", ".join(found.undeclared)
        lacks = f"which its {file} does not name" if file else "without a requirements file"
        message = f"it imports {names}, {lacks}; the server has to have them"
        problems.append(("requirements-missing", message))
    if file and not os.path.isfile(os.path.join(model_dir, file)):
        message = f"the manifest names {file} as requirementsFile, the archive lacks it"
        problems.append(("requirements-file-missing", message))
    elif file and not installs and found.failure and found.failure.rule in _MODULE_MISSING:
        names = ", ".join(sorted(declared(model_dir)))
        message = (
            f"its {file} ({names}) was not installed: TorchServe does so with "
            "install_py_dep_per_model=true in config.properties; --ts-config FILE tells the check"
        )
        problems.append(("requirements-not-installed", message))
    return problems
