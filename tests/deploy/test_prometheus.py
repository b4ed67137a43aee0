"""Prometheus' own tools and server on what the sidecar says and on the alert rules."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from tests.cli.servers import described, frontend
from tests.deploy.dashboards import all_queries, asked
from tests.deploy.prometheus_server import PROMETHEUS, RULES, configuration, prometheus
from tests.deploy.stand_ins import OF_ONE_SERVER, Fleet, answering
from tests.sidecar.fleets import CAUSES
from tests.sidecar.sidecars import sidecar
from tests.snapshot.writing import failure, hold, record, write_journal
from ts_retry_ext.store.record import Event

PROMTOOL = shutil.which("promtool")

needs_promtool = pytest.mark.skipif(PROMTOOL is None, reason="no promtool on this machine")
needs_prometheus = pytest.mark.skipif(PROMETHEUS is None, reason="no prometheus on this machine")


def promtool(*arguments: str, stdin: str = "") -> str:
    """Run promtool and return what it says; fail where it finds a fault."""
    command = [str(PROMTOOL), *arguments]
    done = subprocess.run(command, input=stdin, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@needs_promtool
@pytest.mark.parametrize(
    "arguments",
    [
        ("test", "rules", str(RULES / "alerts.test.yaml")),
        ("check", "rules", str(RULES / "alerts.yaml")),
        ("test", "rules", str(RULES / "fleet.test.yaml")),
        ("check", "rules", str(RULES / "fleet.yaml")),
        ("check", "config", str(RULES / "prometheus.yaml")),
        ("check", "config", str(RULES / "prometheus-fleet.yaml")),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_promtool_finds_no_fault(arguments: tuple[str, ...]) -> None:
    promtool(*arguments)


@pytest.mark.parametrize("name", ["alerts", "fleet"])
def test_every_alert_has_a_test(name: str) -> None:
    (group,) = yaml.safe_load((RULES / f"{name}.yaml").read_text())["groups"]
    tests = yaml.safe_load((RULES / f"{name}.test.yaml").read_text())["tests"]
    tried = {
        (case["alertname"], alert["exp_labels"]["severity"])
        for test in tests
        for case in test["alert_rule_test"]
        for alert in case.get("exp_alerts", ())
    }
    alerts = {
        (rule["alert"], rule["labels"]["severity"]) for rule in group["rules"] if "alert" in rule
    }
    # It is told that it goes away in time; that it comes is told of by the sidecar's own tests.
    assert alerts - tried <= {("TorchServeFrontendUnreachable", "critical")}


def test_alertmanager_inhibits_alerts_that_there_are() -> None:
    """Debian's amtool 0.25 finds no fault in it, either."""
    groups = [yaml.safe_load((RULES / name).read_text()) for name in ("alerts.yaml", "fleet.yaml")]
    known = {rule.get("alert") for group in groups for rule in group["groups"][0]["rules"]}
    config = yaml.safe_load((RULES / "alertmanager.yaml").read_text())
    for rule in config["inhibit_rules"]:
        for matcher in (*rule["source_matchers"], *rule["target_matchers"]):
            label, _, value = (part.strip(' "') for part in re.split("(=~|=)", matcher))
            if label == "alertname":
                assert any(re.fullmatch(value, str(name)) for name in known), matcher


@needs_promtool
@needs_prometheus
def test_real_prometheus_scrapes_the_sidecar_and_raises_the_alarm(tmp_path: Path) -> None:
    with frontend(tmp_path / "run") as server:
        server.register(described("bad"))
        server.api.answers["GET /ping"] = {"status": "Healthy"}
        folder = write_journal(
            server.kept / "bad",
            record(Event.START, 0, pid=77, model="bad"),
            failure(1, pid=77, model="bad"),
        )
        hold(folder, 77, model="bad")
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        with sidecar(tmp_path / "sidecar", *options) as observing:
            observing.wait_for(lambda: observing.states() == {"bad": "halted"}, "it is seen")
            promtool("check", "metrics", stdin=observing.ask("/metrics").text)
            config = configuration("prometheus.yaml", "250ms")
            target = observing.address.partition("://")[2]
            config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
            with prometheus(tmp_path, config) as running:
                running.wait_until('count(ALERTS{alertstate="firing"})', 1)
                alerts = running.ask("alerts")["alerts"]
    (alert,) = (alert for alert in alerts if alert["state"] == "firing")
    assert alert["labels"]["alertname"] == "TorchServeModelHalted"
    assert alert["labels"]["model"] == "bad"
    assert "(rule syntax-error)" in alert["annotations"]["description"]


@needs_prometheus
def test_every_query_of_the_dashboards_has_an_answer(tmp_path: Path) -> None:
    """The pods come as Kubernetes' discovery has them, which Debian's Prometheus lacks, from a file."""
    config = configuration("prometheus-kubernetes.yaml", "250ms")
    (job,) = config["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod"}]
    job["file_sd_configs"] = [{"files": [str(tmp_path / "pods.json")]}]
    with answering(Fleet(tmp_path / "fleet", servers=3, models=8)) as addresses:
        targets = [
            {
                "targets": [address],
                "labels": {
                    "__meta_kubernetes_namespace": "serving",
                    "__meta_kubernetes_pod_name": f"torchserve-{number}",
                    "__meta_kubernetes_pod_container_port_name": port,
                    "__meta_kubernetes_pod_phase": phase,
                },
            }
            for number, address in enumerate(addresses)
            for port, phase in (
                ("ts-retry", "Running"),
                ("http", "Running"),
                ("ts-retry", "Failed"),
            )
        ]
        (tmp_path / "pods.json").write_text(json.dumps(targets))
        with prometheus(tmp_path, config) as running:
            running.wait_until("max(ts_retry:cause_first_seen:timestamp > bool 0)", 1)
            running.wait_until("max(count_over_time(ts_retry_trials_total[1m]) > bool 3)", 1)
            running.wait_until("sum(ts_retry:servers:count)", 3)
            for board, query in all_queries():
                # A panel shows 0 where nothing is found; here something has to be.
                bare = query._replace(expression=query.expression.removesuffix(" or vector(0)"))
                found = asked(running, bare, range_sec=900, interval_sec=0.25)
                assert found, f"{board}, {query.title}: no answer to {query.expression}"
            one = {"namespace": "serving", "pod": "torchserve-1"}
            for board, query in all_queries():
                found = asked(running, query, range_sec=900, interval_sec=0.25, **one)
                assert "torchserve-0" not in json.dumps(found) or query.title == "$pod", (
                    board,
                    query,
                )
            assert running.value('count(up{namespace="serving"})') == 3
            new = running.query('ALERTS{alertname="TorchServeNewCause"}')
            assert {series["metric"]["fingerprint"] for series in new} == {
                CAUSES[OF_ONE_SERVER]["fingerprint"]
            }
