"""What the dashboards of ``deploy/grafana`` ask Prometheus, with Grafana's variables filled in."""

from __future__ import annotations

import json
import re
import time
from typing import Any, Iterator, NamedTuple

from tests.deploy.manifests import DEPLOY
from tests.deploy.prometheus_server import Prometheus

DASHBOARDS = sorted((DEPLOY / "grafana").glob("*.json"))
_LABEL_VALUES = re.compile(r"label_values\((.+), (\w+)\)")


class Query(NamedTuple):
    """One question of a dashboard.

    Attributes:
        title: of the panel, the variable or the annotation.
        expression: in PromQL, or Grafana's ``label_values`` of a variable.
        is_instant: whether it is asked for one moment, and not for the time range.
    """

    title: str
    expression: str
    is_instant: bool


def queries(board: dict[str, Any]) -> Iterator[Query]:
    """Return everything that a dashboard asks."""
    for panel in board["panels"]:
        for target in panel["targets"]:
            yield Query(panel["title"], target["expr"], target.get("instant", False))
    for variable in board["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(f"${variable['name']}", variable["query"]["query"], True)
    for annotation in board["annotations"]["list"]:
        yield Query(annotation["name"], annotation["expr"], False)


def all_queries() -> Iterator[tuple[str, Query]]:
    """Return everything that all dashboards ask, each with the dashboard's name."""
    for path in DASHBOARDS:
        for query in queries(json.loads(path.read_text())):
            yield path.stem, query


def asked(
    prometheus: Prometheus, query: Query, range_sec: int, interval_sec: float, **chosen: str
) -> list[Any]:
    """Ask Prometheus as Grafana does.

    Args:
        prometheus: which one.
        query: the question.
        range_sec: the dashboard's time range, up to now.
        interval_sec: how often Prometheus scrapes.
        chosen: values of the dashboard's variables; what is not named is "All".
    """
    values = {
        "$__rate_interval": f"{int(max(4 * interval_sec, 1) * 1000)}ms",
        "$__range": f"{range_sec}s",
        "${__from:date:seconds}": f"{int(time.time() - range_sec)}",
        **{
            f"${name}": chosen.get(name, ".*") for name in ("namespace", "pod", "instance", "model")
        },
    }
    expression = query.expression
    for name, value in values.items():
        expression = expression.replace(name, value)
    assert "$" not in expression, f"{query.title}: a variable that nobody knows in {expression}"
    label_values = _LABEL_VALUES.fullmatch(expression)
    if label_values:
        return list(
            prometheus.ask(f"label/{label_values[2]}/values", **{"match[]": label_values[1]})
        )
    if query.is_instant:
        return prometheus.query(expression)
    return prometheus.query_range(expression, range_sec, max(range_sec / 500, interval_sec))
