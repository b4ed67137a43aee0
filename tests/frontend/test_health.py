from __future__ import annotations

from pathlib import Path

import pytest

from tests.frontend.api import serving
from ts_retry_ext.frontend.health import ping
from ts_retry_ext.frontend.management import ManagementError
from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.server import Server


def server(folder: Path, address: str) -> Server:
    properties = {"disable_token_authorization": "true", "inference_address": address}
    return Server(Frontend(1, "", 0.0, (), str(folder), {}), None, properties, "", ())


@pytest.mark.parametrize(("status", "word"), [(200, "Healthy"), (500, "Unhealthy")])
def test_ping_tells_what_the_inference_address_says(status: int, word: str, tmp_path: Path) -> None:
    with serving({"GET /ping": (status, {"status": word})}) as api:
        assert ping(server(tmp_path, api.address)) == word


def test_ping_that_is_refused_is_an_error(tmp_path: Path) -> None:
    refusal = {"code": 400, "type": "InvalidKeyException", "message": "Token Authorization failed."}
    with serving({"GET /ping": (400, refusal)}) as api, pytest.raises(ManagementError) as caught:
        ping(server(tmp_path, api.address))

    assert "answers 400: Token Authorization failed." in str(caught.value)
