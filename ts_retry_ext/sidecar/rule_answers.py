"""``/rules/ID``: what a built-in rule asks, says and advises, in the words of ``ts-retry rules ID``."""

from __future__ import annotations

from aiohttp import web

from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.rule_page import rule_as_text
from ts_retry_ext.sidecar.request_errors import RequestError

_PLACES = {rule.id: place for place, rule in enumerate(BUILTIN_RULES, start=1)}


def routes() -> list[web.RouteDef]:
    """Return where the rules are."""
    return [web.get("/rules/{rule}", _rule)]


def address_of_rule(rule: str | None) -> str | None:
    """Return where a built-in rule is described; None for one of the operator's own, and for none."""
    return f"/rules/{rule}" if rule in _PLACES else None


async def _rule(request: web.Request) -> web.Response:
    name = request.match_info["rule"]
    place = _PLACES.get(name)
    if place is None:
        reason = (
            f"there is no built-in rule {name[:100]}; ts-retry rules shows rules of your own, too"
        )
        raise RequestError(404, reason)
    return web.Response(text=rule_as_text(BUILTIN_RULES[place - 1], place))
