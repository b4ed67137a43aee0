"""What is said to a frontend's APIs, and what its answers mean (TorchServe 0.8 to 0.12)."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import quote

from ts_retry_ext.frontend.asking import INFERENCE, MANAGEMENT, Asking, Conversation
from ts_retry_ext.frontend.exchange import Question, UnreachableError, reachable_address
from ts_retry_ext.frontend.refusal import (
    BAD_REQUEST,
    NOT_ALLOWED,
    OTHER_FORM,
    is_key_refused,
    is_model_missing,
    other_form,
    parsed,
    refusal,
)
from ts_retry_ext.frontend.running_model import RunningModel, list_of, running_model, text_of

#: Models on a page: the most that the frontend gives (0.12.0 ApiUtils.getModelList).
PAGE = 100
#: A list of more pages has no end.
MOST_PAGES = 1000


class Conversations(NamedTuple):
    """What can be said to one frontend.

    `ask` puts the questions.
    """

    ask: Asking

    def list_models(self) -> Conversation[list[str]]:
        """Return the names of all registered models, sorted, from as many pages as there are."""
        names: set[str] = set()
        token = pages = 0
        while True:
            query = {"limit": PAGE, "next_page_token": token}
            sent, page = yield from self.ask.managed("GET", "/models", **query)
            try:
                found = [text_of(entry["modelName"]) for entry in list_of(page["models"])]
                following = _token(page.get("nextPageToken"))
            except OTHER_FORM as error:
                raise other_form(sent, MANAGEMENT, "a list of models") from error
            pages += 1
            repeats = pages > 1 and bool(found) and names.issuperset(found)
            names.update(found)
            if following <= token:
                return sorted(names)
            if repeats or pages == MOST_PAGES:
                raise other_form(sent, MANAGEMENT, "a list of models, which has an end")
            token = following

    def describe(self, name: str) -> Conversation[list[RunningModel]]:
        """Return every version of the model `name`, the default one first; none where it is gone."""
        sent, found = yield from self._described(name)
        if found and not found[0].is_default:
            # A version may be registered, or become the default, between the two questions.
            sent, found = yield from self._described(name)
        if found and not found[0].is_default:
            what = f"a description of {name}: its default version is none of its versions"
            raise other_form(sent, MANAGEMENT, what)
        return found

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
        return (
            yield from self.ask.told(
                "PUT",
                _path(name, version),
                timeout_sec,
                synchronous="true" if synchronous else "false",
                min_worker=min_workers,
                max_worker=max_workers,
            )
        )

    def register(
        self, archive: str, *, initial_workers: int, timeout_sec: float | None = None
    ) -> Conversation[str]:
        """Register an archive of the model store, and have workers of it started.

        A version beside another one of its name does not become the default. The model API must be
        on (``enable_model_api``). The answer comes once the archive is unpacked and its requirements are
        installed. One that waits for the workers keeps a thread of the frontend from answering anything
        else, predictions included (docs/torchserve-defects.md).

        Args:
            archive: its file name in the model store, or a URL that ``allowed_urls`` names.
            initial_workers: workers to start.
            timeout_sec: how long to wait for the answer; None for as long as the client usually does.
        """
        query = {"url": archive, "initial_workers": initial_workers, "synchronous": "false"}
        return (yield from self.ask.told("POST", "/models", timeout_sec, **query))

    def takes_registrations(self) -> Conversation[bool]:
        """Tell whether the model API is on (``enable_model_api``); without one (before 0.11.1) it is.

        A request that names no archive registers nothing: it is refused with 405 where the API is off, else
        with 400 (0.12.0 ManagementRequestHandler).
        """
        sent, answer = yield from self.ask.answered("POST", "/models")
        if 200 <= answer.status < 300:
            raise other_form(sent, MANAGEMENT, "a refusal of what names no archive")
        error = refusal(sent, answer, MANAGEMENT, self.ask.endpoint.key_file)
        if error.is_own and answer.status == NOT_ALLOWED:
            return False
        if error.is_own and answer.status == BAD_REQUEST and not is_key_refused(answer):
            return True
        raise error

    def unregister(
        self, name: str, version: str, *, timeout_sec: float | None = None
    ) -> Conversation[str]:
        """Unregister a version of a model. The model API must be on; the default version stays.

        Args:
            name: the model.
            version: its version.
            timeout_sec: how long to wait for the answer; None for as long as the client usually does.
        """
        return (yield from self.ask.told("DELETE", _path(name, version), timeout_sec))

    def set_default(self, name: str, version: str) -> Conversation[str]:
        """Make a version the one that requests without a version mean. Works without the model API."""
        return (yield from self.ask.told("PUT", _path(name, version) + "/set-default"))

    def torchserve_version(self) -> Conversation[str | None]:
        """Return TorchServe's version from its API description, which asks for no key."""
        url = self.ask.endpoint.management + "/"
        answer = yield from self.ask.exchange(Question("OPTIONS", url, {}), MANAGEMENT)
        try:
            return text_of(json.loads(answer.body.decode("utf-8"))["info"]["version"])
        except OTHER_FORM:
            return None

    def ping(self) -> Conversation[str | None]:
        """Return ``status`` of ``/ping``, or None where there is no inference address to ask.

        One that is a Unix socket is not asked.
        """
        try:
            address = reachable_address(self.ask.endpoint.inference or "unix:")
        except UnreachableError:
            return None
        sent, answer = yield from self.ask.with_key(
            Question("GET", address + "/ping", {}), "inference", INFERENCE
        )
        content = parsed(sent, answer, INFERENCE)
        if isinstance(content, dict) and isinstance(content.get("status"), str):
            return str(content["status"])
        raise refusal(sent, answer, INFERENCE, self.ask.endpoint.key_file)

    def _described(self, name: str) -> Conversation[tuple[Question, list[RunningModel]]]:
        """Return what was asked, and every version of a model, as two questions show it."""
        path = f"/models/{quote(name, safe='', errors='replace')}"
        sent, answer = yield from self.ask.answered("GET", path + "/all")
        if is_model_missing(answer, name):
            return sent, []
        versions = named = self.ask.content(sent, answer)
        if isinstance(versions, list) and len(versions) > 1:
            asked, answer = yield from self.ask.answered("GET", path)
            if is_model_missing(answer, name):
                return sent, []
            named = self.ask.content(asked, answer)
        try:
            return sent, _versions(name, versions, named)
        except OTHER_FORM as error:
            raise other_form(sent, MANAGEMENT, f"a description of {name}") from error


def _versions(name: str, versions: Any, named: Any) -> list[RunningModel]:
    """Return the versions of a model, the default one first.

    Args:
        name: the model.
        versions: what its versions are described by.
        named: what its default version is described by.

    Raises:
        TypeError, ValueError and others of OTHER_FORM: it is another model, or none, or says two things.
    """
    default = text_of(list_of(named)[0]["modelVersion"]) if versions else ""
    found = [running_model(entry, default) for entry in list_of(versions)]
    if any(model.name != name for model in found):
        msg = "another model"
        raise ValueError(msg)
    if len({model.version for model in found}) < len(found):
        msg = "one version twice"
        raise ValueError(msg)
    return sorted(found, key=lambda model: (not model.is_default, model.version))


def _token(value: Any) -> int:
    """Return where the next page begins: a number in a text (0.12.0 ListModelsResponse); 0 for none."""
    return 0 if value is None else int(text_of(value))


def _path(name: str, version: str) -> str:
    return f"/models/{quote(name, safe='', errors='replace')}/{quote(version, safe='', errors='replace')}"
