"""The programs that a server is made of: the Python interpreter of its workers, and its frontend's Java.

The interpreter need not be the one this runs in: the frontend starts workers with the one that
started TorchServe (``--python``, 0.12.0 ``ts/model_server.py``).
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from typing import Mapping

TIMEOUT_SEC = 60.0
#: The oldest Java with what 0.12.0's frontend calls (``Files.readString``); its documentation asks for 17.
OLDEST_JAVA = 11
HOOK_FILE = "ts_retry_ext.pth"
WORKER_SCRIPT = "model_service_worker.py"

# Runs under the name of the worker script, so that the start-up hook takes it for a worker. Nothing
# of TorchServe or torch is imported: distributions are looked up by their metadata.
_PROBE = """
import json, os, site, sys
try:
    from importlib import metadata
except ImportError:
    metadata = None
def version(name):
    try:
        return metadata.version(name)
    except Exception:
        return None
def found(name):
    from importlib.util import find_spec
    try:
        return find_spec(name) is not None
    except Exception:
        return False
folders = []
for folder in [*site.getsitepackages(), site.getusersitepackages(), *sys.path]:
    if folder not in folders:
        folders.append(folder)
hooks = [os.path.join(f, {hook!r}) for f in folders if os.path.isfile(os.path.join(f, {hook!r}))]
answer = dict(
    executable=sys.executable,
    python=".".join(map(str, sys.version_info[:3])),
    hooks=hooks,
    hook_ran="ts_retry_ext.worker.startup" in sys.modules,
    hook_failed=bool(getattr(sys, "_ts_retry_ext_failed", False)),
    versions=dict((n, version(n)) for n in {distributions!r}),
    modules=dict((n, found(n)) for n in {modules!r}),
)
sys.stdout.write("\\n" + {mark!r} + json.dumps(answer) + "\\n")
"""
_MARK = "ts-retry-probe "
DISTRIBUTIONS = ("ts-retry-ext", "torchserve", "torch", "pyyaml")
MODULES = ("ts_retry_ext", "ts", "torch", "yaml")


class ProbeError(Exception):
    """An interpreter cannot be asked. The message names it."""


@dataclass(frozen=True)
class Interpreter:
    """What was found.

    Attributes:
        hooks: paths of the hook's ``.pth`` files that lie where Python may look for them.
        hook_ran: whether the hook ran in a process with the name of a worker script.
        versions: version of each of `DISTRIBUTIONS`, None where it is not installed.
        modules: whether each of `MODULES` can be imported.
        said: what the interpreter wrote on stderr.
    """

    executable: str
    python: str
    hooks: tuple[str, ...]
    hook_ran: bool
    versions: dict[str, str | None]
    modules: dict[str, bool]
    said: str


def probe(executable: str, environ: Mapping[str, str]) -> Interpreter:
    """Run `executable` under the name of a worker script, and return what it tells.

    Args:
        environ: the environment to run it in, such as that of a server.

    Raises:
        ProbeError: it does not start, does not end, or says something else.
    """
    source = _PROBE.format(hook=HOOK_FILE, distributions=DISTRIBUTIONS, modules=MODULES, mark=_MARK)
    with tempfile.TemporaryDirectory(prefix="ts-retry-") as folder:
        script = os.path.join(folder, WORKER_SCRIPT)
        with open(script, "w", encoding="utf-8") as stream:
            stream.write(source)
        try:
            done = subprocess.run(
                [executable, script],
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=TIMEOUT_SEC,
                check=False,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            msg = f"cannot run {executable}: {error}"
            raise ProbeError(msg) from error
    said = done.stderr.decode("utf-8", "replace").strip()
    lines = done.stdout.decode("utf-8", "replace").splitlines()
    answers = [line[len(_MARK) :] for line in lines if line.startswith(_MARK)]
    if not answers:
        msg = f"{executable} ends with status {done.returncode}: {said[-300:]}"
        raise ProbeError(msg)
    found = json.loads(answers[-1])
    return Interpreter(
        executable=found["executable"],
        python=found["python"],
        hooks=tuple(found["hooks"]),
        hook_ran=found["hook_ran"] and not found["hook_failed"],
        versions=found["versions"],
        modules=found["modules"],
        said=said,
    )


class JavaError(Exception):
    """There is no Java, or it does not run."""


@dataclass(frozen=True)
class Java:
    """A Java runtime.

    Attributes:
        major: the first number of it; 8 for ``1.8``.
    """

    executable: str
    version: str
    major: int


def find_java(environ: Mapping[str, str]) -> Java:
    """Return the Java that ``torchserve --start`` runs in an environment.

    As 0.12.0 ``ts/model_server.py``: ``$JAVA_HOME/bin/java``, else ``java`` on the path.

    Raises:
        JavaError: there is none, or it does not report its version.
    """
    home = environ.get("JAVA_HOME")
    named = os.path.join(home, "bin", "java") if home else "java"
    executable = shutil.which(named, path=environ.get("PATH"))
    if executable is None:
        where = f"JAVA_HOME is {home}, which has no bin/java" if home else "no java on the PATH"
        raise JavaError(where)
    try:
        done = subprocess.run(
            [executable, "-version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=TIMEOUT_SEC,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        msg = f"{executable} does not run: {error}"
        raise JavaError(msg) from error
    text = done.stdout.decode("utf-8", "replace")
    match = re.search(r'version "((?:1\.)?(\d+)[^"]*)"', text)
    if match is None:
        msg = f"{executable} does not report its version: {text.strip()[:200]}"
        raise JavaError(msg)
    return Java(executable, match[1], int(match[2]))
