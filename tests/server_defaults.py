"""What every server of a pytest run has: `tests/conftest.py` fills it. Benches leave it empty."""

from __future__ import annotations

#: Lines of ``config.properties``.
SERVER_DEFAULTS: dict[str, str] = {}
#: Folders on the PYTHONPATH of a server and its workers.
SERVER_PATH: list[str] = []
