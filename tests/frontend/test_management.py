from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

from tests.frontend.api import described, serving
from ts_retry_ext.frontend.management import (
    ManagementApi,
    ManagementError,
    management_api_of,
)
from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.running_model import RunningModel, Worker
from ts_retry_ext.frontend.server import Server


def server(folder: Path, **properties: str) -> Server:
    return Server(Frontend(1, "", 0.0, (), str(folder), {}), None, properties, "", ())


def test_models_of_all_pages_are_listed() -> None:
    pages = {
        "GET /models?limit=100&next_page_token=0": {
            "nextPageToken": "100",
            "models": [{"modelName": f"m{n:03}", "modelUrl": ""} for n in range(100)],
        },
        "GET /models?limit=100&next_page_token=100": {
            "models": [{"modelName": "m100", "modelUrl": ""}],
        },
    }
    with serving(pages) as api:
        names = ManagementApi(api.address).list_models()

    assert len(names) == 101
    assert names == sorted(names)


def test_page_that_points_to_itself_ends_the_list() -> None:
    with serving({"GET /models": {"nextPageToken": "0", "models": []}}) as api:
        assert ManagementApi(api.address).list_models() == []


def test_every_version_of_a_model_is_described_the_default_first() -> None:
    answers = {
        "GET /models/m": [described(version="2.0")],
        "GET /models/m/all": [described(version="1.0", workers=[]), described(version="2.0")],
    }
    with serving(answers) as api:
        latest, older = ManagementApi(api.address).describe("m")

    worker = Worker("9000", "READY", 77, "2026-01-01T00:00:00.000Z")
    assert latest == RunningModel("m", "2.0", "m.mar", 1, 2, (worker,), 300, True, True)
    assert worker.is_ready
    assert (older.version, older.is_default, older.workers) == ("1.0", False, ())


def test_torchserve_before_0_11_tells_no_window_and_a_process_that_is_not_there_no_pid() -> None:
    entry = described(workers=[{"id": "9001", "status": "UNLOADING", "pid": -1}])
    del entry["maxRetryTimeoutInSec"], entry["loadedAtStartup"]
    with serving({"GET /models/m": [entry], "GET /models/m/all": [entry]}) as api:
        (model,) = ManagementApi(api.address).describe("m")

    assert model.max_retry_timeout_sec is None
    assert model.workers == (Worker("9001", "UNLOADING", None, None),)


def test_name_of_a_model_is_quoted() -> None:
    with serving({}) as api, pytest.raises(ManagementError):
        ManagementApi(api.address).describe("a/b ?")

    assert api.asked == ["GET /models/a%2Fb%20%3F"]


def test_model_that_is_unregistered_meanwhile_is_left_out() -> None:
    answers = {
        "GET /models": {"models": [{"modelName": "gone"}, {"modelName": "m"}]},
        "GET /models/m": [described()],
        "GET /models/m/all": [described()],
    }
    with serving(answers) as api:
        assert [model.name for model in ManagementApi(api.address).describe_all()] == ["m"]


def test_scaling_names_version_numbers_and_whether_to_wait() -> None:
    with serving({"PUT /models/m/1.0": {"status": "Workers scaled to 0"}}) as api:
        said = ManagementApi(api.address).scale("m", "1.0", 0, 0, synchronous=True, timeout_sec=5)

    assert said == "Workers scaled to 0"
    assert api.asked == ["PUT /models/m/1.0?synchronous=true&min_worker=0&max_worker=0"]


def test_refusal_is_an_error_with_the_servers_words() -> None:
    refusal = {"code": 400, "type": "BadRequestException", "message": "max_worker cannot be less"}
    with serving({"PUT /models/m/1.0": (400, refusal)}) as api:
        management = ManagementApi(api.address)
        with pytest.raises(
            ManagementError, match=r"refuses PUT /models/m/1.0: max_worker cannot"
        ) as e:
            management.scale("m", "1.0", 2, 1, synchronous=False, timeout_sec=5)

    assert e.value.status == 400


@pytest.mark.parametrize("content", [b"<html>", [], {}, {"models": [{}]}, {"models": 5}, "text"])
def test_answer_in_another_form_is_an_error(content: Any) -> None:
    with serving({"GET /models": content}) as api, pytest.raises(
        ManagementError, match=r"not|no JSON"
    ):
        ManagementApi(api.address).list_models()


def test_server_that_does_not_answer_is_an_error_that_names_the_address() -> None:
    with pytest.raises(ManagementError, match=r"the management API at http://127.0.0.1:9 does not"):
        ManagementApi("http://127.0.0.1:9").list_models()


def test_version_of_torchserve_comes_from_its_api_description() -> None:
    with serving({"OPTIONS /": {"info": {"version": "0.12.0"}}}) as api:
        assert ManagementApi(api.address).torchserve_version() == "0.12.0"

    with serving({}) as api:
        assert ManagementApi(api.address).torchserve_version() is None


def keys(folder: Path, management: str, expires: float) -> str:
    instant = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(expires))
    entry = {"key": management, "expiration time": instant}
    path = folder / "key_file.json"
    path.write_text(json.dumps({"management": entry, "inference": entry, "API": {"key": "api"}}))
    return str(path)


def test_valid_key_is_sent(tmp_path: Path) -> None:
    key_file = keys(tmp_path, "valid", time.time() + 600)

    with serving({"GET /models": {"models": []}}) as api:
        ManagementApi(api.address, key_file).list_models()

    assert api.keys == ["Bearer valid"]


def test_expired_key_is_renewed_with_the_api_key(tmp_path: Path) -> None:
    key_file = keys(tmp_path, "old", time.time() - 60)

    def renew(_: str | None) -> bytes:
        keys(tmp_path, "new", time.time() + 600)
        return b""

    with serving({"GET /token": renew, "GET /models": {"models": []}}) as api:
        ManagementApi(api.address, key_file).list_models()

    assert api.asked[0] == "GET /token?type=management"
    assert api.keys == ["Bearer api", "Bearer new"]


def test_key_that_expires_on_the_way_is_renewed(tmp_path: Path) -> None:
    refusal = {"code": 400, "type": "InvalidKeyException", "message": "Token Authorization failed."}
    key_file = keys(tmp_path, "old", time.time() + 600)

    def models(key: str | None) -> Any:
        if key == "Bearer new":
            return {"models": []}
        keys(tmp_path, "new", time.time() + 600)
        return 400, refusal

    with serving({"GET /models": models}) as api:
        assert ManagementApi(api.address, key_file).list_models() == []

    assert api.keys == ["Bearer old", "Bearer new"]


def test_key_that_stays_refused_is_an_error(tmp_path: Path) -> None:
    refusal = {"code": 400, "type": "InvalidKeyException", "message": "Token Authorization failed."}
    key_file = keys(tmp_path, "wrong", time.time() + 600)

    with serving({"GET /models": (400, refusal)}) as api, pytest.raises(
        ManagementError, match="refuses GET /models: Token Authorization failed"
    ):
        ManagementApi(api.address, key_file).list_models()

    assert api.keys == ["Bearer wrong"]


def test_server_without_a_key_file_is_asked_without_a_key(tmp_path: Path) -> None:
    """TorchServe before 0.11.1 knows no tokens."""
    with serving({"GET /models": {"models": []}}) as api:
        assert ManagementApi(api.address, str(tmp_path / "key_file.json")).list_models() == []

    assert api.keys == [None]


def test_missing_key_file_is_named_where_the_server_asks_for_a_token(tmp_path: Path) -> None:
    refusal = {"code": 400, "type": "InvalidKeyException", "message": "Token Authorization failed."}
    path = str(tmp_path / "key_file.json")
    with serving({"GET /models": (400, refusal)}) as api, pytest.raises(
        ManagementError, match=f"Token Authorization failed.*its key file is not there: {path}"
    ):
        ManagementApi(api.address, path).list_models()


def test_api_of_a_server_takes_address_keys_and_certificate_from_it(tmp_path: Path) -> None:
    (tmp_path / "cert.pem").write_text("")
    properties = {"management_address": "https://0.0.0.0:8444", "certificate_file": "cert.pem"}

    found = management_api_of(server(tmp_path, **properties))

    assert found.address == "https://127.0.0.1:8444"
    assert found.key_file == str(tmp_path / "key_file.json")
    assert found.certificate_file == str(tmp_path / "cert.pem")


def test_unix_socket_is_an_error_that_says_so(tmp_path: Path) -> None:
    with pytest.raises(ManagementError, match="is a Unix socket"):
        management_api_of(server(tmp_path, management_address="unix:/tmp/m.sock"))


def test_runtime_and_gpu_of_a_worker_are_told() -> None:
    usage = "gpuId::2 utilization.gpu::80 % utilization.memory::70 % memory.used::5,120 MiB"
    worker = {"id": "9001", "status": "READY", "pid": 5, "gpu": True, "gpuUsage": usage}
    entry = described(runtime="LSP", workers=[worker])
    with serving({"GET /models/m": [entry], "GET /models/m/all": [entry]}) as api:
        (model,) = ManagementApi(api.address).describe("m")

    assert model.out_of_reach is not None
    assert [worker.label for worker in model.workers] == ["9001 (GPU 2)"]
    assert RunningModel("m", "1.0", "", 1, 1, (), None, True, True).out_of_reach is None


@pytest.mark.parametrize(
    ("socket", "expected"),
    [("/tmp/.ts.sock.9000", True), ("127.0.0.1:9000", True), ("/tmp/.ts.sock.19000", False)],
)
def test_worker_is_known_by_its_socket(socket: str, expected: bool) -> None:
    assert Worker("9000", "READY", 1, None).listens_at(socket) is expected
