"""The Helm chart, rendered by Helm itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.deploy.manifests import (
    CHART,
    DEPLOY,
    HELM,
    assert_valid,
    containers,
    documents,
    needs_helm,
    rendered,
    said_by,
    the,
)
from tests.deploy.test_prometheus import needs_promtool, promtool
from ts_retry_ext.cli.main import _parser
from ts_retry_ext.frontend.properties import parse_properties
from ts_retry_ext.judge.user_rules import rules_from_data
from ts_retry_ext.settings import OnFatal, resolve

pytestmark = needs_helm

#: Everything that the chart leaves out by default.
EVERYTHING = {
    "imagePullSecrets": [{"name": "registry"}],
    "retry": {
        "onFatal": "hold",
        "readyWhen": "digits,words",
        "rules": [
            {
                "id": "licence-server-refused",
                "when": {"message": "no licence: %d {{ .Values }}"},
                "verdict": "non_recoverable",
                "reason": "The licence server has no seat left for this host.",
                "remedy": "Ask the platform team for a seat.",
            }
        ],
    },
    "torchserve": {
        "config": {"default_startup_timeout": 300},
        "env": [{"name": "OMP_NUM_THREADS", "value": "2"}],
    },
    "plugin": {"enabled": True},
    "sidecar": {
        "allowHosts": ["a: b", "models.example.com"],
        "ownKeySecret": "resume",
        "logFormat": "json",
    },
    "probes": {"readiness": {"model": "größe & co"}},
    "service": {"annotations": {"a": "b"}},
    "podMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}},
    "alerts": {"enabled": True, "labels": {"release": "prometheus"}},
    "dashboard": {"enabled": True},
    "serviceAccountName": "123",
    "podAnnotations": {"a": "1"},
    "podLabels": {"team": "x"},
    "nodeSelector": {"gpu": "yes"},
    "tolerations": [{"operator": "Exists"}],
    "affinity": {"podAntiAffinity": {}},
}


def values(folder: Path, **chosen: Any) -> str:
    """Write values and return the option that names them."""
    file = folder / "values.yaml"
    file.write_text(yaml.safe_dump(chosen))
    return f"--values={file}"


def properties_of(*options: str) -> dict[str, str]:
    """Return the server's configuration in what is rendered."""
    return parse_properties(_config(*options)["config.properties"])


def test_lint_finds_no_fault(tmp_path: Path) -> None:
    for options in ((), (values(tmp_path, **EVERYTHING),)):
        done = said_by(str(HELM), "lint", "--strict", str(CHART), *options)
        assert "0 chart(s) failed" in done.stdout, done.stdout + done.stderr
        assert "[WARNING]" not in done.stdout


@pytest.mark.parametrize(
    "chosen",
    [{}, EVERYTHING, {"sidecar": {"enabled": False}, "retry": {"onFatal": "reject"}}],
    ids=["defaults", "everything", "no sidecar"],
)
def test_what_is_rendered_fits_the_schema_of_kubernetes(
    chosen: dict[str, Any], tmp_path: Path
) -> None:
    manifests = rendered(values(tmp_path, **chosen))
    assert {manifest["kind"] for manifest in manifests} >= {"ConfigMap", "Deployment", "Service"}
    assert_valid(manifests)


def test_by_default_the_chart_is_the_plain_manifests() -> None:
    """But for names, labels and the names of the Service, which only a chart knows."""
    chart = rendered()
    plain = documents((DEPLOY / "kubernetes" / "torchserve.yaml").read_text())
    ours, theirs = containers(chart), containers(plain)
    sidecar = ours["ts-retry"]["command"]
    hosts = [word for word in sidecar if word.startswith(("--allow-host", "--log-format"))]
    assert hosts[1:] == [
        f"--allow-host=models-ts-retry{tail}"
        for tail in ("", ".serving", ".serving.svc", ".serving.svc.cluster.local")
    ]
    ours["ts-retry"]["command"] = [word for word in sidecar if word not in hosts]
    for container in ours.values():
        assert container.pop("imagePullPolicy") == "IfNotPresent"
    assert ours == theirs
    pods = [the("Deployment", among)["spec"]["template"]["spec"] for among in (chart, plain)]
    for pod in pods:
        pod.pop("containers")
        pod["volumes"][0].pop("configMap")
    assert pods[0] == pods[1]
    theirs_config = parse_properties(the("ConfigMap", plain)["data"]["config.properties"])
    assert properties_of() == {**theirs_config, "retry_ready_when": "any"}
    assert the("Service", chart)["spec"]["ports"] == the("Service", plain)["spec"]["ports"]


def test_command_of_the_sidecar_is_one_that_it_understands(tmp_path: Path) -> None:
    command = containers(rendered(values(tmp_path, **EVERYTHING)))["ts-retry"]["command"]
    arguments = _parser(command[1:]).parse_args(command[1:])
    assert arguments.allow_host[-1] == "models.example.com"
    assert arguments.own_key_file == "/etc/ts-retry/key"
    assert arguments.log_format == "json"


def test_settings_and_rules_are_ones_that_the_package_understands(tmp_path: Path) -> None:
    data = _config(values(tmp_path, **EVERYTHING))
    properties = parse_properties(data["config.properties"])
    settings, problems = resolve(properties, {})
    assert not problems
    assert settings.on_fatal.value is OnFatal.HOLD
    assert properties["retry_rules"] == "/etc/torchserve/retry-rules.yaml"
    assert properties["plugins_path"] == "/home/model-server/ts-retry-plugin"
    rules, faults = rules_from_data(yaml.safe_load(data["retry-rules.yaml"]), "chart")
    assert ([rule.id for rule in rules], faults) == (["licence-server-refused"], ())


def test_numbers_and_empty_values_of_config_are_written_as_they_are_meant(tmp_path: Path) -> None:
    """Helm reads numbers as floats, and its merge passes over false and 0."""
    option = values(
        tmp_path,
        torchserve={
            "config": {
                "max_request_size": 655350000,
                "default_response_timeout": 0,
                "disable_token_authorization": False,
                "default_workers_per_model": None,
                "models": {"digits": {"1.0": {"minWorkers": 2}}},
                "retry_first_trial": 2.5,
            }
        },
    )
    properties = properties_of(option)
    assert properties["max_request_size"] == "655350000"
    assert properties["default_response_timeout"] == "0"
    assert properties["disable_token_authorization"] == "false"
    assert "default_workers_per_model" not in properties
    assert json.loads(properties["models"]) == {"digits": {"1.0": {"minWorkers": 2}}}
    assert properties["retry_first_trial"] == "2.5"


def test_another_configuration_makes_new_pods() -> None:
    def checksum(*options: str) -> str:
        template = the("Deployment", rendered(*options))["spec"]["template"]
        return str(template["metadata"]["annotations"]["checksum/config"])

    assert checksum() == checksum("--set=replicas=3,sidecar.logFormat=json")
    rule = "id=a,retry.rules[0].verdict=unknown,retry.rules[0].when.message=x"
    for change in ("retry.onFatal=hold", f"retry.rules[0].{rule}"):
        assert checksum() != checksum(f"--set={change}")


def test_probes_ask_for_the_model_that_is_named(tmp_path: Path) -> None:
    option = values(tmp_path, probes={"readiness": {"model": "größe & co"}})
    probe = containers(rendered(option))["ts-retry"]["readinessProbe"]
    assert probe["httpGet"]["path"] == "/readyz?model=gr%C3%B6%C3%9Fe+%26+co"


def test_without_a_sidecar_torchserve_is_asked_and_never_restarted() -> None:
    manifests = rendered("--set=sidecar.enabled=false,retry.onFatal=hold")
    assert "shareProcessNamespace" not in the("Deployment", manifests)["spec"]["template"]["spec"]
    (server,) = containers(manifests).values()
    assert server["readinessProbe"]["httpGet"] == {"path": "/ping", "port": "inference"}
    assert "livenessProbe" not in server
    assert "startupProbe" not in server


@needs_promtool
def test_alerts_are_the_rules_of_prometheus(tmp_path: Path) -> None:
    rule = the("PrometheusRule", rendered(values(tmp_path, **EVERYTHING)))
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule["spec"]))
    promtool("check", "rules", str(tmp_path / "rules.yaml"))
    files = [DEPLOY / "prometheus" / name for name in ("alerts.yaml", "fleet.yaml")]
    groups = [group for file in files for group in yaml.safe_load(file.read_text())["groups"]]
    assert rule["spec"]["groups"] == groups
    only = the("PrometheusRule", rendered("--set=alerts.enabled=true,alerts.fleet=false"))
    assert only["spec"]["groups"] == groups[:1]


def test_dashboards_are_those_of_grafana() -> None:
    (boards,) = (
        manifest["data"]
        for manifest in rendered("--set=dashboard.enabled=true")
        if manifest["metadata"]["name"].endswith("-dashboard")
    )
    sources = {path.name: path for path in (DEPLOY / "grafana").glob("*.json")}
    assert boards.keys() == sources.keys()
    for name, path in sources.items():
        assert json.loads(boards[name]) == json.loads(path.read_bytes())


def test_another_source_of_the_models_takes_the_place_of_the_defaults_claim() -> None:
    """Helm merges the values; Kubernetes refuses a volume with two sources."""
    pod = the("Deployment", rendered("--set=models.volume.hostPath.path=/srv/models"))
    volumes = {volume["name"]: volume for volume in pod["spec"]["template"]["spec"]["volumes"]}
    assert volumes["models"] == {"name": "models", "hostPath": {"path": "/srv/models"}}


def _config(*options: str) -> dict[str, str]:
    (data,) = (
        manifest["data"]
        for manifest in rendered(*options)
        if manifest["kind"] == "ConfigMap" and "config.properties" in manifest["data"]
    )
    return dict(data)
