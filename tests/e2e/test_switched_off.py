"""Switched off, the package is not there: the frontend's own behaviour, and no file of ours."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.archives import pack
from tests.e2e.torchserve import TorchServe

BROKEN = "def handle(data, context)\n"


@pytest.mark.parametrize(
    ("environ", "config", "model_config"),
    [
        ({"TS_RETRY_ENABLED": "false"}, {}, None),
        pytest.param({}, {"retry_enabled": "false"}, None, marks=pytest.mark.nightly),
        ({}, {}, "retry:\n  enabled: false\n"),
    ],
    ids=["environment", "config.properties", "model-config.yaml"],
)
def test_a_broken_model_is_retried_on_the_stock_schedule(
    tmp_path: Path, environ: dict[str, str], config: dict[str, str], model_config: str | None
) -> None:
    pack(tmp_path / "store", "broken", BROKEN, config=model_config)
    with TorchServe(tmp_path, {"broken": "broken.mar"}, environ=environ, config=config) as server:
        server.wait_for(lambda: len(server.retry_waits("broken")) >= 4, "four retries")
        assert server.retry_waits("broken")[:4] == [1, 1, 2, 3]
        assert "ts-retry" not in server.log()
        assert not server.state_dir.exists()
