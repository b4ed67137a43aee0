r"""Broken: a library ends the process without an exception, so that no traceback is left anywhere.

    torch-model-archiver --model-name os_exit --version 1.0 --export-path model_store \
        --handler handlers/broken/os_exit/handler.py
"""

from __future__ import annotations

import os
from typing import Any


class Handler:
    """Never gets to serve."""

    def initialize(self, context: Any) -> None:
        """Give up, the way some native libraries do."""
        os._exit(7)

    def handle(self, data: list[Any], context: Any) -> list[Any]:
        """Echo."""
        return data
