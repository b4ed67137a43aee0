"""Give a model its own environment and packages, where the server would (0.12.0 ModelManager)."""

from __future__ import annotations

import os
import sys
import time
from typing import Mapping

from ts_retry_ext.trial.child_processes import Children
from ts_retry_ext.trial.driven_worker import interpreter
from ts_retry_ext.trial.launch import Launch

#: How long pip may take; the frontend waits for ever.
INSTALL_TIMEOUT_SEC = 1800.0


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
