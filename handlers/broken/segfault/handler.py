r"""Broken: the process dies of a segmentation fault, as with a native extension built for another ABI.

    torch-model-archiver --model-name segfault --version 1.0 --export-path model_store \
        --handler handlers/broken/segfault/handler.py
"""

from __future__ import annotations

import ctypes
from typing import Any


class Handler:
    """Never gets to serve."""

    def initialize(self, context: Any) -> None:
        """Read from address 0."""
        ctypes.string_at(0)

    def handle(self, data: list[Any], context: Any) -> list[Any]:
        """Echo."""
        return data
