"""Find the Java that TorchServe starts its frontend with."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from typing import Mapping

#: The oldest with what 0.12.0's frontend calls (``Files.readString``); its documentation asks for 17.
MINIMUM = 11
TIMEOUT_SEC = 60.0


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
