from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any, Awaitable, Callable, Iterator, TypeVar

import pytest

from tests.frontend.api import Api, described, serving
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.sidecar.client import Client
from ts_retry_ext.sidecar.condition import Condition, FrontendError

T = TypeVar("T")
FUTURE, PAST = "2100-01-01T00:00:00Z", "2020-01-01T00:00:00Z"


@pytest.fixture
def api() -> Iterator[Api]:
    with serving({}) as running:
        yield running


def ask(api: Api, question: Callable[[Client], Awaitable[T]], key_file: Path | None = None) -> T:
    """Ask with a client of its own."""

    async def run() -> T:
        keys = str(key_file) if key_file else None
        client = Client(ManagementApi(api.address, keys), api.address)
        try:
            return await question(client)
        finally:
            await client.close()

    return asyncio.run(run())


def keys(folder: Path, expires: str) -> Path:
    path = folder / "key_file.json"
    content = {
        name: {"key": f"{name}-key", "expiration time": expires}
        for name in ("management", "inference")
    }
    path.write_text(json.dumps({**content, "API": {"key": "api-key"}}))
    return path


def test_models_come_from_as_many_pages_as_there_are(api: Api) -> None:
    pages = {0: ("a", "b", 100), 100: ("c", "d", 200), 200: ("e", "f", None)}
    for token, (one, two, following) in pages.items():
        content: dict[str, Any] = {"models": [{"modelName": one}, {"modelName": two}]}
        if following:
            content["nextPageToken"] = str(following)
        api.answers[f"GET /models?limit=100&next_page_token={token}"] = content
    assert ask(api, lambda client: client.list_models()) == ["a", "b", "c", "d", "e", "f"]


def test_page_that_names_itself_as_the_next_ends_the_list(api: Api) -> None:
    api.answers["GET /models"] = {"models": [{"modelName": "a"}], "nextPageToken": "5"}
    assert ask(api, lambda client: client.list_models()) == ["a"]
    assert len(api.asked) == 2


def test_only_a_model_with_several_versions_is_asked_for_its_default(api: Api) -> None:
    one, two = described("m", "1.0"), described("m", "2.0")
    api.answers.update({"GET /models/m/all": [one, two], "GET /models/m": [two]})
    api.answers["GET /models/n/all"] = [described("n")]
    found = ask(api, lambda client: client.describe_many(["m", "n"]))
    assert [(m.version, m.is_default) for m in found["m"]] == [("1.0", False), ("2.0", True)]
    assert found["n"][0].is_default
    assert "GET /models/n" not in api.asked


def test_model_that_is_unregistered_meanwhile_is_left_out(api: Api) -> None:
    assert ask(api, lambda client: client.describe("gone")) == []


def test_name_with_odd_characters_is_asked_for_as_it_is(api: Api) -> None:
    api.answers["GET /models/a%2Fb%20c/all"] = [described("a/b c")]
    assert ask(api, lambda client: client.describe("a/b c"))[0].name == "a/b c"


def test_key_is_sent(api: Api, tmp_path: Path) -> None:
    api.answers["GET /models"] = {"models": []}
    api.answers["GET /ping"] = {"status": "Healthy"}
    path = keys(tmp_path, FUTURE)

    async def both(client: Client) -> str | None:
        await client.list_models()
        return await client.ping()

    assert ask(api, both, path) == "Healthy"
    assert api.keys == ["Bearer management-key", "Bearer inference-key"]


def test_expired_key_is_renewed(api: Api, tmp_path: Path) -> None:
    path = keys(tmp_path, PAST)

    def renew(key: str | None) -> Any:
        assert key == "Bearer api-key"
        keys(tmp_path, FUTURE)
        return {"status": "Token Authorization is enabled"}

    api.answers["GET /token"] = renew
    api.answers["GET /models"] = {"models": [{"modelName": "m"}]}
    assert ask(api, lambda client: client.list_models(), path) == ["m"]


def test_server_without_a_key_file_is_asked_without_a_key(api: Api, tmp_path: Path) -> None:
    api.answers["GET /models"] = {"models": []}
    path = tmp_path / "key_file.json"
    assert ask(api, lambda client: client.list_models(), path) == []
    assert api.keys == [None]
    api.answers["GET /models"] = (400, {"message": "Token Authorization failed."})
    with pytest.raises(FrontendError, match=f"its key file is not there: {path}") as caught:
        ask(api, lambda client: client.list_models(), path)
    assert caught.value.condition is Condition.REFUSED


@pytest.mark.parametrize(
    ("answer", "condition"),
    [
        ((401, {"message": "no"}), Condition.REFUSED),
        ((403, b"<html>"), Condition.REFUSED),
        ((400, {"message": "Token Authorization failed."}), Condition.REFUSED),
        ((500, {"message": "no"}), Condition.GARBAGE),
        ((302, {}), Condition.GARBAGE),
        (b"\xff\xfe", Condition.GARBAGE),
        (None, Condition.GARBAGE),
        ({"models": [{}]}, Condition.GARBAGE),
    ],
)
def test_other_answers_are_named(api: Api, answer: Any, condition: Condition) -> None:
    api.answers["GET /models"] = answer
    with pytest.raises(FrontendError) as caught:
        ask(api, lambda client: client.list_models())
    assert caught.value.condition is condition


def test_nobody_there_is_away() -> None:
    with serving({}) as api:
        pass
    with pytest.raises(FrontendError, match="Connection refused") as caught:
        ask(api, lambda client: client.list_models())
    assert caught.value.condition is Condition.AWAY


def test_inference_address_that_is_a_unix_socket_is_not_asked() -> None:
    client = Client(ManagementApi("http://127.0.0.1:9"), "unix:/tmp/inference.sock")
    assert asyncio.run(client.ping()) is None
