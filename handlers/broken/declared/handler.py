r"""Broken, and says so itself: NonRecoverableError stops the retries at once, whatever the rules know.

    torch-model-archiver --model-name declared --version 1.0 --export-path model_store \
        --handler handlers/broken/declared/handler.py
"""

from __future__ import annotations

from typing import Any

from ts_retry_ext import NonRecoverableError


class Handler:
    """Never gets to serve."""

    def initialize(self, context: Any) -> None:
        """Refuse to serve after the end of the license."""
        raise NonRecoverableError(
            "the license for this model ended on 2026-06-30",
            remedy="pack the archive with a license file that is valid",
        )

    def handle(self, data: list[Any], context: Any) -> list[Any]:
        """Echo."""
        return data
