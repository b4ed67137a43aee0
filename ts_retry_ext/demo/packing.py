"""Make the archives: copy the handlers, train the two small models, run the archiver.

Each archive is packed with the command that stands at the top of its handler, so that the demo
shows what people are told to do themselves.
"""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Callable, Mapping, Sequence

from ts_retry_ext.demo import DemoError
from ts_retry_ext.demo.models import DemoModel

PACKAGE = Path(__file__).resolve().parents[1]
INSTALLED_HANDLERS = PACKAGE / "demo_handlers"
#: Where a wheel has the handlers, and where a checkout has them (see build_hook.py).
CHECKOUT_HANDLERS = PACKAGE.parent / "handlers"

#: What a wheel appends to the sources that are broken on purpose.
UNPARSABLE_SUFFIX = ".txt"

#: The directories that the commands name, relative to where they are run.
HANDLERS, WEIGHTS, STORE = "handlers", "model_weights", "model_store"

LIMIT_SEC = 180.0
_COMMAND = re.compile(r"^    torch-model-archiver ((?:.*\\\n)*.*)$", re.MULTILINE)
_ARCHIVER = (
    "from model_archiver.model_packaging import generate_model_archive; generate_model_archive()"
)


def lay_out_handlers(root: Path) -> None:
    """Copy the handlers into `root`, under the names that they have in a checkout.

    Raises:
        DemoError: this installation has none.
    """
    installed = INSTALLED_HANDLERS.is_dir()
    source = INSTALLED_HANDLERS if installed else CHECKOUT_HANDLERS
    if not (source / "make_models.py").is_file():
        msg = f"the demo handlers are missing: {source} has no make_models.py; install again"
        raise DemoError(msg)
    shutil.copytree(source, root / HANDLERS, ignore=shutil.ignore_patterns("__pycache__"))
    for path in sorted((root / HANDLERS).rglob(f"*.py{UNPARSABLE_SUFFIX}")):
        path.rename(path.with_suffix(""))


def train(root: Path, environ: Mapping[str, str], tick: Callable[[], None]) -> None:
    """Train the models whose weights the archives carry.

    Raises:
        DemoError: it fails.
    """
    command = [sys.executable, f"{HANDLERS}/make_models.py", WEIGHTS]
    _run(command, root, environ, tick, "training the models of the demo")


def pack(
    root: Path, model: DemoModel, environ: Mapping[str, str], tick: Callable[[], None]
) -> None:
    """Pack one model into the model store.

    Raises:
        DemoError: it fails.
    """
    (root / STORE).mkdir(exist_ok=True)
    text = (root / HANDLERS / model.source).read_text("utf-8")
    command = [sys.executable, "-c", _ARCHIVER, *packing_arguments(text)]
    _run(command, root, environ, tick, f"packing {model.name}")


def packing_arguments(source: str) -> list[str]:
    """Return the arguments of the ``torch-model-archiver`` command in the text of a handler.

    Raises:
        ValueError: there is none.
    """
    found = _COMMAND.search(source)
    if found is None:
        msg = "no torch-model-archiver command in this text"
        raise ValueError(msg)
    return shlex.split(found[1].replace("\\\n", " "))


def _run(
    command: Sequence[str],
    root: Path,
    environ: Mapping[str, str],
    tick: Callable[[], None],
    what: str,
) -> None:
    """Run a command to its end, calling `tick` some times a second."""
    output = root / "packing.log"
    with output.open("wb") as log:
        process = subprocess.Popen(
            command, cwd=root, env=dict(environ), stdin=subprocess.DEVNULL, stdout=log, stderr=log
        )
    until = time.monotonic() + LIMIT_SEC
    try:
        while process.poll() is None and time.monotonic() < until:
            tick()
            time.sleep(0.05)
    finally:
        if process.poll() is None:
            process.kill()
        process.wait()
    if process.returncode:
        msg = f"{what} failed with exit code {process.returncode}"
        raise DemoError(msg, output.read_text("utf-8", "replace"))
