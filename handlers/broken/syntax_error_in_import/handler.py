r"""Broken: this file is sound, but a module that it imports is not.

    torch-model-archiver --model-name syntax_error_in_import --version 1.0 --export-path model_store \
        --handler handlers/broken/syntax_error_in_import/handler.py \
        --extra-files handlers/broken/syntax_error_in_import/scaling.py
"""

from __future__ import annotations

from typing import Any

from scaling import scaled


class Handler:
    """Would scale the length of every request."""

    def initialize(self, context: Any) -> None:
        """Need nothing."""

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[float]:
        """Return the scaled lengths."""
        return [scaled(len(row.get("data") or row.get("body") or b"")) for row in data]
