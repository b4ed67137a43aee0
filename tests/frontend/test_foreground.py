from __future__ import annotations

import pytest

from ts_retry_ext.frontend.foreground import launcher_options

START = ["--start", "--foreground", "--model-store", "store"]


@pytest.mark.parametrize(
    "words",
    [
        ["--", "torchserve", *START],
        ["torchserve", *START],
        ["--", "/opt/venv/bin/torchserve", *START],
        ["--", "python", "-m", "ts.model_server", *START],
    ],
)
def test_every_way_to_start_torchserve_is_understood(words: list[str]) -> None:
    assert launcher_options(words) == START
