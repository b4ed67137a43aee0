"""Answer requests: with a page, with JSON, and with what is wrong, as TorchServe does or as a page for people."""

from __future__ import annotations

import hashlib
import json
import logging
import re
import time
from typing import Awaitable, Callable

from aiohttp import web

from ts_retry_ext.plain_text import duration_in_words
from ts_retry_ext.sidecar.authorization import Refusal
from ts_retry_ext.snapshot.down_in_words import local_time
from ts_retry_ext.store.halt_in_words import until
from ts_retry_ext.store.times import to_seconds

log = logging.getLogger(__name__)

JSON = "application/json"
_BUG = "this sidecar has a bug; its log says more"
_HEADINGS = {
    400: "Not understood",
    401: "The key is missing or wrong",
    403: "Not allowed",
    404: "Not found",
    405: "Not possible here",
    408: "Too slow",
    409: "Nothing to resume",
    500: "A bug",
    503: "Not possible now",
}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]
#: Makes the page of an error: status, heading, message.
ErrorPage = Callable[[int, str, str], web.Response]
_AS_OF = re.compile(rb'<p class="quiet">As of <time[^>]*>[^<]*')
_AGES = re.compile(rb"\d+ (?:s|min|h|days) ago")
#: What counts on between two pictures, and without JavaScript, too: until when, since when, how old.
_COUNTED = re.compile(rb'(<time class="(until|ago|age)" datetime="([^"<]{24})">)[^<]*(</time>)')
#: The same, and times of the day: they get their day once it is another one.
_TIMES = re.compile(rb'(<time class="(until|ago|age|clock)" datetime="([^"<]{24})">)[^<]*(</time>)')


def page_answer(request: web.Request, page: bytes) -> web.Response:
    """Answer with a page, or with 304 where whoever asks has it.

    Args:
        page: the page, which may have been made a while ago.
    """
    page = _as_it_is_at(page, time.time())
    # What the page counts is no change.
    same = _AGES.sub(b"", _COUNTED.sub(rb"\1\4", _AS_OF.sub(b"", page)))
    headers = {"ETag": f'"{hashlib.blake2b(same, digest_size=12).hexdigest()}"'}
    if request.headers.get("If-None-Match") == headers["ETag"]:
        return web.Response(status=304, headers=headers)
    return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)


def wants_page(request: web.Request) -> bool:
    """Tell whether a browser asks; programs send forms too, some without meaning to."""
    return "text/html" in request.headers.get("Accept", "")


def ago(at: str, now: float) -> str:
    """Return how long a time has passed: ``23 min ago``."""
    return f"{age(at, now)} ago"


def age(at: str, now: float) -> str:
    """Return how long it is since a time: ``23 min``."""
    return duration_in_words(now - to_seconds(at))


_WORDS = {b"until": until, b"ago": ago, b"age": age, b"clock": local_time}


def _as_it_is_at(page: bytes, now: float) -> bytes:
    """Return a page that was made a while ago with its times in words as they are now."""

    def in_words(found: re.Match[bytes]) -> bytes:
        words = _WORDS[found[2]](found[3].decode("ascii"), now)
        return found[1] + words.encode("utf-8") + found[4]

    return _TIMES.sub(in_words, page)


class RequestError(Exception):
    """A request that cannot be answered as asked.

    Attributes:
        status: HTTP status; message: a sentence for people.
        heading: what a page has above it, or None for what the status says.
    """

    def __init__(self, status: int, message: str, heading: str | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.heading = heading


def refuse(refusal: Refusal | None) -> None:
    """Raise RequestError where a request is refused."""
    if refusal is not None:
        raise RequestError(*refusal)


class RequestErrors:
    """The middleware that answers them."""

    def __init__(self, error_page: ErrorPage) -> None:
        self._error_page = error_page

    @web.middleware
    async def middleware(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Answer errors with code, type and message, or with a page where a browser asks."""
        try:
            return await handler(request)
        except RequestError as error:
            return self._answer(request, error.status, error.message, error.heading)
        except web.HTTPException as error:
            if error.status < 400:
                raise
            answer = self._answer(request, error.status, _said(request, error))
            if "Allow" in error.headers:
                answer.headers["Allow"] = error.headers["Allow"]
            return answer
        except Exception:
            log.exception("cannot answer %s %s", request.method, request.path)
            return self._answer(request, 500, _BUG)

    def _answer(
        self, request: web.Request, status: int, message: str, heading: str | None = None
    ) -> web.Response:
        if wants_page(request):
            heading = heading or _HEADINGS.get(status, "Not possible")
            sentence = f"{message[:1].upper()}{message[1:]}."
            return self._error_page(status, heading, sentence)
        kind = web.Response(status=status).reason.replace(" ", "") + "Exception"
        return json_answer({"code": status, "type": kind, "message": message}, status)


def json_answer(content: object, status: int = 200) -> web.Response:
    body = json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"
    return web.Response(body=body, status=status, content_type=JSON)


def _said(request: web.Request, error: web.HTTPException) -> str:
    """Return what is wrong: of an address, the address."""
    if error.status == 404:
        return f"there is no page {request.path[:200]} here"
    if error.status == 405:
        return f"{request.path[:200]} does not take {request.method[:20]}"
    return error.reason
