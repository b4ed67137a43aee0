"""Talk to the management API of a running frontend (TorchServe 0.8 to 0.12)."""

from __future__ import annotations

import json
import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Iterable, Iterator, Mapping
from urllib.parse import quote, urlencode

from ts_retry_ext.frontend.http import Answer, UnreachableError, reachable_address, request
from ts_retry_ext.frontend.keys import KeyFileError, is_kept, key_file_of, read_key
from ts_retry_ext.frontend.running_model import RunningModel, running_model
from ts_retry_ext.frontend.server import Server

PAGE = 100
"""Models on a page: the most that the frontend gives (0.12.0 ApiUtils.getModelList)."""
PORTS = {"http": 8081, "https": 8444}
"""Ports of a ``management_address`` without one (0.12.0 Connector.parse)."""
TIMEOUT_SEC = 10.0
TOKEN_REFUSED = 400
"""Status of a refused token (0.12.0 InvalidKeyException); other refusals have it as well."""

TOKEN_WORDS = "Token Authorization failed"
"""What its refusal says (0.12.0 InvalidKeyException)."""


class ManagementError(Exception):
    """The management API did not do what it was asked. The message is fit for people.

    Attributes:
        status: HTTP status of the answer, or None where there was none.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True)
class ManagementApi:
    """The management API of one frontend.

    Attributes:
        address: its URL, as a client of this machine reaches it.
        key_file: path of the key file, or None where no token is asked for.
        certificate_file: the server's certificate (PEM), or None.
        timeout_sec: how long to wait for an answer.
    """

    address: str
    key_file: str | None = None
    certificate_file: str | None = None
    timeout_sec: float = TIMEOUT_SEC

    def list_models(self) -> list[str]:
        """Return the names of all registered models, sorted.

        Raises:
            ManagementError: the API cannot be reached or refuses.
        """
        names: list[str] = []
        token, following = -1, 0
        while following > token:
            token = following
            page = self._json("GET", "/models", limit=PAGE, next_page_token=token)
            with expected_form("a list of models"):
                names += [str(entry["modelName"]) for entry in page["models"]]
                following = int(page.get("nextPageToken") or 0)
        return sorted(set(names))

    def describe(self, name: str) -> list[RunningModel]:
        """Return every version of the model `name`, the default one first.

        Raises:
            ManagementError: there is no such model, or the API cannot be reached or refuses.
        """
        path = f"/models/{quote(name, safe='')}"
        latest, versions = self._json("GET", path), self._json("GET", path + "/all")
        with expected_form(f"a description of {name}"):
            default = str(latest[0]["modelVersion"])
            found = [running_model(entry, default) for entry in versions]
        return sorted(found, key=lambda model: (not model.is_default, model.version))

    def describe_all(self, unlisted: Iterable[str] = ()) -> list[RunningModel]:
        """Return every version of every model.

        A model that is unregistered meanwhile is left out.

        Args:
            unlisted: names to ask for besides: the list has no functions of a workflow (0.12.0
                ModelManager.getDefaultModels), which are models otherwise.

        Raises:
            ManagementError: the API cannot be reached or refuses.
        """
        names = dict.fromkeys([*self.list_models(), *unlisted])
        return [model for name in names for model in self._describe_or_none(name)]

    def scale(
        self,
        name: str,
        version: str,
        min_workers: int,
        max_workers: int,
        *,
        synchronous: bool,
        timeout_sec: float,
    ) -> str:
        """Change the number of workers of a model, and return the API's words.

        Works while ``enable_model_api`` is off, its default. Unless the server runs with ``--ncs``,
        it writes the numbers into its config snapshot.

        Args:
            name: the model.
            version: its version.
            min_workers: workers to keep.
            max_workers: workers to have at most.
            synchronous: whether to wait until the workers are gone, or have loaded the model.
            timeout_sec: how long to wait for the answer.

        Raises:
            ManagementError: a worker did not start, or the API cannot be reached or refuses.
        """
        path = f"/models/{quote(name, safe='')}/{quote(version, safe='')}"
        query = {"min_worker": min_workers, "max_worker": max_workers}
        wait = "true" if synchronous else "false"
        answer = self._ask("PUT", path, timeout_sec, synchronous=wait, **query)
        content = parsed(answer)
        with expected_form("an answer to scaling"):
            return str(content["status"])

    def torchserve_version(self) -> str | None:
        """Return TorchServe's version from its API description, which asks for no token.

        Raises:
            ManagementError: the API cannot be reached.
        """
        answer = self._send("OPTIONS", "/", {}, self.timeout_sec)
        try:
            return str(json.loads(answer.body.decode("utf-8"))["info"]["version"])
        except (ValueError, KeyError, TypeError):
            return None

    def _describe_or_none(self, name: str) -> list[RunningModel]:
        try:
            return self.describe(name)
        except ManagementError as error:
            if error.status == 404:
                return []
            raise

    def key_headers(self, kind: str) -> dict[str, str]:
        """Return the header with the valid key of a kind: ``management`` or ``inference``.

        An expired key is renewed: it had expired for everybody.

        Raises:
            ManagementError: a token is asked for and cannot be had.
        """
        if self.key_file is None or not is_kept(self.key_file):
            return {}
        try:
            key = read_key(self.key_file, kind)
            if key.is_expired():
                api_key = read_key(self.key_file, "API")
                self._send("GET", f"/token?type={kind}", api_key.headers, self.timeout_sec)
                key = read_key(self.key_file, kind)
        except KeyFileError as error:
            raise ManagementError(f"the server asks for a token: {error}") from error
        return key.headers

    def _json(self, method: str, path: str, **query: object) -> Any:
        return parsed(self._ask(method, path, self.timeout_sec, **query))

    def _ask(self, method: str, path: str, timeout_sec: float, **query: object) -> Answer:
        url = path + ("?" + urlencode(query) if query else "")
        headers = self.key_headers("management")
        answer = self._send(method, url, headers, timeout_sec)
        if answer.status == TOKEN_REFUSED and headers:
            # It expired on the way, or somebody else has renewed it.
            renewed = self.key_headers("management")
            if renewed != headers:
                answer = self._send(method, url, renewed, timeout_sec)
        if not 200 <= answer.status < 300:
            raise ManagementError(self._refusal(method, path, answer), answer.status)
        return answer

    def _send(
        self, method: str, path: str, headers: Mapping[str, str], timeout_sec: float
    ) -> Answer:
        try:
            return request(
                method,
                self.address + path,
                headers=headers,
                certificate_file=self.certificate_file,
                timeout_sec=timeout_sec,
            )
        except UnreachableError as error:
            raise ManagementError(f"the management API at {error}") from error

    def _refusal(self, method: str, path: str, answer: Answer) -> str:
        try:
            content = json.loads(answer.body.decode("utf-8"))
            words = str(content["message"])
        except (ValueError, KeyError, TypeError):
            words = f"status {answer.status}"
        hint = why_no_key(self.key_file) if TOKEN_WORDS in words else ""
        return f"the management API at {self.address} refuses {method} {path}: {words}{hint}"


def why_no_key(key_file: str | None) -> str:
    """Return what to add to the refusal of a token that was not sent, or an empty text."""
    if key_file is None:
        return " (the server asks for a token although its configuration says it does not)"
    return "" if is_kept(key_file) else f" (its key file is not there: {key_file})"


def management_api_of(server: Server, timeout_sec: float = TIMEOUT_SEC) -> ManagementApi:
    """Return the management API of a running server.

    Raises:
        ManagementError: its address is one that is not supported.
    """
    try:
        address = reachable_address(server.management_address, PORTS)
    except UnreachableError as error:
        raise ManagementError(f"the management address {error}") from error
    return ManagementApi(address, key_file_of(server), _certificate(server), timeout_sec)


def _certificate(server: Server) -> str | None:
    named = server.properties.get("certificate_file")
    path = os.path.join(server.frontend.cwd, named) if named else None
    return path if path and os.access(path, os.R_OK) else None


def parsed(answer: Answer) -> Any:
    """Return the JSON of an answer. Raises ManagementError."""
    try:
        return json.loads(answer.body.decode("utf-8"))
    except ValueError as error:
        msg = f"the frontend answered {answer.status} with something that is no JSON"
        raise ManagementError(msg, answer.status) from error


@contextmanager
def expected_form(what: str) -> Iterator[None]:
    """Turn what comes of reading an answer of another form into a ManagementError."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        msg = f"the management API answers with something that is not {what}"
        raise ManagementError(msg) from error
