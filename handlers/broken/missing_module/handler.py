r"""Broken: the handler needs a module that is neither in the archive nor installed.

    torch-model-archiver --model-name missing_module --version 1.0 --export-path model_store \
        --handler handlers/broken/missing_module/handler.py
"""

from __future__ import annotations

from typing import Any

from acme_feature_store_client import FeatureStore


class Handler:
    """Would look features up."""

    def initialize(self, context: Any) -> None:
        """Connect to the store."""
        self.store = FeatureStore()

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[Any]:
        """Return the features of each key."""
        return [self.store.get(row.get("data") or row.get("body")) for row in data]
