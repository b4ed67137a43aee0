"""Ask a frontend's APIs without blocking: many models at once, over few connections."""

from __future__ import annotations

import asyncio
import json
import os
import ssl
from contextlib import contextmanager
from typing import Any, Iterable, Iterator, Mapping
from urllib.parse import quote

import aiohttp

from ts_retry_ext.frontend.http import (
    MAX_ANSWER_BYTES,
    UnreachableError,
    reachable_address,
    tls_context,
)
from ts_retry_ext.frontend.keys import Key, KeyFileError, is_kept, read_key
from ts_retry_ext.frontend.management import (
    PAGE,
    TOKEN_REFUSED,
    TOKEN_WORDS,
    ManagementApi,
    why_no_key,
)
from ts_retry_ext.frontend.running_model import RunningModel, running_model
from ts_retry_ext.sidecar.condition import Condition, FrontendError

TIMEOUT_SEC = 8.0
"""How long an answer may take: a frontend that is slow by seconds is still heard."""
CONNECTIONS = 8
UNAUTHORIZED = (401, 403)


class Client:
    """The APIs of one frontend.

    Args:
        api: address, key file and certificate of its management API.
        inference: its inference address as it is bound, or None.
    """

    def __init__(self, api: ManagementApi, inference: str | None) -> None:
        self.api = api
        self._inference = inference
        self._session: aiohttp.ClientSession | None = None
        self._tls: dict[str, ssl.SSLContext] = {}
        self._keys: dict[str, tuple[object, Key]] = {}

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def list_models(self) -> list[str]:
        """Return the names of all registered models, from as many pages as there are.

        Raises:
            FrontendError: the API cannot be reached or refuses.
        """
        names: list[str] = []
        token, following = -1, 0
        while following > token:
            token = following
            page = await self._json("GET", f"/models?limit={PAGE}&next_page_token={token}")
            with _form("a list of models"):
                names += [str(entry["modelName"]) for entry in page["models"]]
                following = int(page.get("nextPageToken") or 0)
        return sorted(set(names))

    async def describe(self, name: str) -> list[RunningModel]:
        """Return every version of the model `name`; none where it is not registered any more.

        Raises:
            FrontendError: the API cannot be reached or refuses.
        """
        path = f"/models/{quote(name, safe='')}"
        try:
            versions = await self._json("GET", path + "/all")
            with _form(f"a description of {name}"):
                default = str(versions[0]["modelVersion"]) if versions else ""
            if len(versions) > 1:
                latest = await self._json("GET", path)
                with _form(f"a description of {name}"):
                    default = str(latest[0]["modelVersion"])
        except FrontendError as error:
            if error.status == 404:
                return []
            raise
        with _form(f"a description of {name}"):
            return [running_model(entry, default) for entry in versions]

    async def describe_many(self, names: Iterable[str]) -> dict[str, list[RunningModel]]:
        """Return every version of the models `names`, a few requests at a time.

        Raises:
            FrontendError: the API cannot be reached or refuses; the first such answer ends it.
        """
        waiting = list(dict.fromkeys(names))
        found: dict[str, list[RunningModel]] = {}

        async def work() -> None:
            while waiting:
                name = waiting.pop()
                found[name] = await self.describe(name)

        workers = [asyncio.ensure_future(work()) for _ in range(min(CONNECTIONS, len(waiting)))]
        try:
            await asyncio.gather(*workers)
        finally:
            for worker in workers:
                worker.cancel()
        return found

    async def scale(self, name: str, version: str, low: int, high: int) -> None:
        """Change the number of workers of a model, without waiting for them.

        Raises:
            FrontendError: the API cannot be reached or refuses.
        """
        path = f"/models/{quote(name, safe='')}/{quote(version, safe='')}"
        query = f"?synchronous=false&min_worker={low}&max_worker={high}"
        await self._json("PUT", path + query)

    async def torchserve_version(self) -> str | None:
        """Return TorchServe's version, which asks for no token; None where it cannot be told.

        Raises:
            FrontendError: the API cannot be reached.
        """
        _, body = await self._send("OPTIONS", self.api.address + "/", {})
        try:
            return str(json.loads(body.decode("utf-8"))["info"]["version"])
        except (ValueError, KeyError, TypeError):
            return None

    async def ping(self) -> str | None:
        """Return ``status`` of ``/ping``, or None where there is no inference address to ask.

        One that is a Unix socket is not asked: what the management API says is enough.

        Raises:
            FrontendError: it cannot be reached, or refuses.
        """
        if self._inference is None:
            return None
        try:
            url = reachable_address(self._inference) + "/ping"
        except UnreachableError:
            return None
        status, body = await self._send("GET", url, await self._headers("inference"))
        content = _parsed(status, body)
        if isinstance(content, dict) and isinstance(content.get("status"), str):
            return str(content["status"])
        raise _refusal(f"GET {url}", status, content, self.api.key_file)

    async def _json(self, method: str, path: str) -> Any:
        headers = await self._headers("management")
        status, body = await self._send(method, self.api.address + path, headers)
        if status in (TOKEN_REFUSED, *UNAUTHORIZED) and headers:
            self._keys.clear()  # It expired on the way, or somebody else has renewed it.
            renewed = await self._headers("management")
            if renewed != headers:
                status, body = await self._send(method, self.api.address + path, renewed)
        content = _parsed(status, body)
        if not 200 <= status < 300:
            asked = f"{method} {self.api.address}{path.partition('?')[0]}"
            raise _refusal(asked, status, content, self.api.key_file)
        return content

    async def _headers(self, kind: str) -> Mapping[str, str]:
        """Return the header with the valid key of a kind; an expired one is renewed.

        Raises:
            FrontendError: a key is asked for and cannot be had.
        """
        path = self.api.key_file
        if path is None or not is_kept(path):
            return {}
        try:
            key = self._key(path, kind)
            if key.is_expired():
                api_key = self._key(path, "API")
                url = f"{self.api.address}/token?type={kind}"
                await self._send("GET", url, api_key.headers)
                self._keys.clear()
                key = self._key(path, kind)
        except KeyFileError as error:
            msg = f"the server asks for a token: {error}"
            raise FrontendError(msg, Condition.REFUSED) from error
        if key.is_expired():
            msg = f"the {kind} key in {path} has expired, and the server did not renew it"
            raise FrontendError(msg, Condition.EXPIRED_KEY)
        return key.headers

    def _key(self, path: str, kind: str) -> Key:
        """Return a key, read again when the file changed. Raises KeyFileError."""
        try:
            status = os.stat(path)
            identity: object = (status.st_ino, status.st_mtime_ns, status.st_size)
        except OSError:
            identity = None
        kept = self._keys.get(kind)
        if kept is None or kept[0] != identity:
            kept = self._keys[kind] = (identity, read_key(path, kind))
        return kept[1]

    async def _send(self, method: str, url: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
        session = self._session
        if session is None:
            timeout = aiohttp.ClientTimeout(total=TIMEOUT_SEC)
            connector = aiohttp.TCPConnector(limit=CONNECTIONS)
            session = aiohttp.ClientSession(
                connector=connector, timeout=timeout, cookie_jar=aiohttp.DummyCookieJar()
            )
            self._session = session
        place = url[: url.index("/", 8)]
        tls: Any = True
        try:
            if url.startswith("https:"):
                tls = self._tls.get(place)
                if tls is None:
                    tls = self._tls[place] = tls_context(url, self.api.certificate_file)
            async with session.request(
                method, url, headers=headers, allow_redirects=False, ssl=tls
            ) as answer:
                body = await answer.content.read(MAX_ANSWER_BYTES)
                while not answer.content.at_eof() and len(body) < MAX_ANSWER_BYTES:
                    body += await answer.content.read(MAX_ANSWER_BYTES)
                return answer.status, body
        except asyncio.TimeoutError as error:
            msg = f"{place} did not answer within {TIMEOUT_SEC:g} s"
            raise FrontendError(msg, Condition.AWAY) from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            msg = f"{place} does not answer: {_words(error)}"
            raise FrontendError(msg, Condition.AWAY) from error
        except (aiohttp.ClientError, ValueError) as error:
            msg = f"{place} answers with something that is not HTTP"
            raise FrontendError(msg, Condition.GARBAGE) from error


@contextmanager
def _form(what: str) -> Iterator[None]:
    """Turn what comes of reading an answer of another form into a FrontendError."""
    try:
        yield
    except (KeyError, IndexError, TypeError, ValueError, AttributeError) as error:
        msg = f"the management API answers with something that is not {what}"
        raise FrontendError(msg, Condition.GARBAGE) from error


def _parsed(status: int, body: bytes) -> Any:
    try:
        return json.loads(body.decode("utf-8"))
    except ValueError as error:
        msg = f"the frontend answers {status} with something that is no JSON"
        condition = Condition.REFUSED if status in UNAUTHORIZED else Condition.GARBAGE
        raise FrontendError(msg, condition, status) from error


def _refusal(asked: str, status: int, content: Any, key_file: str | None) -> FrontendError:
    """Return what an answer that is no success comes to, with the frontend's own words."""
    words = f"status {status}"
    if isinstance(content, dict) and isinstance(content.get("message"), str):
        words = f"{status}: {content['message'][:300]}"
    if TOKEN_WORDS in words:
        words += why_no_key(key_file)
    token = TOKEN_WORDS in words or status in UNAUTHORIZED
    condition = Condition.REFUSED if token else Condition.GARBAGE
    return FrontendError(f"the frontend refuses {asked}: {words}", condition, status)


def _words(error: BaseException) -> str:
    cause: BaseException = getattr(error, "os_error", None) or error
    if isinstance(cause, OSError) and cause.errno is not None and cause.errno > 0:
        return os.strerror(cause.errno)
    return str(cause) or type(cause).__name__
