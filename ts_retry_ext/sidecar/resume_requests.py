"""Resume models over HTTP: one, or all that are down for one cause."""

from __future__ import annotations

import asyncio
import json
from typing import Callable, Mapping, Sequence

from aiohttp import web

from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.sidecar.answers import RequestError, json_answer, refuse, wants_page
from ts_retry_ext.sidecar.authorization import bearer, foreign_page, unauthorized
from ts_retry_ext.sidecar.cause_cards import cause_id, page_of
from ts_retry_ext.sidecar.connections import BODY_SEC
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.resumptions import Resumptions
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.real_load import ResumeResult
from ts_retry_ext.snapshot.server_snapshot import causes_of

MAX_WAIT_SEC = 120.0
_CODES = {
    ResumeResult.SERVES.value: 200,
    ResumeResult.FAILED_AGAIN.value: 409,
    "failed": 502,
    ResumeResult.NOT_YET.value: 202,
}
_TOO_SLOW = f"the body was not there within {BODY_SEC:g} s"
#: Finds the versions of a model, or raises RequestError.
Named = Callable[[str, Mapping[str, str]], Sequence[ModelStatus]]


class ResumeRequests:
    """Takes the requests.

    Args:
        named: finds the versions of a model.
    """

    def __init__(self, observer: Observer, resumptions: Resumptions, named: Named) -> None:
        self._observer = observer
        self._resumptions = resumptions
        self._named = named

    def routes(self) -> list[web.RouteDef]:
        """Return where they are taken."""
        return [
            web.post("/models/{model}/resume", self.resume),
            web.post("/causes/{cause}/resume", self.resume_cause),
        ]

    async def resume(self, request: web.Request) -> web.StreamResponse:
        """Try a model that is down now; ``wait`` seconds for it, by default none."""
        name = request.match_info["model"]
        try:
            given = await self._allowed(request)
            model = _one(self._named(name, {**request.query, **given}))
            wait = _seconds(request.query.get("wait") or given.get("wait") or "0")
            if not model.can_be_resumed and model.key not in self._resumptions.running():
                msg = f"{model.model} {model.version} needs no resume, it is {model.state.value}"
                raise RequestError(409, msg)
        except RequestError as error:
            heading = f"{name} is not resumed"
            raise RequestError(error.status, error.message, heading) from error
        (progress,) = self._resumptions.start([model])
        if wants_page(request):
            raise web.HTTPSeeOther(page_of(model))
        if wait:
            progress = await self._resumptions.wait(model.key, wait)
        return json_answer(progress.to_json(), _CODES.get(progress.result, 202))

    async def resume_cause(self, request: web.Request) -> web.StreamResponse:
        """Try every model now that is down for a cause; answers at once."""
        await self._allowed(request)
        named = request.match_info["cause"]
        found = [c for c in causes_of(self._observer.picture.models) if cause_id(c) == named]
        models = [model for cause in found for model in cause.models if model.can_be_resumed]
        if not models:
            msg = f"no model that can be resumed is down for the cause {named[:80]!r}"
            raise RequestError(404, msg)
        progress = self._resumptions.start(models)
        if wants_page(request):
            place = f"/#cause-{named}"
            raise web.HTTPSeeOther(place)
        return json_answer([one.to_json() for one in progress], 202)

    async def _allowed(self, request: web.Request) -> dict[str, str]:
        """Return the fields of a request that may resume something.

        Raises:
            RequestError: it may not.
        """
        refuse(foreign_page(request.headers))
        presented = bearer(request.headers)
        if presented is not None or not _is_form(request):
            self._check_key(presented, request)  # Before anything is read for a stranger.
        given = await _fields(request)
        if presented is None and _is_form(request):
            self._check_key(given.get("key"), request)
        return given

    def _check_key(self, presented: str | None, request: web.Request) -> None:
        target, watch = self._observer.target, self._observer.watch
        if target is None or watch is None:
            raise RequestError(503, "there is no server")
        refuse(
            unauthorized(
                presented,
                target.endpoint.key_file,
                asked_for=watch.health.condition in (Condition.REFUSED, Condition.EXPIRED_KEY),
                remote=request.remote,
                headers=request.headers,
                own_key_file=self._observer.options.own_key_file,
            )
        )


def _one(models: Sequence[ModelStatus]) -> ModelStatus:
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


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MAX_WAIT_SEC:
        raise RequestError(400, f"wait is {text[:40]!r}, allowed are 0 to {MAX_WAIT_SEC:g} seconds")
    return value
