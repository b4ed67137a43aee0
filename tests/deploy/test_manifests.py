"""What is in deploy/ fits the sidecar, Kubernetes, systemd and Grafana."""

from __future__ import annotations

import configparser
import importlib
import json
import re
import shlex
from pathlib import Path
from typing import Any, Iterator

import pytest
import yaml

from tests.snapshot.writing import START, failure, hold, record, write_journal
from ts_retry_ext.cli.main import _parser
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.properties import parse_properties
from ts_retry_ext.settings import resolve
from ts_retry_ext.sidecar.connections import Connections
from ts_retry_ext.sidecar.frontend_health import FrontendHealth
from ts_retry_ext.sidecar.metrics import Metrics
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.options import SidecarOptions
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.sidecar.resumptions import Resumptions
from ts_retry_ext.sidecar.service import Service
from ts_retry_ext.snapshot.model import Snapshot, WindowInForce
from ts_retry_ext.store.record import Event

DEPLOY = Path(__file__).parents[2] / "deploy"
# Imported so that the static checks do not need it.
kubernetes_validate: Any = importlib.import_module("kubernetes_validate.utils")
VERSIONS = (kubernetes_validate.all_versions()[0], kubernetes_validate.latest_version())


def documents() -> Iterator[dict[str, Any]]:
    yield from yaml.safe_load_all((DEPLOY / "kubernetes" / "torchserve.yaml").read_text())


def containers() -> dict[str, dict[str, Any]]:
    (deployment,) = (d for d in documents() if d["kind"] == "Deployment")
    return {c["name"]: c for c in deployment["spec"]["template"]["spec"]["containers"]}


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("document", list(documents()), ids=lambda document: document["kind"])
def test_manifest_fits_the_schema_of_kubernetes(document: dict[str, Any], version: str) -> None:
    assert kubernetes_validate.validate(document, version, strict=True)


def test_schema_check_finds_a_mistake() -> None:
    (service,) = (d for d in documents() if d["kind"] == "Service")
    service["spec"]["prots"] = []
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(service, VERSIONS[-1], strict=True)


def test_probes_are_on_the_sidecar_and_ask_what_it_answers() -> None:
    routes = _routes()
    sidecar = containers()["ts-retry"]
    ports = {port["name"]: port["containerPort"] for port in sidecar["ports"]}
    for probe in ("startupProbe", "livenessProbe", "readinessProbe"):
        asked = sidecar[probe]["httpGet"]
        assert asked["path"].partition("?")[0] in routes
        assert ports[asked["port"]] == 8083
        assert probe not in containers()["torchserve"]


def test_containers_share_the_state_directory_only() -> None:
    mounts = [{v["name"] for v in c["volumeMounts"]} for c in containers().values()]
    assert set.intersection(*mounts) == {"state"}


def test_commands_of_the_sidecar_are_ones_that_it_understands() -> None:
    command = containers()["ts-retry"]["command"]
    arguments = _parser(command[1:]).parse_args(command[1:])
    assert (arguments.state_dir, arguments.address) == ("/state", "http://0.0.0.0:8083")
    unit = _unit()
    words = shlex.split(unit["Service"]["ExecStart"])
    assert _parser(words[1:]).parse_args(words[1:]).ts_config == "/etc/torchserve/config.properties"


def test_server_configuration_has_no_mistake() -> None:
    (config,) = (d for d in documents() if d["kind"] == "ConfigMap")
    properties = parse_properties(config["data"]["config.properties"])
    settings, problems = resolve(properties, {})
    assert not problems
    assert settings.state_dir.value == "/state"


def test_unit_restarts_what_ends_and_runs_as_the_servers_user() -> None:
    service = _unit()["Service"]
    assert (service["Restart"], service["User"]) == ("always", "torchserve")


def test_alerts_and_dashboard_use_metrics_that_there_are(tmp_path: Path) -> None:
    known = _metrics(tmp_path)
    alerts = (DEPLOY / "prometheus" / "alerts.yaml").read_text()
    board = (DEPLOY / "grafana" / "ts-retry.json").read_text()
    for text in (alerts, board):
        used = set(re.findall(r"ts_retry_[a-z_]+", text))
        assert used
        assert used <= known


def test_dashboard_has_one_data_source_and_no_panel_twice() -> None:
    board = json.loads((DEPLOY / "grafana" / "ts-retry.json").read_text())
    panels = board["panels"]
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert {panel["datasource"]["uid"] for panel in panels} == {"${datasource}"}
    assert board["templating"]["list"][0]["type"] == "datasource"


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
