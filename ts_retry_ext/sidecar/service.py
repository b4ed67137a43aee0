"""The sidecar's HTTP service: what the picture says, and a way to resume a model."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, Awaitable, Callable, Mapping

from aiohttp import web

from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.sidecar import metrics as metrics_form
from ts_retry_ext.sidecar.authorization import (
    Refusal,
    bearer,
    foreign_host,
    foreign_page,
    unauthorized,
)
from ts_retry_ext.sidecar.connections import BODY_SEC, Connections
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.pages import Pages
from ts_retry_ext.sidecar.picture import down_json, key_of
from ts_retry_ext.sidecar.readiness import awaited, in_the_way
from ts_retry_ext.sidecar.resumptions import ResumeProgress, Resumptions
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.real_load import ResumeResult
from ts_retry_ext.snapshot.state import State

log = logging.getLogger(__name__)

MAX_BODY_BYTES = 64 * 1024
MAX_WAIT_SEC = 120.0
JSON = "application/json"
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
}
_CODES = {
    ResumeResult.SERVES.value: 200,
    ResumeResult.FAILED_AGAIN.value: 409,
    "failed": 502,
    ResumeResult.NOT_YET.value: 202,
}
#: Asked for under any name: by load balancers, kubelets and Prometheus. They hold no traceback.
_FOR_ANY_HOST = ("/ping", "/livez", "/readyz", "/metrics")
#: The state that a probe names where models are down in several.
_WORST_FIRST = (State.HALTED, State.NOT_REGISTERED, State.RETIRED, State.WAITING)
_TOO_SLOW = f"the body was not there within {BODY_SEC:g} s"
_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class RequestError(Exception):
    """A request that cannot be answered as asked.

    Attributes:
        status: HTTP status; message: a sentence for people.
    """

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.message = message


class Service:
    """Answers from the newest picture; nothing here waits for the frontend."""

    def __init__(
        self, observer: Observer, resumptions: Resumptions, connections: Connections
    ) -> None:
        self._connections = connections
        self._observer = observer
        self._resumptions = resumptions
        self._metrics = metrics_form.Metrics()
        self._pages = Pages(observer, resumptions)

    def application(self) -> web.Application:
        """Return the application."""
        middlewares = [self._connections.middleware, _json_errors, self._check_host]
        app = web.Application(middlewares=middlewares, client_max_size=MAX_BODY_BYTES)
        app.on_response_prepare.append(_add_headers)
        app.add_routes(
            [
                web.get("/ping", self.ping),
                web.get("/livez", self.livez),
                web.get("/readyz", self.readyz),
                web.get("/metrics", self.metrics),
                web.get("/models", self.models),
                web.get("/models/{model}", self.model),
                web.post("/models/{model}/resume", self.resume),
                web.get("/config", self.config),
                *self._pages.routes(),
            ]
        )
        return app

    @web.middleware
    async def _check_host(self, request: web.Request, handler: _Handler) -> web.StreamResponse:
        """Keep what tells causes from web pages that point a name of theirs at this machine."""
        if request.path not in _FOR_ANY_HOST:
            _refuse(foreign_host(request.headers, self._observer.options.allowed_hosts))
        return await handler(request)

    def _probed(self, request: web.Request, content: dict[str, Any], status: int) -> web.Response:
        """Answer a probe: under a foreign name it gets the status alone."""
        if foreign_host(request.headers, self._observer.options.allowed_hosts):
            content = {"status": content["status"]}
        return _json(content, status)

    async def ping(self, request: web.Request) -> web.Response:
        """Answer as TorchServe does, but 500 with the causes as soon as a model is down."""
        well, content = self._observer.picture.ping()
        return self._probed(request, content, 200 if well else 500)

    async def livez(self, _: web.Request) -> web.Response:
        """Answer 200: this process is alive, whatever the server does."""
        return _json({"status": "alive"})

    async def readyz(self, request: web.Request) -> web.Response:
        """Answer 503 while models that count are down or the server starts; ``?model=``: that one.

        A version that is not the default one counts only where ``?version=`` names it.
        """
        picture = self._observer.picture
        name = request.query.get("model")
        rule = self._observer.options.ready_when
        told, down, starting = picture.down, in_the_way(picture, rule), awaited(picture, rule)
        if name is not None:
            named = self._named(name, request.query)
            told = tuple(model for model in named if model.is_down)
            is_exact = bool(request.query.get("version"))
            down = tuple(m for m in told if is_exact or m in picture.down_by_default)
            starting = tuple(model for model in picture.starting if model in named)
        content: dict[str, Any] = {"status": "ready", **down_json(told)}
        if down:
            content["status"] = min((model.state for model in down), key=_WORST_FIRST.index)
        elif picture.health.condition in (Condition.AWAY, Condition.STARTING):
            content.update(status="away", problem=picture.health.words)
        elif starting:
            late = [{"model": m.model, "version": m.version, "state": m.state} for m in starting]
            content.update(status="starting", starting=late)
        return self._probed(request, content, 200 if content["status"] == "ready" else 503)

    async def metrics(self, _: web.Request) -> web.Response:
        """Answer with the metrics, in Prometheus' text form."""
        body = self._metrics.text(self._observer.picture)
        return web.Response(body=body, headers={"Content-Type": metrics_form.CONTENT_TYPE})

    async def models(self, _: web.Request) -> web.Response:
        """Answer with every model, as ``ts-retry status --json`` does."""
        return web.Response(body=self._observer.picture.models_body, content_type=JSON)

    async def model(self, request: web.Request) -> web.Response:
        """Answer with the versions of one model, in the same form."""
        found = self._named(request.match_info["model"], request.query)
        content = self._observer.picture.models_json()
        content["models"] = [model.to_json() for model in found]
        return _json(content)

    async def config(self, _: web.Request) -> web.Response:
        """Answer with the effective settings, as ``ts-retry config --json`` does."""
        return web.Response(body=self._observer.picture.config_body, content_type=JSON)

    async def resume(self, request: web.Request) -> web.StreamResponse:
        """Try a model that is down now; ``wait`` seconds for it, by default none."""
        name = request.match_info["model"]
        try:
            return await self._resume(request, name)
        except RequestError as error:
            if not _wants_page(request):
                raise
            return self._pages.message(error.status, f"{name} is not resumed", error.message, "/")

    async def _resume(self, request: web.Request, name: str) -> web.StreamResponse:
        _refuse(foreign_page(request.headers))
        presented = bearer(request.headers)
        if presented is not None or not _is_form(request):
            self._check_key(presented, request)  # Before anything is read for a stranger.
        given = await _fields(request)
        if presented is None and _is_form(request):
            self._check_key(given.get("key"), request)
        model = _one(self._named(name, {**request.query, **given}))
        wait = _seconds(request.query.get("wait") or given.get("wait") or "0")
        if not model.can_be_resumed and key_of(model) not in self._resumptions.running():
            msg = f"{model.model} {model.version} needs no resume, it is {model.state.value}"
            raise RequestError(409, msg)
        progress = self._resumptions.start(model)
        if _wants_page(request):
            raise web.HTTPSeeOther(self._pages.address_of(model))
        if wait:
            progress = await self._resumptions.wait(key_of(model), wait)
        return _json(progress.to_json(), _code(progress))

    def _check_key(self, presented: str | None, request: web.Request) -> None:
        target, watch = self._observer.target, self._observer.watch
        if target is None or watch is None:
            raise RequestError(503, "there is no server")
        asked_for = watch.health.condition in (Condition.REFUSED, Condition.EXPIRED_KEY)
        key_file = target.endpoint.key_file
        _refuse(
            unauthorized(
                presented,
                key_file,
                asked_for=asked_for,
                remote=request.remote,
                headers=request.headers,
                own_key_file=self._observer.options.own_key_file,
            )
        )

    def _named(self, name: str, query: Mapping[str, str]) -> tuple[ModelStatus, ...]:
        picture = self._observer.picture
        version = query.get("version") or None
        found = picture.named(name, version)
        if not found:
            shown = f"{name!r}" + (f" version {version!r}" if version else "")
            raise RequestError(404, f"there is no model {shown[:200]}")
        return found


def _one(models: tuple[ModelStatus, ...]) -> ModelStatus:
    """Return the version that can be resumed where only one can, else the only one."""
    found = [model for model in models if model.can_be_resumed] or list(models)
    if len(found) > 1:
        versions = ", ".join(model.version for model in found)
        raise RequestError(400, f"which version? ?version= one of {versions}")
    return found[0]


async def _fields(request: web.Request) -> dict[str, str]:
    """Return the fields of a form or of a JSON object; {} where there is no body."""
    if not request.can_read_body:
        return {}
    if _is_form(request):
        try:
            fields = await asyncio.wait_for(request.post(), BODY_SEC)
            return {name: str(value) for name, value in fields.items()}
        except asyncio.TimeoutError:
            raise RequestError(408, _TOO_SLOW) from None
        except (ValueError, LookupError, AssertionError):
            raise RequestError(400, "the body is no form") from None
    try:
        body = await asyncio.wait_for(request.read(), BODY_SEC)
        content = json.loads(body.decode("utf-8") or "{}")
    except asyncio.TimeoutError:
        raise RequestError(408, _TOO_SLOW) from None
    except (ValueError, RecursionError):
        raise RequestError(400, "the body is no JSON") from None
    if not isinstance(content, dict):
        raise RequestError(400, "the body is no JSON object")
    return {str(name): str(value) for name, value in content.items()}


def _is_form(request: web.Request) -> bool:
    return request.content_type in ("application/x-www-form-urlencoded", "multipart/form-data")


def _wants_page(request: web.Request) -> bool:
    """Tell whether a browser asks; programs send forms too, some without meaning to."""
    return "text/html" in request.headers.get("Accept", "")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MAX_WAIT_SEC:
        raise RequestError(400, f"wait is {text[:40]!r}, allowed are 0 to {MAX_WAIT_SEC:g} seconds")
    return value


def _code(progress: ResumeProgress) -> int:
    return _CODES.get(progress.result, 202)


def _refuse(refusal: Refusal | None) -> None:
    if refusal is not None:
        raise RequestError(*refusal)


def _json(content: object, status: int = 200) -> web.Response:
    body = json.dumps(content, separators=(",", ":")).encode("ascii") + b"\n"
    return web.Response(body=body, status=status, content_type=JSON)


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.status == 401:
        response.headers.setdefault("WWW-Authenticate", "Bearer")


@web.middleware
async def _json_errors(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer errors in TorchServe's form: code, type, message."""
    try:
        return await handler(request)
    except RequestError as error:
        return _error(error.status, error.message)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        answer = _error(error.status, error.reason)
        if "Allow" in error.headers:
            answer.headers["Allow"] = error.headers["Allow"]
        return answer
    except Exception:
        log.exception("cannot answer %s %s", request.method, request.path)
        return _error(500, "this sidecar has a bug; its log says more")


def _error(status: int, message: str) -> web.Response:
    kind = web.Response(status=status).reason.replace(" ", "") + "Exception"
    return _json({"code": status, "type": kind, "message": message}, status)
