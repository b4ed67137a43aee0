"""How much is tried: a sample in every run of the tests, everything with ``FAULTS=long``."""

from __future__ import annotations

import os

LONG = os.environ.get("FAULTS") == "long"


def examples(short: int, long: int) -> int:
    """Return how often something is tried."""
    return long if LONG else short
