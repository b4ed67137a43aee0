"""The sidecar's HTTP service: what the picture says, and a way to resume a model."""

from __future__ import annotations

from typing import Any, Mapping

from aiohttp import web

from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.settings import ALL_MODELS, ANY_MODEL
from ts_retry_ext.sidecar import metrics as metrics_form
from ts_retry_ext.sidecar.answers import (
    JSON,
    Handler,
    RequestError,
    RequestErrors,
    json_answer,
    refuse,
)
from ts_retry_ext.sidecar.authorization import foreign_host
from ts_retry_ext.sidecar.connections import Connections
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.pages import Pages
from ts_retry_ext.sidecar.picture import Picture, down_json
from ts_retry_ext.sidecar.resume_requests import ResumeRequests
from ts_retry_ext.sidecar.resumptions import Resumptions
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State

MAX_BODY_BYTES = 64 * 1024
HEADERS = {
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "connect-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
}
#: Asked for under any name: by load balancers, kubelets and Prometheus. They hold no traceback.
_FOR_ANY_HOST = ("/ping", "/livez", "/readyz", "/metrics")
#: The state that a probe names where models are down in several.
_WORST_FIRST = (State.HALTED, State.NOT_REGISTERED, State.RETIRED, State.WAITING)


class Service:
    """Answers from the newest picture; nothing here waits for the frontend."""

    def __init__(
        self, observer: Observer, resumptions: Resumptions, connections: Connections
    ) -> None:
        self._connections = connections
        self._observer = observer
        self._metrics = metrics_form.Metrics()
        self._pages = Pages(observer, resumptions)
        self._resume = ResumeRequests(observer, resumptions, self._named)

    def application(self) -> web.Application:
        errors = RequestErrors(self._pages.message)
        middlewares = [self._connections.middleware, errors.middleware, self._check_host]
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
                web.get("/config", self.config),
                *self._resume.routes(),
                *self._pages.routes(),
            ]
        )
        return app

    @web.middleware
    async def _check_host(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Keep what tells causes from web pages that point a name of theirs at this machine."""
        if request.path not in _FOR_ANY_HOST:
            refuse(foreign_host(request.headers, self._observer.options.allowed_hosts))
        return await handler(request)

    def _probed(self, request: web.Request, content: dict[str, Any], status: int) -> web.Response:
        """Answer a probe: under a foreign name it gets the status alone."""
        if foreign_host(request.headers, self._observer.options.allowed_hosts):
            content = {"status": content["status"]}
        return json_answer(content, status)

    async def ping(self, request: web.Request) -> web.Response:
        """Answer as TorchServe does, but 500 with the causes as soon as a model is down."""
        well, content = self._observer.picture.ping()
        return self._probed(request, content, 200 if well else 500)

    async def livez(self, _: web.Request) -> web.Response:
        """Answer 200: this process is alive, whatever the server does."""
        return json_answer({"status": "alive"})

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
        return json_answer(content)

    async def config(self, _: web.Request) -> web.Response:
        """Answer with the effective settings, as ``ts-retry config --json`` does."""
        return web.Response(body=self._observer.picture.config_body, content_type=JSON)

    def _named(self, name: str, query: Mapping[str, str]) -> tuple[ModelStatus, ...]:
        picture = self._observer.picture
        version = query.get("version") or None
        found = picture.named(name, version)
        if not found:
            shown = f"{name!r}" + (f" version {version!r}" if version else "")
            raise RequestError(404, f"there is no model {shown[:200]}")
        return found


async def _add_headers(_: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    if response.status == 401:
        response.headers.setdefault("WWW-Authenticate", "Bearer")


def in_the_way(picture: Picture, ready_when: str) -> tuple[ModelStatus, ...]:
    """Return the models that are down and keep a server from being ready.

    Args:
        ready_when: ``all``: every model counts. ``any``: every one counts until each has served once,
            so that a rollout with a broken model stops; then they count only if no other serves, so
            that one broken model does not take the sound ones out in every pod. Else the names of
            the models that count, divided by commas.
    """
    down = picture.down_by_default
    if ready_when == ALL_MODELS:
        return down
    if ready_when != ANY_MODEL:
        return tuple(model for model in down if model.model in _names_in(ready_when))
    others = [model for model in picture.models if not model.is_down]
    return down if picture.starting or not others else ()


def awaited(picture: Picture, ready_when: str) -> tuple[ModelStatus, ...]:
    """Return the models that have to serve once before a server is ready."""
    if ready_when in (ALL_MODELS, ANY_MODEL):
        return picture.starting
    return tuple(model for model in picture.starting if model.model in _names_in(ready_when))


def _names_in(ready_when: str) -> tuple[str, ...]:
    """Return the names that a list holds."""
    return tuple(filter(None, (name.strip() for name in ready_when.split(","))))
