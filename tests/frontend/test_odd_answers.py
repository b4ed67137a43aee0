"""Whatever comes in place of an answer of TorchServe's, both clients say so in one line, in time."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any, Callable, Iterator

import pytest

from tests.faults.odd_answers import (
    DESCRIPTIONS,
    ELSEWHERE,
    LISTS,
    NETWORK,
    SECRET,
    SLOW,
    TOLERATED,
    raw,
)
from tests.frontend.api import Api, described, serving
from tests.frontend.clients import Ask, ask_blocking, ask_with_aiohttp, both_clients
from ts_retry_ext.frontend import management as blocking_module
from ts_retry_ext.frontend.asking import Asking
from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.conversation import MOST_PAGES, Conversations
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.exchange import HttpAnswer
from ts_retry_ext.sidecar import client as aiohttp_module

#: For each question by its words how it is asked, and what comes of an answer that fits.
BOTH_ASK: dict[str, Callable[[Any], Any]] = {
    "GET /models": lambda client: client.list_models(),
    "GET /models/m/all": lambda client: client.describe("m"),
    "PUT /models/m/1.0": lambda client: client.scale("m", "1.0", 0, 0, synchronous=True),
}
ONE_ASKS: dict[str, Callable[[Any], Any]] = {
    "POST /models": lambda client: client.register("m.mar", initial_workers=1),
    "PUT /models/m/2/set-default": lambda client: client.set_default("m", "2"),
    "DELETE /models/m/1.0": lambda client: client.unregister("m", "1.0"),
    "POST /models ": lambda client: client.takes_registrations(),
}
QUESTIONS = [
    *((ask_blocking, asked, put) for asked, put in {**BOTH_ASK, **ONE_ASKS}.items()),
    *((ask_with_aiohttp, asked, put) for asked, put in BOTH_ASK.items()),
]
every_question = pytest.mark.parametrize(
    ("ask", "asked", "put"), QUESTIONS, ids=[f"{a.__name__}-{words}" for a, words, _ in QUESTIONS]
)
LIMIT_SEC = 0.4


@pytest.fixture
def api() -> Iterator[Api]:
    with serving({}) as running:
        yield running


@pytest.fixture
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(aiohttp_module, "TIMEOUT_SEC", LIMIT_SEC)
    monkeypatch.setattr(blocking_module.ManagementApi.__init__, "__defaults__", (LIMIT_SEC,))


def endpoint_with_key(api: Api, folder: Path) -> Endpoint:
    forever = {"key": SECRET, "expiration time": "2100-01-01T00:00:00Z"}
    path = folder / "key_file.json"
    path.write_text(json.dumps(dict.fromkeys(("management", "inference", "API"), forever)))
    return Endpoint(api.address, None, str(path))


def what_is_wrong(
    ask: Ask, endpoint: Endpoint, asked: str, put: Callable[[Any], Any], most_sec: float
) -> str | None:
    """Return what is wrong with what is said of an odd answer, None where nothing is."""
    begun = time.monotonic()
    try:
        return f"taken for an answer: {ask(endpoint, put)!r}"
    except ManagementError as error:
        words = str(error)
    took = time.monotonic() - begun
    held = {
        "the address": endpoint.management in words,
        "what was asked": asked.strip() in words,
        "one line": "\n" not in words and len(words) < 600,
        "no key": SECRET not in words,
        "what to do": any(
            hint in words for hint in ("look at ", "see that ", "again", "it has to")
        ),
        "in time": took < most_sec,
    }
    missing = [name for name, is_held in held.items() if not is_held]
    return ", ".join([*missing, words, f"{took:.1f} s"]) if missing else None


@every_question
def test_answer_that_is_none_of_torchserves_is_named(
    api: Api, tmp_path: Path, ask: Ask, asked: str, put: Callable[[Any], Any]
) -> None:
    endpoint, wrong = endpoint_with_key(api, tmp_path), {}
    for name, answer in NETWORK.items():
        api.answers[asked.strip()] = answer
        found = what_is_wrong(ask, endpoint, asked, put, 2.0)
        if found is not None:
            wrong[name] = found
    assert wrong == {}


@pytest.mark.usefixtures("_impatient")
@both_clients
def test_answer_that_takes_for_ever_or_all_memory_ends_in_time(
    api: Api, tmp_path: Path, ask: Ask
) -> None:
    endpoint, wrong = endpoint_with_key(api, tmp_path), {}
    for name, answer in SLOW.items():
        api.answers["GET /models"] = answer
        found = what_is_wrong(ask, endpoint, "GET /models", BOTH_ASK["GET /models"], LIMIT_SEC + 1)
        if found is not None:
            wrong[name] = found
    assert wrong == {}


@both_clients
@pytest.mark.parametrize("listed", LISTS.values(), ids=LISTS)
def test_list_of_another_form_is_an_error(ask: Ask, api: Api, listed: Any) -> None:
    api.answers["GET /models"] = listed
    assert (
        what_is_wrong(ask, Endpoint(api.address), "GET /models", BOTH_ASK["GET /models"], 2) is None
    )


@both_clients
@pytest.mark.parametrize("entries", DESCRIPTIONS.values(), ids=DESCRIPTIONS)
def test_description_that_no_frontend_gives_is_an_error(ask: Ask, api: Api, entries: Any) -> None:
    api.answers["GET /models/m/all"] = api.answers["GET /models/m"] = entries
    asked = "GET /models/m/all"
    assert what_is_wrong(ask, Endpoint(api.address), asked, BOTH_ASK[asked], 2) is None


@both_clients
@pytest.mark.parametrize("entries", TOLERATED.values(), ids=TOLERATED)
def test_odd_words_in_a_description_are_no_error(ask: Ask, api: Api, entries: Any) -> None:
    api.answers["GET /models/m/all"] = entries
    (model,) = ask(Endpoint(api.address), BOTH_ASK["GET /models/m/all"])
    assert (model.name, model.version) == ("m", "1.0")


@pytest.mark.parametrize("value", [None, 5, True, [], {}, ["done"]])
def test_words_that_are_none_are_no_success(api: Api, value: Any) -> None:
    api.answers["PUT /models/m/2/set-default"] = {"status": value}
    with pytest.raises(ManagementError, match="not an answer in words"):
        ask_blocking(Endpoint(api.address), lambda client: client.set_default("m", "2"))


@pytest.mark.parametrize("value", [None, 5, ["0.12.0"], {"a": "0.12.0"}])
def test_version_that_is_no_text_is_not_known(api: Api, value: Any) -> None:
    api.answers["OPTIONS /"] = {"info": {"version": value}}
    assert ask_blocking(Endpoint(api.address), lambda client: client.torchserve_version()) is None


@both_clients
def test_model_that_is_listed_twice_is_one(ask: Ask, api: Api) -> None:
    """Pages move when models are registered between two of them."""
    api.answers["GET /models"] = {"models": [{"modelName": "m"}, {"modelName": "m"}]}
    assert ask(Endpoint(api.address), BOTH_ASK["GET /models"]) == ["m"]


@pytest.mark.parametrize("is_new", [True, False], ids=["new models", "the same"])
def test_list_without_end_ends(is_new: bool) -> None:
    say = Conversations(Asking(Endpoint("http://127.0.0.1:1"), lambda _: None)).list_models()
    question, asked = next(say), 0
    with pytest.raises(ManagementError, match="http://127.0.0.1:1 .*GET /models"):
        while question:
            asked += 1
            names = [{"modelName": f"m{asked if is_new else 0}"}]
            page = {"models": names, "nextPageToken": str(asked * 100)}
            question = say.send(HttpAnswer(200, json.dumps(page).encode()))
    assert asked == (MOST_PAGES if is_new else 2)


@both_clients
def test_default_version_that_is_none_of_the_versions_is_asked_for_anew(ask: Ask, api: Api) -> None:
    """It may be set and registered between two questions; a model without a default one is none."""
    api.answers["GET /models/m"] = [described(version="3")]
    known = [[described(version="1"), described(version="2")]]
    api.answers["GET /models/m/all"] = lambda _: known[0]
    with pytest.raises(ManagementError, match="not a description of m"):
        ask(Endpoint(api.address), BOTH_ASK["GET /models/m/all"])

    def registered(_: str | None) -> Any:
        before, known[0] = known[0], [*known[0][:2], described(version="3")]
        return before

    api.answers["GET /models/m/all"] = registered
    found = ask(Endpoint(api.address), BOTH_ASK["GET /models/m/all"])
    assert [model.version for model in found if model.is_default] == ["3"]


@both_clients
def test_model_that_vanishes_between_two_questions_has_no_versions(ask: Ask, api: Api) -> None:
    api.answers["GET /models/m/all"] = [described(version="1"), described(version="2")]
    assert ask(Endpoint(api.address), BOTH_ASK["GET /models/m/all"]) == []


@both_clients
def test_another_api_of_torchserve_has_no_say_in_which_models_there_are(ask: Ask, api: Api) -> None:
    """The inference API knows no such path; for a name with a slash, no API does (0.12.0)."""
    words = "Requested resource is not found, please refer to API document."
    told = (404, {"code": 404, "type": "ResourceNotFoundException", "message": words})
    api.answers["GET /models/m/all"] = api.answers["GET /models/a%2Fb/all"] = told
    with pytest.raises(ManagementError, match="is not found.*what another API of TorchServe's"):
        ask(Endpoint(api.address), BOTH_ASK["GET /models/m/all"])
    assert ask(Endpoint(api.address), lambda client: client.describe("a/b")) == []


@both_clients
def test_keys_do_not_follow_a_redirect(ask: Ask, api: Api, tmp_path: Path) -> None:
    with serving({"GET /models": {"models": []}}) as elsewhere:
        place = f"{elsewhere.address}/models"
        for status in (301, 302, 303, 307, 308):
            api.answers["GET /models"] = raw(f"{status} Elsewhere\nLocation: {place}")
            with pytest.raises(ManagementError, match="a redirect is not followed"):
                ask(endpoint_with_key(api, tmp_path), BOTH_ASK["GET /models"])
    assert elsewhere.asked == []
    assert ELSEWHERE not in place


@both_clients
def test_answer_is_asked_for_uncompressed(ask: Ask, api: Api) -> None:
    """What nobody unpacks cannot become a thousand times as long."""
    api.answers["GET /models"] = {"models": []}
    assert ask(Endpoint(api.address), BOTH_ASK["GET /models"]) == []
    assert api.encodings == ["identity"]


@both_clients
def test_key_that_an_answer_repeats_is_not_shown(ask: Ask, api: Api, tmp_path: Path) -> None:
    words = {"code": 500, "type": "X", "message": f"Bearer {SECRET} is unknown to me"}
    api.answers["GET /models"] = (500, words)
    with pytest.raises(ManagementError, match="is unknown to me") as caught:
        ask(endpoint_with_key(api, tmp_path), BOTH_ASK["GET /models"])
    assert SECRET not in str(caught.value)


@both_clients
@pytest.mark.parametrize("status", [401, 403])
def test_401_without_end_is_a_refusal(ask: Ask, api: Api, tmp_path: Path, status: int) -> None:
    answer = raw(f"{status} Unauthorized\nWWW-Authenticate: Bearer", b"<html>who?</html>")
    api.answers.update({"GET /models": answer, "GET /token": answer})
    with pytest.raises(ManagementError) as caught:
        ask(endpoint_with_key(api, tmp_path), BOTH_ASK["GET /models"])
    assert caught.value.condition is Condition.REFUSED
    assert len(api.asked) < 6


def test_model_api_is_off_only_where_torchserve_says_so(api: Api) -> None:
    def ask() -> Any:
        return ask_blocking(Endpoint(api.address), lambda client: client.takes_registrations())

    for status, kind, told in ((405, "MethodNotAllowedException", False), (400, "BadRequestException", True)):  # fmt: skip
        api.answers["POST /models"] = (status, {"code": status, "type": kind, "message": "no"})
        assert ask() is told
        api.answers["POST /models"] = (status, {"message": "no"})
        with pytest.raises(ManagementError) as caught:
            ask()
        assert "enable_model_api" not in str(caught.value)


@both_clients
def test_path_of_a_proxy_stands_before_every_question(ask: Ask, api: Api) -> None:
    api.answers["GET /ts/models"] = {"models": []}
    assert ask(Endpoint(f"{api.address}/ts"), BOTH_ASK["GET /models"]) == []


@both_clients
@pytest.mark.parametrize("status", [401, 403, 407])
def test_proxy_that_asks_for_a_login_is_no_server_that_asks_for_a_key(
    ask: Ask, api: Api, status: int
) -> None:
    api.answers["GET /models"] = raw(f"{status} No\nWWW-Authenticate: Basic", b"<html>who?</html>")
    with pytest.raises(ManagementError, match="such as a proxy, asks who is there") as caught:
        ask(Endpoint(api.address), BOTH_ASK["GET /models"])
    assert "token" not in str(caught.value)


@both_clients
@pytest.mark.parametrize(
    ("location", "told"),
    [
        ("https://me:s3cret@h/models?sig=s3cret", "It leads to https://h: write that if it is"),
        ("/models/", "It leads to the path /models/: a proxy has to pass"),
        ("http://[h", "it has to be TorchServe that answers there$"),
    ],
)
def test_where_a_redirect_leads_is_said(ask: Ask, api: Api, location: str, told: str) -> None:
    api.answers["GET /models"] = raw(f"308 Elsewhere\nLocation: {location}")
    with pytest.raises(ManagementError, match=told) as caught:
        ask(Endpoint(api.address), BOTH_ASK["GET /models"])
    assert "s3cret" not in str(caught.value)
