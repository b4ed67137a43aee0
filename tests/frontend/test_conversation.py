"""The same conversations through both clients, with a server on loopback that answers as it should."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.frontend.api import Api, described, serving
from tests.frontend.clients import Ask, both_clients
from ts_retry_ext.frontend import http as blocking_module
from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.running_model import RunningModel, RunningWorker
from ts_retry_ext.sidecar import client as aiohttp_module

pytestmark = both_clients
FUTURE, PAST = "2100-01-01T00:00:00Z", "2020-01-01T00:00:00Z"
TOKEN_REFUSED = (400, {"code": 400, "type": "InvalidKeyException",
                       "message": "Token Authorization failed. Token either incorrect, expired, or "
                                  "not provided correctly"})  # fmt: skip
NOT_ALLOWED = (405, {"code": 405, "type": "MethodNotAllowedException",
                     "message": "Requested method is not allowed"})  # fmt: skip


@pytest.fixture
def api() -> Iterator[Api]:
    with serving({}) as running:
        yield running


def list_models(client: Any) -> Any:
    return client.list_models()


def scale_to_0(client: Any, *, synchronous: bool) -> Any:
    return client.scale("m", "1.0", 0, 0, synchronous=synchronous)


def key_file(folder: Path, management: str, expires: str = FUTURE) -> str:
    """Write a key file as TorchServe does, in place, and return its path."""
    path = folder / "key_file.json"
    kinds = {
        kind: {"key": key, "expiration time": expires}
        for kind, key in (("management", management), ("inference", "inference-key"))
    }
    path.write_text(json.dumps({**kinds, "API": {"key": "api-key"}}))
    return str(path)


def test_models_come_from_as_many_pages_as_there_are(ask: Ask, api: Api) -> None:
    for token, (names, following) in {0: ("bad", 100), 100: ("cfe", 200), 200: ("b", None)}.items():
        content: dict[str, Any] = {"models": [{"modelName": name} for name in names]}
        if following:
            content["nextPageToken"] = str(following)
        api.answers[f"GET /models?limit=100&next_page_token={token}"] = content

    assert ask(Endpoint(api.address), list_models) == ["a", "b", "c", "d", "e", "f"]


@pytest.mark.parametrize(("following", "pages"), [("0", 1), ("5", 2)])
def test_page_that_points_to_itself_ends_the_list(
    ask: Ask, api: Api, following: str, pages: int
) -> None:
    api.answers["GET /models"] = {"nextPageToken": following, "models": [{"modelName": "a"}]}
    assert ask(Endpoint(api.address), list_models) == ["a"]
    assert len(api.asked) == pages


def test_every_version_of_a_model_is_described_the_default_first(ask: Ask, api: Api) -> None:
    api.answers["GET /models/m"] = [described(version="2.0")]
    api.answers["GET /models/m/all"] = [
        described(version="1.0", workers=[]),
        described(version="2.0"),
    ]
    latest, older = ask(Endpoint(api.address), lambda client: client.describe("m"))

    worker = RunningWorker("9000", "READY", 77, "2026-01-01T00:00:00.000Z")
    expected = RunningModel("m", "2.0", "m.mar", 1, 2, (worker,), 300, True, True)
    assert latest._replace(parameters=()) == expected
    assert worker.is_ready
    assert (older.version, older.is_default, older.workers) == ("1.0", False, ())


def test_only_a_model_with_several_versions_is_asked_for_its_default(ask: Ask, api: Api) -> None:
    api.answers["GET /models/m/all"] = [described()]
    (model,) = ask(Endpoint(api.address), lambda client: client.describe("m"))
    assert (model.is_default, api.asked) == (True, ["GET /models/m/all"])


def test_torchserve_before_0_11_tells_no_window_and_a_process_that_is_not_there_no_pid(
    ask: Ask, api: Api
) -> None:
    entry = described(workers=[{"id": "9001", "status": "UNLOADING", "pid": -1}])
    del entry["maxRetryTimeoutInSec"], entry["loadedAtStartup"]
    api.answers["GET /models/m/all"] = [entry]
    (model,) = ask(Endpoint(api.address), lambda client: client.describe("m"))

    assert model.max_retry_timeout_sec is None
    assert model.workers == (RunningWorker("9001", "UNLOADING", None, None),)


def test_runtime_and_gpu_of_a_worker_are_told(ask: Ask, api: Api) -> None:
    usage = "gpuId::2 utilization.gpu::80 % utilization.memory::70 % memory.used::5,120 MiB"
    worker = {"id": "9001", "status": "READY", "pid": 5, "gpu": True, "gpuUsage": usage}
    api.answers["GET /models/m/all"] = [described(runtime="LSP", workers=[worker])]
    (model,) = ask(Endpoint(api.address), lambda client: client.describe("m"))

    assert model.out_of_reach is not None
    assert [worker.label for worker in model.workers] == ["9001 (GPU 2)"]


def test_model_that_is_not_registered_has_no_versions(ask: Ask, api: Api) -> None:
    assert ask(Endpoint(api.address), lambda client: client.describe("gone")) == []


def test_name_with_odd_characters_is_asked_for_as_it_is(ask: Ask, api: Api) -> None:
    api.answers["GET /models/a%2Fb%20%27%C3%A9%3F/all"] = [described("a/b 'é?")]
    (model,) = ask(Endpoint(api.address), lambda client: client.describe("a/b 'é?"))
    assert model.name == "a/b 'é?"


def test_name_that_no_address_can_hold_is_of_no_model(ask: Ask, api: Api) -> None:
    assert ask(Endpoint(api.address), lambda client: client.describe("\ud800")) == []


def test_scaling_names_version_numbers_and_whether_to_wait(ask: Ask, api: Api) -> None:
    api.answers["PUT /models/m/1.0"] = {"status": "Workers scaled to 0"}
    for synchronous, shown in ((True, "true"), (False, "false")):
        scale = partial(scale_to_0, synchronous=synchronous)
        said = ask(Endpoint(api.address), scale)
        assert said == "Workers scaled to 0"
        query = f"synchronous={shown}&min_worker=0&max_worker=0"
        assert api.asked[-1] == f"PUT /models/m/1.0?{query}"


@pytest.mark.parametrize(
    ("content", "version"),
    [
        ({"info": {"version": "0.12.0"}}, "0.12.0"),
        ({"info": []}, None),
        (b"", None),
        ((404, {}), None),
    ],
)
def test_version_of_torchserve_comes_from_its_api_description(
    ask: Ask, api: Api, content: Any, version: str | None
) -> None:
    api.answers["OPTIONS /"] = content
    assert ask(Endpoint(api.address), lambda client: client.torchserve_version()) == version


@pytest.mark.parametrize(
    "answer", [{"status": "Unhealthy"}, (500, {"status": "Unhealthy"})], ids=["200", "500"]
)
def test_ping_is_what_the_server_says_whatever_the_status(ask: Ask, api: Api, answer: Any) -> None:
    api.answers["GET /ping"] = answer
    endpoint = Endpoint("http://127.0.0.1:9", api.address)
    assert ask(endpoint, lambda client: client.ping()) == "Unhealthy"


@pytest.mark.parametrize("inference", [None, "unix:/tmp/inference.sock"])
def test_ping_is_not_asked_without_an_address_for_it(ask: Ask, inference: str | None) -> None:
    assert ask(Endpoint("http://127.0.0.1:9", inference), lambda client: client.ping()) is None


def test_each_api_gets_its_own_key(ask: Ask, api: Api, tmp_path: Path) -> None:
    api.answers.update({"GET /models": {"models": []}, "GET /ping": {"status": "Healthy"}})
    endpoint = Endpoint(api.address, api.address, key_file(tmp_path, "valid"))
    ask(endpoint, list_models)
    ask(endpoint, lambda client: client.ping())
    assert api.keys == ["Bearer valid", "Bearer inference-key"]


def renewing(folder: Path, key: str = "new") -> Callable[[str | None], Any]:
    """Return what a server does that is asked for a new key with the right one."""

    def renew(presented: str | None) -> Any:
        if presented == "Bearer api-key":
            key_file(folder, key)
            return b" "
        return TOKEN_REFUSED

    return renew


def asking_for(key: str) -> Callable[[str | None], Any]:
    return lambda shown: {"models": []} if shown == f"Bearer {key}" else TOKEN_REFUSED


def test_expired_key_is_renewed_with_the_api_key(ask: Ask, api: Api, tmp_path: Path) -> None:
    path = key_file(tmp_path, "old", PAST)
    api.answers.update({"GET /token": renewing(tmp_path), "GET /models": asking_for("new")})

    assert ask(Endpoint(api.address, None, path), list_models) == []
    assert api.asked[0] == "GET /token?type=management"
    assert api.keys == ["Bearer api-key", "Bearer new"]


def test_key_is_left_as_it_is_where_the_setting_forbids_to_renew_it(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    path = key_file(tmp_path, "old", PAST)
    endpoint = Endpoint(api.address, None, path, renews_keys=False)
    with pytest.raises(ManagementError, match="retry_renew_keys is false: ask for http") as e:
        ask(endpoint, list_models)
    assert e.value.condition is Condition.EXPIRED_KEY
    assert api.asked == []


def test_expired_inference_key_is_renewed_by_the_management_api(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    path = key_file(tmp_path, "old", PAST)
    api.answers.update({"GET /token": renewing(tmp_path), "GET /ping": {"status": "Healthy"}})
    with serving({"GET /ping": {"status": "Healthy"}}) as inference:
        endpoint = Endpoint(api.address, inference.address, path)
        assert ask(endpoint, lambda client: client.ping()) == "Healthy"
    assert api.asked == ["GET /token?type=inference"]


@pytest.mark.parametrize("status", [400, 401, 403])
def test_key_that_is_refused_before_its_time_is_renewed(
    ask: Ask, api: Api, tmp_path: Path, status: int
) -> None:
    """The clock of another machine, or a server that was started anew in the same folder."""
    path = key_file(tmp_path, "old")
    refusal = (status, TOKEN_REFUSED[1])
    api.answers["GET /token"] = renewing(tmp_path)
    api.answers["GET /models"] = lambda key: {"models": []} if key == "Bearer new" else refusal

    assert ask(Endpoint(api.address, None, path), list_models) == []
    assert api.keys == ["Bearer old", "Bearer api-key", "Bearer new"]


def test_key_that_somebody_else_renews_on_the_way_is_read_again(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    path = key_file(tmp_path, "old")

    def models(key: str | None) -> Any:
        if key == "Bearer old":
            key_file(tmp_path, "newer")
        return asking_for("newer")(key)

    api.answers["GET /models"] = models
    assert ask(Endpoint(api.address, None, path), list_models) == []
    assert api.keys == ["Bearer old", "Bearer newer"]


def test_key_that_stays_refused_is_an_error_after_one_renewal(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    path = key_file(tmp_path, "wrong")
    api.answers.update({"GET /models": TOKEN_REFUSED, "GET /token": TOKEN_REFUSED})
    with pytest.raises(
        ManagementError, match="refuses GET /models: Token Authorization failed"
    ) as e:
        ask(Endpoint(api.address, None, path), list_models)

    assert (e.value.condition, e.value.status) == (Condition.REFUSED, 400)
    assert api.asked == ["GET /models?limit=100&next_page_token=0", "GET /token?type=management"]


def test_server_that_never_likes_its_new_keys_is_not_asked_for_ever(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    path, made = key_file(tmp_path, "key-0"), []

    def renew(_: str | None) -> Any:
        made.append(1)
        key_file(tmp_path, f"key-{len(made)}")
        return b" "

    api.answers.update({"GET /models": TOKEN_REFUSED, "GET /token": renew})
    with pytest.raises(ManagementError):
        ask(Endpoint(api.address, None, path), list_models)
    assert len(made) == 2


def test_expired_key_that_the_server_does_not_renew_is_a_condition_of_its_own(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    path = key_file(tmp_path, "old", PAST)
    with pytest.raises(ManagementError, match=f"key in {path} has expired, and the server") as e:
        ask(Endpoint(api.address, None, path), list_models)
    assert e.value.condition is Condition.EXPIRED_KEY


def test_expired_key_without_an_api_key_cannot_be_renewed(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    path = tmp_path / "key_file.json"
    path.write_text(json.dumps({"management": {"key": "old", "expiration time": PAST}}))
    with pytest.raises(ManagementError, match="holds no API key") as e:
        ask(Endpoint(api.address, None, str(path)), list_models)
    assert e.value.condition is Condition.EXPIRED_KEY


@pytest.mark.parametrize("content", ["", "[]", '{"management": {"key": "a b"}}'])
def test_key_file_without_a_key_is_an_error_that_names_it(
    ask: Ask, api: Api, tmp_path: Path, content: str
) -> None:
    path = tmp_path / "key_file.json"
    path.write_text(content)
    with pytest.raises(ManagementError, match=f"asks for a token: {path} holds no") as e:
        ask(Endpoint(api.address, None, str(path)), list_models)
    assert (e.value.condition, api.asked) == (Condition.REFUSED, [])


def test_key_file_that_is_being_written_is_looked_at_again(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    path = tmp_path / "key_file.json"
    path.write_text("")
    api.answers["GET /models"] = {"models": []}
    timer = threading.Timer(0.015, key_file, (tmp_path, "whole"))
    timer.start()
    assert ask(Endpoint(api.address, None, str(path)), list_models) == []
    timer.join()
    assert api.keys == ["Bearer whole"]


def test_server_without_a_key_file_is_asked_without_a_key(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    """TorchServe before 0.11.1 knows no tokens."""
    api.answers["GET /models"] = {"models": []}
    path = str(tmp_path / "key_file.json")
    assert ask(Endpoint(api.address, None, path), list_models) == []
    assert api.keys == [None]


@pytest.mark.parametrize(
    ("kept", "told"),
    [("{folder}/key_file.json", "its key file is not there: {folder}"), (None, "says it does not")],
)
def test_missing_key_is_named_where_the_server_asks_for_one(
    ask: Ask, api: Api, tmp_path: Path, kept: str | None, told: str
) -> None:
    api.answers["GET /models"] = TOKEN_REFUSED
    path = kept and kept.format(folder=tmp_path)
    with pytest.raises(ManagementError, match=told.format(folder=tmp_path)) as e:
        ask(Endpoint(api.address, None, path), list_models)
    assert e.value.condition is Condition.REFUSED


def test_refusal_is_an_error_with_the_servers_words(ask: Ask, api: Api) -> None:
    refusal = {"code": 400, "type": "BadRequestException", "message": "max_worker cannot be less"}
    api.answers["PUT /models/m/1.0"] = (400, refusal)
    with pytest.raises(ManagementError) as e:
        ask(Endpoint(api.address), lambda client: client.scale("m", "1.0", 2, 1, synchronous=False))

    words = (
        f"the management API at {api.address} refuses PUT /models/m/1.0: max_worker cannot be less"
    )
    assert (str(e.value), e.value.status) == (words, 400)
    assert e.value.condition is Condition.GARBAGE


def test_403_with_words_of_the_frontends_is_no_trouble_with_the_key(
    ask: Ask, api: Api, tmp_path: Path
) -> None:
    words = "Cannot remove default version for model m"
    refusal = {"code": 403, "type": "InvalidModelVersionException", "message": words}
    api.answers["PUT /models/m/1.0"] = (403, refusal)
    endpoint = Endpoint(api.address, None, key_file(tmp_path, "valid"))
    with pytest.raises(ManagementError, match="Cannot remove default version for model m$") as e:
        ask(endpoint, partial(scale_to_0, synchronous=True))
    assert (e.value.condition, e.value.status) == (Condition.GARBAGE, 403)
    assert len(api.asked) == 1


def test_model_api_that_is_off_is_named_with_what_switches_it_on(ask: Ask, api: Api) -> None:
    api.answers["PUT /models/m/1.0"] = NOT_ALLOWED
    with pytest.raises(ManagementError, match="not allowed; .* enable_model_api=true") as e:
        ask(Endpoint(api.address), partial(scale_to_0, synchronous=True))
    assert e.value.status == 405


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        ((401, {"message": "no"}), Condition.REFUSED),
        ((403, b"<html>"), Condition.REFUSED),
        ((403, {"message": "Token Authorization failed."}), Condition.REFUSED),
        ((403, {"message": "Cannot remove default version"}), Condition.GARBAGE),
        ((400, {"message": "Token Authorization failed."}), Condition.REFUSED),
        ((400, {"message": "limit?"}), Condition.GARBAGE),
        ((500, {"message": "no"}), Condition.GARBAGE),
        ((302, {}), Condition.GARBAGE),
        (b"\xff\xfe", Condition.GARBAGE),
        (b"[" * 100_000, Condition.GARBAGE),
        (b"<html>", Condition.GARBAGE),
        ([], Condition.GARBAGE),
        ({}, Condition.GARBAGE),
        ("text", Condition.GARBAGE),
        ({"models": 5}, Condition.GARBAGE),
        ({"models": [{}]}, Condition.GARBAGE),
        ({"models": [], "nextPageToken": float("inf")}, Condition.GARBAGE),
        (None, Condition.GARBAGE),
    ],
)
def test_other_answers_are_named(ask: Ask, api: Api, answer: Any, condition: Condition) -> None:
    api.answers["GET /models"] = answer
    with pytest.raises(ManagementError) as caught:
        ask(Endpoint(api.address), list_models)
    assert caught.value.condition is condition


@pytest.mark.parametrize(
    "entry",
    [
        {},
        {"modelVersion": "1.0"},
        5,
        described(workers=[5]),
        described(minWorkers=float("inf")),
        described(maxRetryTimeoutInSec=1 << 70),
    ],
)
def test_description_in_another_form_is_an_error(ask: Ask, api: Api, entry: Any) -> None:
    api.answers["GET /models/m/all"] = [entry]
    with pytest.raises(ManagementError, match="not a description of m"):
        ask(Endpoint(api.address), lambda client: client.describe("m"))


def test_nobody_there_is_away(ask: Ask) -> None:
    with serving({}) as api:
        pass
    told = f"the management API at {api.address} does not answer: Connection refused"
    with pytest.raises(ManagementError, match=re.escape(told)) as caught:
        ask(Endpoint(api.address), list_models)
    assert caught.value.condition is Condition.AWAY


def test_silence_is_away_after_the_time_that_was_given(ask: Ask) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        begun = time.monotonic()
        with pytest.raises(ManagementError, match="did not answer within 0.3 s") as caught:
            ask(
                Endpoint(address),
                lambda client: client.scale("m", "1", 1, 1, synchronous=True, timeout_sec=0.3),
            )
    assert caught.value.condition is Condition.AWAY
    assert time.monotonic() - begun < 5


@pytest.mark.parametrize("said", [b"SSH-2.0-OpenSSH_9.6\r\n", b"HTTP/1.1 what OK\r\n\r\n"])
def test_something_that_does_not_speak_http_is_garbage(ask: Ask, said: bytes) -> None:
    def answer() -> None:
        with listener.accept()[0] as connection:
            connection.sendall(said)
            connection.recv(10_000)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(ManagementError, match="that is not HTTP") as caught:
            ask(Endpoint(f"http://127.0.0.1:{listener.getsockname()[1]}"), list_models)
        thread.join()
    assert caught.value.condition is Condition.GARBAGE


def test_too_long_an_answer_is_refused(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (blocking_module, aiohttp_module):
        monkeypatch.setattr(module, "MAX_ANSWER_BYTES", 10)
    with serving({"GET /models": b"x" * 11}) as api, pytest.raises(
        ManagementError, match="more than 10 bytes"
    ) as caught:
        ask(Endpoint(api.address), list_models)
    assert caught.value.condition is Condition.GARBAGE
