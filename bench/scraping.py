"""Measure what a fleet of sidecars costs a Prometheus, and ask it everything that the dashboards ask.

    python -m bench.scraping [--servers 30 300] [--models 60] [--watch 120]

The servers are stand-ins on ports of one process; their metrics are made by the sidecar's own code, from
journals and markers. Prometheus is the one that is installed, with the scrape configuration and the rules
of ``deploy/prometheus``. A query that fails, or that finds nothing, ends the bench. Prints a table, and
the numbers as JSON on the last line.
"""

from __future__ import annotations

import json
import statistics
import sys
import tempfile
import time
import urllib.request
from pathlib import Path
from typing import Any, Mapping

import psutil

from bench.report import Table, now, parser, publish
from tests.deploy.dashboards import all_queries, asked
from tests.deploy.prometheus_server import PROMETHEUS, Prometheus, configuration, prometheus
from tests.deploy.stand_ins import Fleet, answering

#: What ``deploy/prometheus`` has, and the chart.
INTERVAL_SEC = 15
#: Until each server has been scraped and each alert has had its minute.
WARM_UP_SEC = 90.0
#: The dashboards' own time range.
RANGE_SEC = 3 * 3600
_MADE = 20
_BY_SERVER = 'count(ALERTS{alertstate="firing",alertname=~"TorchServeModel(Halted|Waiting.*)"})'
#: A critical one inhibits its warning.
_BY_CAUSE = """
count(count by (fingerprint) (ALERTS{alertstate="firing",alertname="TorchServeCause"}))
"""
_ROWS = (
    ("scrape_bytes", "one scrape", "{:,.0f} bytes"),
    ("scrape_samples", "series of one server", "{:,.0f}"),
    ("make_ms", "time that the sidecar takes to write its metrics anew (shortest of 20)", "{:.1f} ms"),
    ("scrape_ms", "a scrape takes (median)", "{:.1f} ms"),
    ("longest_scrape_ms", "the longest of all servers", "{:.0f} ms"),
    ("series", "series in Prometheus' head", "{:,.0f}"),
    ("recorded_series", "of these, recorded by the rules", "{:,.0f}"),
    ("alert_series", "of these, alerts that are pending or fire", "{:,.0f}"),
    ("resident_mb", "resident memory of Prometheus", "{:,.0f} MB"),
    ("empty_resident_mb", "the same before the first scrape", "{:,.0f} MB"),
    ("cpu_percent_of_a_core", "processor time of Prometheus, of a core", "{:.1f} %"),
    ("alerts_ms", "alerts.yaml is evaluated in", "{:.1f} ms"),
    ("fleet_ms", "fleet.yaml is evaluated in", "{:.1f} ms"),
    ("queries", "queries of the dashboards, none failed or empty", "{:,.0f}"),
    ("queries_sec", "all of them together", "{:.2f} s"),
    ("slowest_query_sec", "the slowest", "{:.2f} s"),
    ("slowest_query", "which", "{}"),
    ("alerts_by_server", "alerts about one server that fire: halted, waiting, waiting for long", "{:,.0f}"),
    ("alerts_by_cause", "causes with an alert TorchServeCause that fires", "{:,.0f}"),
)  # fmt: skip


def measure(servers: int, models: int, watch_sec: float) -> dict[str, Any]:
    """Return the figures of a fleet."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        fleet = Fleet(root / "fleet", servers, models)
        made = [_made_ms(fleet) for _ in range(_MADE)]
        config = configuration("prometheus-fleet.yaml", f"{INTERVAL_SEC}s")
        config["scrape_configs"][0]["file_sd_configs"] = [{"files": [str(root / "servers.json")]}]
        with prometheus(root, config) as running, answering(fleet) as addresses:
            process = psutil.Process(running.process.pid)
            time.sleep(5)
            empty = process.memory_info().rss
            (root / "servers.json").write_text(json.dumps(_targets(addresses)))
            running.wait_until("sum(up)", servers, 120)
            time.sleep(WARM_UP_SEC)
            cpu, begun = sum(process.cpu_times()[:2]), time.monotonic()
            time.sleep(watch_sec)
            share = (sum(process.cpu_times()[:2]) - cpu) / (time.monotonic() - begun)
            found = _seen(running)
            resident = process.memory_info().rss
            found.update(_queries(running))
        return {
            "servers": servers,
            "scrape_bytes": statistics.mean(len(text) for text in fleet.texts),
            "make_ms": min(made),
            "resident_mb": resident / 1e6,
            "empty_resident_mb": empty / 1e6,
            "cpu_percent_of_a_core": share * 100,
            **found,
        }


def _made_ms(fleet: Fleet) -> float:
    begun = time.perf_counter()
    fleet.text(1)
    return (time.perf_counter() - begun) * 1e3


def _targets(addresses: list[str]) -> list[dict[str, Any]]:
    return [
        {"targets": [address], "labels": {"namespace": "serving", "pod": f"torchserve-{n}"}}
        for n, address in enumerate(addresses)
    ]


def _seen(running: Prometheus) -> dict[str, float]:
    """Return what Prometheus says of its scrapes, its series and its rules."""
    own = _own_metrics(running)
    rules = {
        name: 1e3 * seconds
        for group, seconds in own.items()
        for name in ("alerts", "fleet")
        if group.startswith("prometheus_rule_group_last_duration_seconds")
        and f"{name}.yaml" in group
    }
    return {
        "scrape_samples": running.value("avg(scrape_samples_scraped)"),
        "scrape_ms": 1e3 * running.value("quantile(0.5, scrape_duration_seconds)"),
        "longest_scrape_ms": 1e3 * running.value("max(max_over_time(scrape_duration_seconds[2m]))"),
        "series": own["prometheus_tsdb_head_series"],
        "recorded_series": running.value('count({__name__=~"ts_retry:.+"})'),
        "alert_series": running.value('count({__name__=~"ALERTS.*"})'),
        "alerts_ms": rules["alerts"],
        "fleet_ms": rules["fleet"],
        "alerts_by_server": running.value(_BY_SERVER),
        "alerts_by_cause": running.value(_BY_CAUSE),
    }


def _own_metrics(running: Prometheus) -> dict[str, float]:
    """Return what Prometheus says of itself, by name and labels."""
    with urllib.request.urlopen(f"http://{running.address}/metrics", timeout=30) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


def _queries(running: Prometheus) -> dict[str, Any]:
    """Ask everything that the dashboards ask.

    Raises:
        SystemExit: a query finds nothing.
    """
    took: list[tuple[float, str]] = []
    for board, query in all_queries():
        begun = time.perf_counter()
        if not asked(running, query, RANGE_SEC, INTERVAL_SEC):
            sys.exit(f"{board}, {query.title}: no answer to {query.expression}")
        took.append((time.perf_counter() - begun, f"{board}, {query.title}"))
    slowest, where = max(took)
    return {
        "queries": len(took),
        "queries_sec": sum(seconds for seconds, _ in took),
        "slowest_query_sec": slowest,
        "slowest_query": where,
    }


def table(found: Mapping[str, Any]) -> Table:
    """Return a column for each number of servers."""
    sizes = found["fleets"]
    rows = [[title, *(form.format(size[key]) for size in sizes)] for key, title, form in _ROWS]
    first = f"{found['models']} models on each, scraped every {found['interval_sec']} s"
    return Table([first, *(f"{size['servers']:,} servers" for size in sizes)], rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--servers", type=int, nargs="+", default=[30, 300])
    options.add_argument("--models", type=int, default=60, help="models of each server")
    options.add_argument("--watch", type=float, default=120.0, help="seconds to watch Prometheus")
    arguments = options.parse_args()
    if PROMETHEUS is None:
        sys.exit("no prometheus on this machine: install Debian's package of that name")
    begun_at = now()
    fleets = [measure(size, arguments.models, arguments.watch) for size in arguments.servers]
    found = {"models": arguments.models, "interval_sec": INTERVAL_SEC, "fleets": fleets}
    publish("scraping", found, table(found), begun_at)


if __name__ == "__main__":
    main()
