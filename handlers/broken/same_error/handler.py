r"""Broken in a way that nobody but its author can judge. It fails alike each time, which gives it away.

    torch-model-archiver --model-name same_error --version 1.0 --export-path model_store \
        --handler handlers/broken/same_error/handler.py
"""

from __future__ import annotations

import os
import time
from typing import Any


class Handler:
    """Never gets to serve."""

    def initialize(self, context: Any) -> None:
        """Fail with a text whose numbers differ from load to load."""
        raise ValueError(f"calibration drifted in process {os.getpid()} at {time.time():.3f}")

    def handle(self, data: list[Any], context: Any) -> list[Any]:
        """Echo."""
        return data
