"""Answer requests that cannot be answered as asked: TorchServe's form for programs, a page for people."""

from __future__ import annotations

import json
import logging
from typing import Awaitable, Callable

from aiohttp import web

from ts_retry_ext.sidecar.authorization import Refusal
from ts_retry_ext.sidecar.page_answer import wants_page

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
