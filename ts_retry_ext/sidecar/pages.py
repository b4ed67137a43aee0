"""The pages for people: the causes and all models, one model, a rule, and what is wrong with a request."""

from __future__ import annotations

import difflib
import os
import time
from typing import Any, Sequence

from aiohttp import web
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.keys import is_kept
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.rule_page import rule_as_text
from ts_retry_ext.plain_text import visible
from ts_retry_ext.sidecar.answers import RequestError, age, ago, page_answer
from ts_retry_ext.sidecar.cause_cards import card_of, cause_id, page_of, progress_in_words, quoted
from ts_retry_ext.sidecar.event_chart import chart_of
from ts_retry_ext.sidecar.model_page import ModelReader, shown_of
from ts_retry_ext.sidecar.model_table import rows_of, table_of
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.sidecar.resumptions import Resumptions
from ts_retry_ext.sidecar.table_query import ORDER, TableQuery, table_query
from ts_retry_ext.snapshot.attempts import attempts_of
from ts_retry_ext.snapshot.down_in_words import local_time
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.server_snapshot import causes_of, how_many_are_down
from ts_retry_ext.store.halt_in_words import until
from ts_retry_ext.store.times import to_text

#: How often the page asks again where JavaScript is off, in seconds; while a model is resumed, and else.
SOON_SEC, LATER_SEC = 3, 30
#: Causes that have a card of their own; the table has the models of all.
MOST_CAUSES = 20
#: Models with problems in their retry settings that are listed on the start page.
MOST_PROBLEMS = 50
#: Pages that are kept, made once for all who ask: tables sorted and filtered in several ways.
_MOST_MADE = 16
_HERE = os.path.dirname(os.path.abspath(__file__))
#: Built-in rules by their place in the order in which they are asked.
_PLACES = {rule.id: place for place, rule in enumerate(BUILTIN_RULES, start=1)}
_TYPES = {"page.css": "text/css", "page.js": "text/javascript"}


class Pages:
    """Renders the pages from the newest picture."""

    def __init__(self, observer: Observer, resumptions: Resumptions) -> None:
        self._observer = observer
        self._resumptions = resumptions
        self._reader = ModelReader()
        self._made_of = -1
        self._made: dict[TableQuery, bytes] = {}
        self._templates = Environment(
            loader=FileSystemLoader(os.path.join(_HERE, "templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._templates.filters.update(
            shown=_shown,
            iso=to_text,
            local_time=local_time,
            until=until,
            ago=ago,
            age=age,
            quoted=quoted,
            rule_address=_address_of_rule,
            page=page_of,
        )

    def routes(self) -> list[web.RouteDef]:
        """Return where the pages are."""
        return [
            web.get("/", self.models),
            web.get("/model/{model}", self.model_of_any_version),
            web.get("/model/{model}/{version}", self.model),
            web.get("/rules/{rule}", _rule),
            web.get("/static/{name}", self.static),
        ]

    async def models(self, request: web.Request) -> web.Response:
        """Answer with the causes and the table of all models."""
        picture, query = self._observer.picture, table_query(request.query)
        if self._made_of != picture.number or len(self._made) > _MOST_MADE:
            self._made_of, self._made = picture.number, {}
        if query not in self._made:
            self._made[query] = self._models(picture, query)
        return page_answer(request, self._made[query])

    def _models(self, picture: Picture, query: TableQuery) -> bytes:
        progress = self._resumptions.shown(time.time())
        # Of causes with as many models, the one that needs somebody comes first.
        causes = causes_of(sorted(picture.models, key=lambda model: ORDER.index(model.state)))
        of_model = {model.key: cause_id(cause) for cause in causes for model in cause.models}
        steps = {key: one.message for key, one in progress.items() if one.is_running}
        cards = [card_of(cause, picture, progress) for cause in causes[:MOST_CAUSES]]
        carded = {model.key for card in cards for model in card.models}
        others = [one for key, one in progress.items() if key not in carded]
        resumed = progress_in_words(others)
        problems = [row for row in picture.effective if row.problems]
        return self._render(
            "models.html",
            picture,
            title=_title(picture),
            heading=_heading(picture),
            cards=cards,
            carded={card.id for card in cards},
            more_causes=len(causes) - len(cards),
            resumed=resumed,
            is_other_resuming=any(one.is_running for one in others),
            settings=problems[:MOST_PROBLEMS],
            settings_count=len(problems),
            query=query,
            here=query.address().partition("#")[0],
            table=table_of(rows_of(picture, of_model, steps), query),
            order=[state.value for state in ORDER],
            reload=query.reload,
            is_resuming=bool(steps),
        )

    async def model_of_any_version(self, request: web.Request) -> web.Response:
        """Lead to the version of a model that is down, else to the default one."""
        found = self._observer.picture.named(request.match_info["model"])
        if not found:
            return self._unknown_model(request.match_info["model"])

        def first(model: ModelStatus) -> tuple[bool, bool]:
            return not model.can_be_resumed, not (model.running and model.running.is_default)

        raise web.HTTPFound(page_of(min(found, key=first)))

    async def model(self, request: web.Request) -> web.Response:
        """Answer with the page of one version of a model."""
        name, version = request.match_info["model"], request.match_info["version"]
        picture = self._observer.picture
        found = picture.named(name, version)
        if not found:
            return self._unknown_model(name, version)
        model = found[0]
        attempts = attempts_of(model.records)
        now = time.time()
        progress = self._resumptions.shown(now).get(model.key)
        page = self._render(
            "model.html",
            picture,
            title=f"{model.state.value}: {model.model} {model.version}",
            item=shown_of(model, picture, now),
            here=page_of(model),
            progress=progress,
            attempts=attempts,
            chart=chart_of(attempts, now),
            reading=await self._reader.read(model, self._observer.target),
            reload=request.query.get("reload", ""),
            is_resuming=progress is not None and progress.is_running,
        )
        return page_answer(request, page)

    def _unknown_model(self, name: str, version: str | None = None) -> web.Response:
        """Answer that there is no such model, and lead to those that may be meant."""
        picture = self._observer.picture
        others = picture.named(name)
        if not others:
            names = {model.model for model in picture.models}
            near = difflib.get_close_matches(name[:200], names, n=5)
            others = tuple(model for one in near for model in picture.named(one))
        shown = name[:200] + (f" {version[:200]}" if version else "")
        text = (
            f"There is no model {shown}. It may have been unregistered, or the name is another one."
        )
        return self.message(404, "No such model", text, others)

    async def static(self, request: web.Request) -> web.Response:
        """Answer with the style sheet or the script."""
        name = request.match_info["name"]
        if name not in _TYPES:
            raise web.HTTPNotFound()
        with open(os.path.join(_HERE, "static", name), "rb") as stream:
            return web.Response(body=stream.read(), content_type=_TYPES[name], charset="utf-8")

    def message(
        self, status: int, heading: str, message: str, others: Sequence[ModelStatus] = ()
    ) -> web.Response:
        """Answer with a page that says one thing, and nothing of the server: anybody may get it."""
        template = self._templates.get_template("message.html")
        page = template.render(title=heading, heading=heading, message=message, others=others)
        body = page.encode("utf-8", "backslashreplace")
        return web.Response(body=body, status=status, content_type="text/html", charset="utf-8")

    def _render(self, template: str, picture: Picture, **values: Any) -> bytes:
        text = self._templates.get_template(template).render(
            picture=picture,
            server=picture.snapshot.server,
            reload_sec=SOON_SEC if values["is_resuming"] else LATER_SEC,
            asks_key=self._asks_key(picture),
            **values,
        )
        # What no encoding holds was made visible; this is for what came as a name.
        return text.encode("utf-8", "backslashreplace")

    def _asks_key(self, picture: Picture) -> bool:
        target = self._observer.target
        if self._observer.options.own_key_file is not None:
            return True
        refused = picture.health.condition in (Condition.REFUSED, Condition.EXPIRED_KEY)
        return refused or (target is not None and is_kept(target.endpoint.key_file))


def _heading(picture: Picture) -> str:
    if picture.snapshot.server is None:
        return "No TorchServe was found"
    down = how_many_are_down(picture.models)
    if picture.models and not picture.snapshot.server.running:
        return "The server does not answer; these are the models that it had"
    if down is not None:
        return down
    if not picture.is_complete:
        return f"The frontend is {picture.health.condition.value}"
    return f"{len(picture.models)} models, none is down"


def _title(picture: Picture) -> str:
    states = [model.state for model in picture.down]
    counts = [f"{states.count(s)} {s.value}" for s in ORDER if s in states]
    return f"({', '.join(counts)}) ts-retry" if counts else "ts-retry"


def _shown(text: object) -> str:
    """Return text with its control characters made visible; escaping is the template's."""
    return "" if text is None else visible(str(text), keep="\n\t")


def _address_of_rule(rule: str | None) -> str | None:
    """Return where a built-in rule is described; None for one of the operator's own, and for none."""
    return f"/rules/{rule}" if rule in _PLACES else None


async def _rule(request: web.Request) -> web.Response:
    """Answer with what a built-in rule asks, says and advises, in the words of ``ts-retry rules ID``."""
    name = request.match_info["rule"]
    place = _PLACES.get(name)
    if place is None:
        reason = (
            f"there is no built-in rule {name[:100]}; ts-retry rules shows rules of your own, too"
        )
        raise RequestError(404, reason)
    return web.Response(text=rule_as_text(BUILTIN_RULES[place - 1], place))
