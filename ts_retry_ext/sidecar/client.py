"""Ask a frontend's APIs without blocking: many models at once, over few connections."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any, Iterable, TypeVar

import aiohttp
from yarl import URL

from ts_retry_ext.frontend.asking import Asking, Conversation, follow_up
from ts_retry_ext.frontend.conversation import Conversations
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.exchange import (
    MAX_ANSWER_BYTES,
    HttpAnswer,
    Question,
    UnreachableError,
    place_of,
    reason_of,
)
from ts_retry_ext.frontend.http import tls_context
from ts_retry_ext.frontend.keys import KeyFile
from ts_retry_ext.frontend.running_model import RunningModel

T = TypeVar("T")
#: How long an answer may take: a frontend that is slow by seconds is still heard.
TIMEOUT_SEC = 8.0
CONNECTIONS = 8
#: What is compressed becomes a thousand times as long, and TorchServe compresses nothing.
_AS_IT_IS = {"Accept-Encoding": "identity"}


class Client:
    """The APIs of one frontend. Every method raises ManagementError where that does not answer so.

    Args:
        endpoint: how they are reached.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self._say = Conversations(Asking(endpoint, KeyFile(endpoint.key_file).key))
        self._session: aiohttp.ClientSession | None = None
        self._tls: dict[str, ssl.SSLContext] = {}
        self._shared: dict[str, asyncio.Task[HttpAnswer | UnreachableError]] = {}

    async def close(self) -> None:
        """Close every connection."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def list_models(self) -> list[str]:
        """Return the names of all registered models, sorted."""
        return await self._hold(self._say.list_models())

    async def describe(self, name: str) -> list[RunningModel]:
        """Return every version of the model `name`, the default one first; none where it is gone."""
        return await self._hold(self._say.describe(name))

    async def describe_many(self, names: Iterable[str]) -> dict[str, list[RunningModel]]:
        """Return every version of the models `names`, a few requests at a time.

        The first question that is refused ends it.
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

    async def scale(
        self,
        name: str,
        version: str,
        min_workers: int,
        max_workers: int,
        *,
        synchronous: bool,
        timeout_sec: float | None = None,
    ) -> str:
        """Change the number of workers of a model, see `Conversations.scale`."""
        say = self._say.scale(
            name,
            version,
            min_workers,
            max_workers,
            synchronous=synchronous,
            timeout_sec=timeout_sec,
        )
        return await self._hold(say)

    async def torchserve_version(self) -> str | None:
        """Return TorchServe's version; None where its API description does not tell."""
        return await self._hold(self._say.torchserve_version())

    async def ping(self) -> str | None:
        """Return what ``/ping`` says: ``Healthy`` or ``Unhealthy``; None where it is not asked."""
        return await self._hold(self._say.ping())

    async def _hold(self, conversation: Conversation[T]) -> T:
        """Carry a conversation from its first question to what it returns."""
        try:
            question = next(conversation)
            while True:
                question = follow_up(conversation, await self._told(question))
        except StopIteration as end:
            value: T = end.value
            return value

    async def _told(self, question: Question) -> HttpAnswer | UnreachableError:
        if not question.is_shared:
            return await self._asked(question)
        asked = self._shared.get(question.url)
        if asked is None or asked.done():
            asked = self._shared[question.url] = asyncio.ensure_future(self._asked(question))
        return await asyncio.shield(asked)

    async def _asked(self, question: Question) -> HttpAnswer | UnreachableError:
        try:
            return await self._send(question)
        except UnreachableError as error:
            return error

    async def _send(self, question: Question) -> HttpAnswer:
        """Send one request and return the answer, whatever its status. Raises UnreachableError."""
        place = place_of(question.url)
        timeout_sec = question.timeout_sec or TIMEOUT_SEC
        try:
            async with self._opened().request(
                question.method,
                URL(question.url, encoded=True),
                headers={**question.headers, **_AS_IT_IS},
                allow_redirects=False,
                ssl=self._trust(place),
                timeout=aiohttp.ClientTimeout(total=timeout_sec),
            ) as response:
                body = b""
                while not response.content.at_eof() and len(body) <= MAX_ANSWER_BYTES:
                    body += await response.content.read(MAX_ANSWER_BYTES)
        except asyncio.TimeoutError as error:
            msg = f"{place} did not answer within {timeout_sec:g} s"
            raise UnreachableError(msg) from error
        except (aiohttp.ClientConnectionError, OSError) as error:
            why = reason_of(getattr(error, "os_error", None) or error)
            msg = f"{place} does not answer: {why}"
            raise UnreachableError(msg) from error
        except (aiohttp.ClientError, ValueError) as error:
            msg = f"{place} answers with something that is not HTTP"
            raise UnreachableError(msg, is_garbage=True) from error
        if len(body) > MAX_ANSWER_BYTES:
            msg = f"{place} answers with more than {MAX_ANSWER_BYTES} bytes"
            raise UnreachableError(msg, is_garbage=True)
        return HttpAnswer(response.status, body, response.headers.get("Location"))

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS),
                cookie_jar=aiohttp.DummyCookieJar(),
                auto_decompress=False,
            )
        return self._session

    def _trust(self, place: str) -> Any:
        """Return what decides whether a certificate is trusted. Raises OSError."""
        if not place.startswith("https:"):
            return True
        if place not in self._tls:
            self._tls[place] = tls_context(place, self._endpoint.certificate_file)
        return self._tls[place]
