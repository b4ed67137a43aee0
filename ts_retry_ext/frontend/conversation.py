"""What is said to a frontend's APIs, and what its answers mean (TorchServe 0.8 to 0.12).

Nothing here sends anything. A conversation is a generator: it yields a `Question` and is sent the
`Answer`, or has an `UnreachableError` thrown into it, until it returns what was asked for or raises
a `ManagementError`. So every client says the same, whether it waits or not.

Token authorization refuses with status 400 (0.12.0 InvalidKeyException), proxies in front of it with
401 or 403. The management key expires (60 minutes by default); the API key of the same file renews
it with ``GET /token?type=management``, which writes the file anew before it answers.
"""

from __future__ import annotations

import json
from typing import Any, Callable, Generator, NamedTuple, TypeVar
from urllib.parse import quote, urlencode

from ts_retry_ext.frontend.condition import Condition, ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.exchange import (
    HttpAnswer,
    Question,
    UnreachableError,
    place_of,
    reachable_address,
)
from ts_retry_ext.frontend.keys import Key, KeyFileError
from ts_retry_ext.frontend.running_model import RunningModel, running_model

T = TypeVar("T")
Conversation = Generator[Question, HttpAnswer, T]

PAGE = 100
"""Models on a page: the most that the frontend gives (0.12.0 ApiUtils.getModelList)."""
TOKEN_WORDS = "Token Authorization failed"
"""What the refusal of a token says (0.12.0 InvalidKeyException); its status, 400, has other uses."""
TOKEN_REFUSED = 400
UNAUTHORIZED = (401, 403)
NOT_FOUND, NOT_ALLOWED = 404, 405
MANAGEMENT, INFERENCE = "the management API", "the inference API"
KEYS_TRIED = 3
"""Keys tried for one question: others may renew the key at the same time, and the newest counts."""
MAX_WORDS = 300
"""Of a refusal so many characters are shown."""
_OTHER_FORM = (KeyError, IndexError, TypeError, ValueError, AttributeError, RecursionError)
"""What comes of reading an answer of another form."""

MODEL_API_OFF = (
    "; the model API is off, set enable_model_api=true and restart the server to register or"
    " unregister models"
)


def follow_up(conversation: Conversation[T], told: HttpAnswer | UnreachableError) -> Question:
    """Return what to ask next after what the last question came to.

    Raises:
        StopIteration: the conversation is over; its value is what was asked for.
    """
    if isinstance(told, UnreachableError):
        return conversation.throw(told)
    return conversation.send(told)


class Conversations(NamedTuple):
    """What can be said to one frontend.

    Attributes:
        endpoint: how its APIs are reached.
        key: returns its key of a kind, ``management``, ``inference`` or ``API``; None where there is
            no key file. Raises KeyFileError.
    """

    endpoint: Endpoint
    key: Callable[[str], Key | None]

    def list_models(self) -> Conversation[list[str]]:
        """Return the names of all registered models, sorted, from as many pages as there are."""
        names: list[str] = []
        token, following = -1, 0
        while following > token:
            token = following
            page = yield from self._managed("GET", "/models", limit=PAGE, next_page_token=token)
            try:
                names += [str(entry["modelName"]) for entry in page["models"]]
                following = int(page.get("nextPageToken") or 0)
            except _OTHER_FORM as error:
                raise _other_form("a list of models") from error
        return sorted(set(names))

    def describe(self, name: str) -> Conversation[list[RunningModel]]:
        """Return every version of the model `name`, the default one first; none where it is gone."""
        path = f"/models/{quote(name, safe='')}"
        try:
            versions = yield from self._managed("GET", path + "/all")
            several = isinstance(versions, list) and len(versions) > 1
            default = (yield from self._managed("GET", path)) if several else versions
        except ManagementError as error:
            if error.status == NOT_FOUND:
                return []
            raise
        try:
            named = str(default[0]["modelVersion"]) if versions else ""
            found = [running_model(entry, named) for entry in versions]
        except _OTHER_FORM as error:
            raise _other_form(f"a description of {name}") from error
        return sorted(found, key=lambda model: (not model.is_default, model.version))

    def scale(
        self,
        name: str,
        version: str,
        min_workers: int,
        max_workers: int,
        *,
        synchronous: bool,
        timeout_sec: float | None = None,
    ) -> Conversation[str]:
        """Change the number of workers of a model, and return the frontend's words.

        Works while ``enable_model_api`` is off, its default. Unless the server runs with ``--ncs``,
        it writes the numbers into its config snapshot.

        Args:
            name: the model.
            version: its version.
            min_workers: workers to keep.
            max_workers: workers to have at most.
            synchronous: whether to wait until the workers are gone, or have loaded the model.
            timeout_sec: how long to wait for the answer; None for as long as the client usually does.
        """
        content = yield from self._managed(
            "PUT",
            f"/models/{quote(name, safe='')}/{quote(version, safe='')}",
            timeout_sec,
            synchronous="true" if synchronous else "false",
            min_worker=min_workers,
            max_worker=max_workers,
        )
        try:
            return str(content["status"])
        except _OTHER_FORM as error:
            raise _other_form("an answer to scaling") from error

    def torchserve_version(self) -> Conversation[str | None]:
        """Return TorchServe's version from its API description, which asks for no key."""
        url = self.endpoint.management + "/"
        answer = yield from self._exchange(Question("OPTIONS", url, {}), MANAGEMENT)
        try:
            return str(json.loads(answer.body.decode("utf-8"))["info"]["version"])
        except _OTHER_FORM:
            return None

    def ping(self) -> Conversation[str | None]:
        """Return ``status`` of ``/ping``, or None where there is no inference address to ask.

        One that is a Unix socket is not asked.
        """
        try:
            address = reachable_address(self.endpoint.inference or "unix:")
        except UnreachableError:
            return None
        sent, answer = yield from self._with_key(
            Question("GET", address + "/ping", {}), "inference", INFERENCE
        )
        content = _parsed(answer)
        if isinstance(content, dict) and isinstance(content.get("status"), str):
            return str(content["status"])
        raise self._refusal(sent, answer, INFERENCE)

    def _managed(
        self, method: str, path: str, timeout_sec: float | None = None, **query: object
    ) -> Conversation[Any]:
        """Ask the management API, and return the content of its answer."""
        url = self.endpoint.management + path + ("?" + urlencode(query) if query else "")
        sent, answer = yield from self._with_key(
            Question(method, url, {}, timeout_sec), "management", MANAGEMENT
        )
        if not 200 <= answer.status < 300:
            raise self._refusal(sent, answer, MANAGEMENT)
        return _parsed(answer)

    def _with_key(
        self, question: Question, kind: str, whom: str
    ) -> Conversation[tuple[Question, HttpAnswer]]:
        """Ask with the key of a kind, with a renewed one where the frontend refuses that."""
        key = yield from self._valid_key(kind)
        for _ in range(KEYS_TRIED - 1):
            sent = question._replace(headers=key.headers if key else {})
            answer = yield from self._exchange(sent, whom)
            if key is None or not _is_token_refused(answer):
                return sent, answer
            refused, key = key, (yield from self._valid_key(kind, refused=key))
            if key == refused:
                return sent, answer
        sent = question._replace(headers=key.headers if key else {})
        return sent, (yield from self._exchange(sent, whom))

    def _valid_key(self, kind: str, refused: Key | None = None) -> Conversation[Key | None]:
        """Return the key of a kind, renewed where it has expired or is the one that was refused.

        None where the server has no key file: its answer shows whether it asks for a key.
        """
        key = self._kept_key(kind, Condition.REFUSED)
        if key is None or not (key.is_expired() or key == refused):
            return key
        api_key = self._kept_key("API", Condition.EXPIRED_KEY)
        url = f"{self.endpoint.management}/token?type={kind}"
        yield from self._exchange(
            Question("GET", url, api_key.headers if api_key else {}), MANAGEMENT
        )
        key = self._kept_key(kind, Condition.REFUSED)
        if key is not None and key.is_expired():
            place = self.endpoint.key_file
            msg = f"the {kind} key in {place} has expired, and the server did not renew it"
            raise ManagementError(msg, Condition.EXPIRED_KEY)
        return key

    def _kept_key(self, kind: str, condition: Condition) -> Key | None:
        try:
            return self.key(kind)
        except KeyFileError as error:
            raise ManagementError(f"the server asks for a token: {error}", condition) from error

    def _exchange(self, question: Question, whom: str) -> Conversation[HttpAnswer]:
        try:
            return (yield question)
        except UnreachableError as error:
            condition = Condition.GARBAGE if error.is_garbage else Condition.AWAY
            raise ManagementError(f"{whom} at {error}", condition) from error

    def _refusal(self, sent: Question, answer: HttpAnswer, whom: str) -> ManagementError:
        """Return what an answer that is no success comes to, with the frontend's own words."""
        refused = _is_token_refused(answer)
        words = _words(answer)
        if refused and not sent.headers:
            words += _why_no_key(self.endpoint.key_file)
        elif answer.status == NOT_ALLOWED:
            words += MODEL_API_OFF
        path = sent.url[len(place_of(sent.url)) :].partition("?")[0]
        msg = f"{whom} at {place_of(sent.url)} refuses {sent.method} {path}: {words}"
        condition = Condition.REFUSED if refused else Condition.GARBAGE
        return ManagementError(msg, condition, answer.status)


def _why_no_key(key_file: str | None) -> str:
    """Return what to add to the refusal of a request that was sent without a key."""
    if key_file is None:
        return " (the server asks for a token although its configuration says it does not)"
    return f" (its key file is not there: {key_file})"


def _is_token_refused(answer: HttpAnswer) -> bool:
    """Tell whether an answer refuses the key, or asks for one."""
    if answer.status == TOKEN_REFUSED:
        return TOKEN_WORDS in _words(answer)
    return answer.status in UNAUTHORIZED


def _words(answer: HttpAnswer) -> str:
    """Return what a refusal says."""
    try:
        return str(json.loads(answer.body.decode("utf-8"))["message"])[:MAX_WORDS]
    except _OTHER_FORM:
        return f"status {answer.status}"


def _parsed(answer: HttpAnswer) -> Any:
    """Return the JSON of an answer. Raises ManagementError."""
    try:
        return json.loads(answer.body.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"the frontend answered {answer.status} with something that is no JSON"
        raise ManagementError(msg, Condition.GARBAGE, answer.status) from error


def _other_form(what: str) -> ManagementError:
    return ManagementError(f"the management API answers with something that is not {what}")
