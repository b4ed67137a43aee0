"""Both clients against a real TorchServe whose keys expire after three seconds and whose model API is off."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Iterator

import pytest

from tests.e2e.archives import SOUND, pack
from tests.e2e.torchserve import VERSION, TorchServe
from tests.frontend.clients import Ask, ask_with_aiohttp, both_clients
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.frontend.restart import restart_workers
from ts_retry_ext.store.retired import read_retired

pytestmark = pytest.mark.skipif(VERSION < (0, 12), reason="0.12 asks for keys by itself")
EXPIRY_SEC = 3
CONFIG = """
    minWorkers: 2
    maxWorkers: 3
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    made = TorchServe(
        tmp_path_factory.mktemp("keys"),
        config={
            "disable_token_authorization": "false",
            "token_expiration_min": str(EXPIRY_SEC / 60),
            "enable_model_api": "false",
        },
    )
    made.store.mkdir()
    made.models = {"sound": pack(made.store, "sound", SOUND, config=CONFIG)}
    with made:
        yield made


@pytest.fixture
def endpoint(server: TorchServe) -> Endpoint:
    """The server, after its keys have expired."""
    time.sleep(EXPIRY_SEC + 0.2)
    return Endpoint(server.management, server.inference, str(server.cwd / "key_file.json"))


@both_clients
def test_expired_keys_are_renewed(ask: Ask, endpoint: Endpoint) -> None:
    assert ask(endpoint, lambda client: client.list_models()) == ["sound"]
    assert ask(endpoint, lambda client: client.ping()) == "Healthy"
    assert ask(endpoint, lambda client: client.torchserve_version())
    assert ask(endpoint, lambda client: client.describe("gone")) == []


@both_clients
def test_key_that_is_refused_before_its_time_is_renewed(ask: Ask, endpoint: Endpoint) -> None:
    path = Path(str(endpoint.key_file))
    content = json.loads(path.read_text())
    content["management"] = {"key": "spoilt00", "expiration time": "2100-01-01T00:00:00Z"}
    path.write_text(json.dumps(content))
    assert ask(endpoint, lambda client: client.list_models()) == ["sound"]


def test_many_questions_at_once_with_an_expired_key_renew_it_once(
    server: TorchServe, endpoint: Endpoint
) -> None:
    """Each renewal spoils the key before it, which others may be asking with."""
    access_log = server.cwd / "logs" / "access_log.log"
    renewals = access_log.read_text().count("GET /token?type=management")
    names = ["sound", *(f"gone{number}" for number in range(40))]
    found = ask_with_aiohttp(endpoint, lambda client: client.describe_many(names))
    assert [name for name in names if found[name]] == ["sound"]
    assert access_log.read_text().count("GET /token?type=management") == renewals + 1


def test_model_api_that_is_off_is_named(endpoint: Endpoint) -> None:
    with pytest.raises(ManagementError, match="enable_model_api=true") as caught:
        ManagementApi(endpoint).unregister("sound", "1.0")
    assert caught.value.status == 405


def test_workers_are_restarted_with_their_own_numbers_by_an_expired_key(
    server: TorchServe, endpoint: Endpoint, tmp_path: Path
) -> None:
    api = ManagementApi(endpoint)

    def ready() -> set[int | None]:
        (model,) = api.describe("sound")
        assert (model.min_workers, model.max_workers) in ((2, 3), (0, 0))
        return {worker.pid for worker in model.workers if worker.is_ready}

    server.wait_for(lambda: len(ready()) == 2, "both workers serve", 60)
    before = ready()
    restart_workers(api, "sound", "1.0", 2, 3, directory=str(tmp_path))
    server.wait_for(lambda: len(ready()) == 2, "both workers serve again", 60)

    assert not before & ready()
    assert read_retired(str(tmp_path)) is None


def test_model_api_that_is_off_is_known_before_anything_is_registered(endpoint: Endpoint) -> None:
    assert not ManagementApi(endpoint).takes_registrations()
