"""Stands in for ``ts_retry_ext/worker/startup.py`` in the packages that the hook is tried with.

The file is copied into a package, so it runs on every supported Python and imports nothing of the tests.
"""

from __future__ import annotations

import os
import sys


class Outcast(BaseException):
    """An exception that no ``except Exception`` catches."""


class MuteError(Exception):
    """An exception that cannot be shown."""

    def __str__(self) -> str:
        raise ValueError("no text")


ERRORS = {
    error.__name__: error
    for error in (SystemExit, KeyboardInterrupt, GeneratorExit, RuntimeError, Outcast, MuteError)
}


def activate() -> None:
    """Say that the hook ran, then fail as ``PROBE_RAISES`` tells."""
    print("hook ran in", os.path.basename(sys.argv[0]), flush=True)
    error = os.environ.get("PROBE_RAISES")
    if error:
        raise ERRORS[error]("first line\nsecond line")
