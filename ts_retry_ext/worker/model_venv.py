"""Bring the package into the virtual environment of a single model (``useVenv: true``).

The frontend makes it by running ``ts/utils/setup_model_venv.py`` with the server's interpreter. It
sees the server's packages through path lines, and Python runs no ``.pth`` of a directory that came
by such a line, so it needs a start-up hook of its own.
"""

from __future__ import annotations

import atexit
import os
import sys
from typing import Sequence

from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.own_program import ROOT

SETUP_SCRIPT = "setup_model_venv.py"
_HOOK = "ts_retry_ext.pth"
_START = "ts_retry_ext.start"
#: Ignores the line in the ``.pth`` file, and reads the ``.start`` file beside it (PEP 829).
_IGNORES_LINES = (3, 18)


def is_setup_script(argv: Sequence[str]) -> bool:
    """Tell whether `argv` makes the virtual environment of a model."""
    return len(argv) == 2 and os.path.basename(argv[0]) == SETUP_SCRIPT


def take_part(venv: str) -> None:
    """Add the hook to the environment at `venv` once this process has made it."""
    atexit.register(_add_hook, venv)


def _add_hook(venv: str) -> None:
    """Write the hook into the environment. Never raises."""
    version = f"python{sys.version_info[0]}.{sys.version_info[1]}"
    target = os.path.join(venv, "lib", version, "site-packages")
    try:
        with open(os.path.join(target, _HOOK), "w", encoding="utf-8") as stream:
            stream.write(f"{ROOT}\n{_hook_line()}\n")
        if sys.version_info >= _IGNORES_LINES:
            with open(os.path.join(target, _START), "w", encoding="utf-8") as stream:
                stream.write("ts_retry_ext_start:start\n")
    except (OSError, LookupError) as error:
        say(f"the model's own environment {venv!r} gets no start-up hook: {error!r}")


def _hook_line() -> str:
    """Return the line of this environment's own hook. Raises LookupError where there is none."""
    for entry in sys.path:
        try:
            with open(os.path.join(entry, _HOOK), encoding="utf-8") as stream:
                lines = stream.read().splitlines()
        except OSError:
            continue
        for line in lines:
            if line.startswith("import "):
                return line
    msg = f"no {_HOOK} on {sys.path}"
    raise LookupError(msg)
