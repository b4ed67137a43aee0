"""What is in deploy/ fits the sidecar, Kubernetes, systemd and Grafana."""

from __future__ import annotations

import configparser
import json
import re
import shlex
from pathlib import Path

import pytest

from tests.deploy.dashboards import DASHBOARDS
from tests.deploy.manifests import (
    DEPLOY,
    Manifest,
    assert_valid,
    containers,
    documents,
    kubernetes_validate,
    kustomized,
    needs_kubectl,
    the,
)
from tests.snapshot.writing import START, failure, hold, record, write_journal
from ts_retry_ext.cli.main import _parser
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.foreground import launcher_options
from ts_retry_ext.frontend.properties import parse_properties
from ts_retry_ext.settings import resolve
from ts_retry_ext.sidecar.connections import Connections
from ts_retry_ext.sidecar.metrics import Metrics
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.sidecar.resumptions import Resumptions
from ts_retry_ext.sidecar.service import Service
from ts_retry_ext.sidecar.target import SidecarOptions
from ts_retry_ext.snapshot.model import WindowInForce
from ts_retry_ext.snapshot.server_snapshot import Snapshot
from ts_retry_ext.store.record import Event

TS_CONFIG = "/etc/torchserve/config.properties"
MONITORING = [
    *(DEPLOY / "prometheus" / name for name in ("alerts.yaml", "fleet.yaml")),
    *DASHBOARDS,
]
PLAIN = documents((DEPLOY / "kubernetes" / "torchserve.yaml").read_text())


def test_manifests_fit_the_schema_of_kubernetes() -> None:
    assert_valid(PLAIN)


def test_schema_check_finds_a_mistake() -> None:
    service = the("Service", PLAIN)
    misspelt = {**service, "spec": {**service["spec"], "prots": []}}
    with pytest.raises(kubernetes_validate.ValidationError):
        assert_valid([misspelt])


def test_probes_are_on_the_sidecar_and_ask_what_it_answers() -> None:
    routes = _routes()
    sidecar = containers(PLAIN)["ts-retry"]
    ports = {port["name"]: port["containerPort"] for port in sidecar["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = sidecar[probe]["httpGet"]
        assert asked["path"].partition("?")[0] in routes
        assert ports[asked["port"]] == 8083
        assert probe not in containers(PLAIN)["torchserve"]


def test_nothing_but_the_state_directory_is_writable_for_both_containers() -> None:
    for container in containers(PLAIN).values():
        mounts = container["volumeMounts"]
        assert {mount["name"] for mount in mounts if not mount.get("readOnly")} == {"state"}


def test_the_sidecar_sees_the_processes_of_the_server() -> None:
    pod = the("Deployment", PLAIN)["spec"]["template"]["spec"]
    assert pod["shareProcessNamespace"]
    # Of another user they could not be read.
    assert "runAsUser" in pod["securityContext"]
    users = [c.get("securityContext", {}).get("runAsUser") for c in pod["containers"]]
    assert users == [None, None]


def test_sigterm_reaches_the_server() -> None:
    command = containers(PLAIN)["torchserve"]["command"]
    assert command[:2] == ["ts-retry", "run"]
    assert "--foreground" in launcher_options(command[2:])


def test_commands_of_the_sidecar_are_ones_that_it_understands() -> None:
    command = containers(PLAIN)["ts-retry"]["command"]
    arguments = _parser(command[1:]).parse_args(command[1:])
    assert (arguments.ts_config, arguments.state_dir) == (TS_CONFIG, "/state")
    assert arguments.address == "http://0.0.0.0:8083"
    unit = _unit()
    words = shlex.split(unit["Service"]["ExecStart"])
    assert _parser(words[1:]).parse_args(words[1:]).ts_config == TS_CONFIG


def test_server_configuration_has_no_mistake() -> None:
    properties = parse_properties(the("ConfigMap", PLAIN)["data"]["config.properties"])
    settings, problems = resolve(properties, {})
    assert not problems
    assert settings.state_dir.value == "/state"


@needs_kubectl
def test_base_of_kustomize_is_the_plain_manifests() -> None:
    assert sorted(kustomized("kubernetes"), key=_kind) == sorted(PLAIN, key=_kind)


@needs_kubectl
def test_overlay_changes_what_it_names_and_stays_valid() -> None:
    manifests = kustomized("kustomize")
    assert_valid(manifests)
    changed = containers(manifests)
    assert {c["image"] for c in changed.values()} == {"registry.example.com/torchserve:1"}
    assert changed["torchserve"]["env"] == [{"name": "TS_RETRY_ON_FATAL", "value": "hold"}]
    monitor = the("PodMonitor", manifests)
    ports = {p["name"] for p in changed["ts-retry"]["ports"]}
    assert {e["port"] for e in monitor["spec"]["podMetricsEndpoints"]} <= ports
    labels = the("Deployment", manifests)["spec"]["template"]["metadata"]["labels"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()


def test_unit_restarts_what_ends_and_runs_as_the_servers_user() -> None:
    service = _unit()["Service"]
    assert (service["Restart"], service["User"]) == ("always", "torchserve")


@pytest.mark.parametrize("path", MONITORING, ids=lambda path: path.name)
def test_alerts_and_dashboards_use_metrics_that_there_are(path: Path, tmp_path: Path) -> None:
    used = set(re.findall(r"ts_retry_[a-z_]+", path.read_text()))
    assert used
    assert used <= _metrics(tmp_path)


@pytest.mark.parametrize("path", DASHBOARDS, ids=lambda path: path.name)
def test_dashboard_has_one_data_source_and_no_panel_twice(path: Path) -> None:
    board = json.loads(path.read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    variables = [variable["name"] for variable in board["templating"]["list"]]
    assert board["templating"]["list"][0]["type"] == "datasource"
    assert {"namespace", "pod", "model"} <= set(variables)
    places = [panel["gridPos"] for panel in panels]
    assert len(set().union(*map(_cells, places))) == sum(p["w"] * p["h"] for p in places)


def _cells(place: dict[str, int]) -> set[tuple[int, int]]:
    columns = range(place["x"], place["x"] + place["w"])
    return {(x, y) for x in columns for y in range(place["y"], place["y"] + place["h"])}


def _kind(manifest: Manifest) -> str:
    return str(manifest["kind"])


def _unit() -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read(DEPLOY / "systemd" / "ts-retry-sidecar.service")
    return unit


def _routes() -> set[str]:
    import asyncio

    async def routes() -> set[str]:
        observer = Observer(SidecarOptions())
        application = Service(observer, Resumptions(observer), Connections()).application()
        return {resource.canonical for resource in application.router.resources()}

    return asyncio.run(routes())


def _metrics(folder: Path) -> set[str]:
    """Return the names of all metrics, of a server that has some of each."""
    from tests.frontend.api import described
    from ts_retry_ext.frontend.running_model import running_model
    from ts_retry_ext.snapshot.join import status_of
    from ts_retry_ext.snapshot.registration_files import read_registration
    from ts_retry_ext.store.times import to_text

    write_journal(folder / "m", record(Event.START, 0), failure(1))
    hold(folder / "m", 77, waits_for=("files", "time"), next_trial_at=to_text(START + 60))
    status = status_of(
        running_model(described(), "1.0"),
        read_registration(str(folder / "m")),
        WindowInForce(300, "default"),
        now=0.0,
        died_by=None,
    )
    picture = Picture(1, 0.0, Snapshot(None, (status,)), (), FrontendHealth(Condition.OK))
    text = Metrics().text(picture).decode()
    return set(re.findall(r"^# TYPE (\S+)", text, re.MULTILINE)) | {"ts_retry_ext"}
