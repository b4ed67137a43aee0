"""Configuration that every server of a pytest run has: `tests/conftest.py` fills it. Benches leave it empty."""

from __future__ import annotations

SERVER_DEFAULTS: dict[str, str] = {}
