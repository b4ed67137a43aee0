"""Prometheus' own tools and server on what the sidecar says and on the alert rules."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.servers import described, frontend
from tests.sidecar.sidecars import sidecar
from tests.snapshot.writing import failure, hold, record, write_journal
from ts_retry_ext.store.record import Event

RULES = Path(__file__).parents[2] / "deploy" / "prometheus"
PROMTOOL, PROMETHEUS = shutil.which("promtool"), shutil.which("prometheus")

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
        ("check", "config", str(RULES / "prometheus.yaml")),
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_promtool_finds_no_fault(arguments: tuple[str, ...]) -> None:
    promtool(*arguments)


def test_every_alert_has_a_test() -> None:
    (group,) = yaml.safe_load((RULES / "alerts.yaml").read_text())["groups"]
    tests = yaml.safe_load((RULES / "alerts.test.yaml").read_text())["tests"]
    tried = {
        case["alertname"]
        for test in tests
        for case in test["alert_rule_test"]
        if case.get("exp_alerts")
    }
    untried = {rule["alert"] for rule in group["rules"]} - tried
    # It is told that it goes away in time; that it comes is told of by the sidecar's own tests.
    assert untried <= {"TorchServeFrontendUnreachable"}


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
            (alert,) = _alerts(tmp_path, observing.address.partition("://")[2])
    assert alert["labels"]["alertname"] == "TorchServeModelHalted"
    assert alert["labels"]["model"] == "bad"
    assert "(rule syntax-error)" in alert["annotations"]["description"]


def _alerts(folder: Path, target: str) -> list[Any]:
    """Return the alerts that fire in a Prometheus with our rules, once there are any."""
    config = yaml.safe_load((RULES / "prometheus.yaml").read_text())
    config["global"] = {"scrape_interval": "250ms", "evaluation_interval": "250ms"}
    config["global"]["scrape_timeout"] = "250ms"
    config["rule_files"] = [str(RULES / "alerts.yaml")]
    config["scrape_configs"][0]["static_configs"][0]["targets"] = [target]
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(config))
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{found.getsockname()[1]}"
    command = [str(PROMETHEUS), f"--config.file={folder / 'prometheus.yaml'}"]
    command += [f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={address}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        for _ in range(600):
            fired = [a for a in _asked(f"http://{address}/api/v1/alerts") if a["state"] == "firing"]
            if fired:
                return fired
            time.sleep(0.1)
        raise AssertionError((folder / "prometheus.log").read_text())
    finally:
        process.terminate()
        process.wait(20)


def _asked(url: str) -> list[Any]:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return list(json.load(answer)["data"]["alerts"])
    except OSError:
        return []
