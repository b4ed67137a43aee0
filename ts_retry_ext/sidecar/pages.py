"""The pages for people: all models, the broken ones first, and one model with its history."""

from __future__ import annotations

import hashlib
import os
import re
import time
from typing import Any
from urllib.parse import quote

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.keys import is_kept
from ts_retry_ext.plain_text import duration_in_words, visible
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.picture import Picture, cause_json, key_of
from ts_retry_ext.sidecar.recovery import starts_saved
from ts_retry_ext.sidecar.resumptions import Resumptions
from ts_retry_ext.snapshot.attempts import attempts_of
from ts_retry_ext.snapshot.down_in_words import trial_runs_since, waits_for
from ts_retry_ext.snapshot.model import DOWN, ModelStatus
from ts_retry_ext.snapshot.model_facts import facts_of
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.halt_in_words import until
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds

#: How often the page asks again where JavaScript is off.
REFRESH_SEC = 5
_HERE = os.path.dirname(os.path.abspath(__file__))
_TYPES = {"page.css": "text/css", "page.js": "text/javascript"}
_ORDER = (
    State.HALTED,
    State.NOT_REGISTERED,
    State.WAITING,
    State.RETIRED,
    State.RECOVERING,
    State.STARTING,
    State.UNKNOWN,
    State.SERVING,
)
_BROKEN = (*DOWN, State.RECOVERING)
_AS_OF = re.compile(rb'<p class="quiet">As of [^<]*</p>')
_AGES = re.compile(rb"\d+ (?:s|min|h|days) ago")
#: What counts on between two pictures, and without JavaScript, too: until when, since when.
_COUNTED = re.compile(rb'(<time class="(until|ago)" datetime="([^"<]{24})">)[^<]*(</time>)')


class Pages:
    """Renders the pages from the newest picture."""

    def __init__(self, observer: Observer, resumptions: Resumptions) -> None:
        self._observer = observer
        self._resumptions = resumptions
        self._made: tuple[int, bytes] = (-1, b"")
        self._templates = Environment(
            loader=FileSystemLoader(os.path.join(_HERE, "templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters["shown"] = _shown
        self._templates.filters["clock"] = _clock
        self._templates.filters["until"] = until
        self._templates.filters["ago"] = _ago
        self._templates.filters["day_time"] = _day_time

    def routes(self) -> list[web.RouteDef]:
        """Return where the pages are."""
        return [
            web.get("/", self.models),
            web.get("/model/{model}/{version}", self.model),
            web.get("/static/{name}", self.static),
        ]

    def address_of(self, model: ModelStatus) -> str:
        """Return the path of a model's page."""
        return f"/model/{quote(model.model, safe='')}/{quote(model.version, safe='')}"

    async def models(self, request: web.Request) -> web.Response:
        """Answer with the page of all models; made once for all who ask."""
        picture = self._observer.picture
        if self._made[0] != picture.number:
            self._made = (picture.number, self._models(picture))
        return _page(request, self._made[1])

    def _models(self, picture: Picture) -> bytes:
        models = sorted(picture.models, key=lambda m: (_ORDER.index(m.state), m.model, m.version))
        items = [self._item(picture, model) for model in models]
        broken = [item for item in items if _is_broken(item["model"])]
        return self._render(
            "models.html",
            picture,
            title=_title(picture),
            heading=_heading(picture),
            broken=broken,
            others=[item for item in items if not _is_broken(item["model"])],
            rows=sorted(picture.effective, key=lambda row: not row.problems),
        )

    async def model(self, request: web.Request) -> web.Response:
        """Answer with the page of one version of a model."""
        name, version = request.match_info["model"], request.match_info["version"]
        picture = self._observer.picture
        found = picture.named(name, version)
        if not found:
            text = f"There is no model {name} {version}."
            return self.message(404, "Not found", text, "/")
        model = found[0]
        records = model.registration.records if model.registration else ()
        page = self._render(
            "model.html",
            picture,
            title=f"{model.state.value}: {model.model} {model.version}",
            item=self._item(picture, model),
            facts=_facts(model),
            attempts=attempts_of(records),
        )
        return _page(request, page)

    async def static(self, request: web.Request) -> web.Response:
        """Answer with the style sheet or the script."""
        name = request.match_info["name"]
        if name not in _TYPES:
            raise web.HTTPNotFound()
        with open(os.path.join(_HERE, "static", name), "rb") as stream:
            return web.Response(body=stream.read(), content_type=_TYPES[name], charset="utf-8")

    def message(self, status: int, heading: str, message: str, back: str) -> web.Response:
        """Answer with a page that says one thing."""
        picture = self._observer.picture
        page = self._render(
            "message.html", picture, title=heading, heading=heading, message=message, back=back
        )
        return web.Response(body=page, status=status, content_type="text/html", charset="utf-8")

    def _render(self, template: str, picture: Picture, **values: Any) -> bytes:
        text = self._templates.get_template(template).render(
            picture=picture,
            server=picture.snapshot.server,
            refresh_sec=REFRESH_SEC,
            asks_key=self._asks_key(picture),
            **values,
        )
        # What no encoding holds was made visible; this is for what came as a name.
        return text.encode("utf-8", "backslashreplace")

    def _asks_key(self, picture: Picture) -> bool:
        target = self._observer.target
        refused = picture.health.condition in (Condition.REFUSED, Condition.EXPIRED_KEY)
        return refused or (target is not None and is_kept(target.endpoint.key_file))

    def _item(self, picture: Picture, model: ModelStatus) -> dict[str, Any]:
        key = key_of(model)
        workers = model.running.workers if model.running else ()
        ready = sum(worker.is_ready for worker in workers)
        marker = model.registration.marker if model.registration else None
        server = picture.snapshot.server
        runs = server is not None and server.running
        return {
            "model": model,
            "address": self.address_of(model),
            "report": model.report or _NO_REPORT,
            "cause": cause_json(model)["cause"],
            "place": model.failing_line.in_words() if model.failing_line else None,
            "since": marker.created_at if marker else None,
            "next_trial_at": model.next_trial_at if runs else None,
            "trial_runs_since": trial_runs_since(model) if runs and marker else None,
            "waits_for": waits_for(model),
            "row": picture.effective_of.get(key),
            "starts": model.registration.history.worker_starts if model.registration else None,
            "saved": starts_saved(model, picture.at),
            "workers": f"{ready} of {len(workers)} ready" if model.running else "-",
            "recoveries": picture.recoveries.get(key, ()),
            "why_unknown": picture.why_unknown.get(key),
            "progress": self._resumptions.of(key),
        }


_NO_REPORT = Record(Event.SUMMARY)
#: Facts that have a place of their own on a model's page.
_SHOWN_ABOVE = frozenset(("reason", "remedy", "at", "since", "next trial", "waits for"))


def _is_broken(model: ModelStatus) -> bool:
    return model.can_be_resumed or model.state in _BROKEN


def _counts(picture: Picture) -> list[str]:
    """Return how many models are down in which state: ``2 halted``."""
    states = [model.state for model in picture.down]
    return [f"{states.count(s)} {s.value}" for s in _ORDER if s in states]


def _heading(picture: Picture) -> str:
    if picture.snapshot.server is None:
        return "No TorchServe was found"
    count, counts = len(picture.down), _counts(picture)
    if count:
        how = picture.down[0].state.value if len(counts) == 1 else f"down: {', '.join(counts)}"
        return f"{count} of {len(picture.models)} models {'is' if count == 1 else 'are'} {how}"
    if not picture.is_complete:
        return f"The frontend is {picture.health.condition.value}"
    return f"{len(picture.models)} models, none is down"


def _title(picture: Picture) -> str:
    counts = _counts(picture)
    return f"({', '.join(counts)}) ts-retry" if counts else "ts-retry"


def _facts(model: ModelStatus) -> list[tuple[str, str]]:
    """Return the facts that the page does not show elsewhere."""
    return [
        (label, text)
        for label, text in facts_of(model, time.time()).items()
        if label not in _SHOWN_ABOVE
    ]


def _page(request: web.Request, page: bytes) -> web.Response:
    # The times that the page shows are no change.
    same = _AGES.sub(b"", _COUNTED.sub(rb"\1\4", _AS_OF.sub(b"", page)))
    etag = hashlib.blake2b(same, digest_size=12).hexdigest()
    if request.headers.get("If-None-Match") == f'"{etag}"':
        return web.Response(status=304, headers={"ETag": f'"{etag}"'})
    headers = {"ETag": f'"{etag}"'}
    page = _counted_on(page, time.time())
    return web.Response(body=page, content_type="text/html", charset="utf-8", headers=headers)


def _counted_on(page: bytes, now: float) -> bytes:
    """Return a page that was made a while ago with what it counts down as it is now."""

    def counted(found: re.Match[bytes]) -> bytes:
        at = found[3].decode("ascii")
        words = until(at, now) if found[2] == b"until" else _ago(at, now)
        return found[1] + words.encode("ascii") + found[4]

    return _COUNTED.sub(counted, page)


def _ago(at: str, now: float) -> str:
    return f"{duration_in_words(now - to_seconds(at))} ago"


def _day_time(at: str) -> str:
    return time.strftime("%H:%M:%S UTC", time.gmtime(to_seconds(at)))


def _shown(text: object) -> str:
    """Return text with its control characters made visible; escaping is the template's."""
    return "" if text is None else visible(str(text), keep="\n\t")


def _clock(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds))
