"""Run this process's command again in its place, so that it keeps nothing that it has imported."""

from __future__ import annotations

import os
import sys


def start_over() -> None:
    """Run this interpreter's command again, in this very process.

    What the judge imported stays in memory for as long as a holder holds; an interpreter that
    starts over with the marker in place never imports it.

    Raises:
        OSError: the interpreter cannot be run.
    """
    flags = getattr(sys, "orig_argv", [sys.executable, *sys.argv])[1:]
    os.execv(sys.executable, [sys.executable, *flags])
