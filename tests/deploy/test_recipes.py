"""The image, and what runs it: Job, KServe, Docker Compose, systemd."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from pathlib import Path

import pytest
import yaml

from tests.deploy.manifests import (
    CHART,
    DEPLOY,
    VERSIONS,
    Manifest,
    assert_valid,
    documents,
    said_by,
    the,
)
from ts_retry_ext.cli.main import _parser
from ts_retry_ext.cli.printing import HALTED
from ts_retry_ext.frontend.foreground import launcher_options
from ts_retry_ext.frontend.properties import parse_properties
from ts_retry_ext.settings import OnFatal, resolve

JOB = documents((DEPLOY / "kubernetes" / "job.yaml").read_text())
RUNTIME = documents((DEPLOY / "kserve" / "servingruntime.yaml").read_text())[0]
SERVICE = documents((DEPLOY / "kserve" / "inferenceservice.yaml").read_text())[0]
COMPOSE: Manifest = yaml.safe_load((DEPLOY / "docker" / "compose.yaml").read_text())
ANALYZE = shutil.which("systemd-analyze")


def test_paths_of_the_image_are_those_that_the_dockerfile_makes() -> None:
    dockerfile = (DEPLOY / "docker" / "Dockerfile").read_text()
    plugin = yaml.safe_load((CHART / "values.yaml").read_text())["plugin"]["path"]
    assert f"print(FOLDER)')\" {plugin} " in dockerfile
    assert f"--plugins-path={plugin}" in _kserve_container()["args"]
    (_, state) = COMPOSE["services"]["ts-retry"]["volumes"][1].split(":")
    assert f"mkdir {state}\n" in dockerfile


def test_job_fits_the_schema_and_fails_only_for_a_model_that_cannot_load() -> None:
    # The schemas before 1.29 ask for onPodConditions in each rule.
    assert_valid(JOB, ("1.29", VERSIONS[-1]))
    spec = the("Job", JOB)["spec"]
    drained, halted = spec["podFailurePolicy"]["rules"]
    assert drained["action"] == "Ignore"
    assert (halted["action"], halted["onExitCodes"]["values"]) == ("FailJob", [HALTED])
    pod = spec["template"]["spec"]
    assert halted["onExitCodes"]["containerName"] == pod["containers"][0]["name"]
    settings, problems = resolve(
        parse_properties(the("ConfigMap", JOB)["data"]["config.properties"]), {}
    )
    assert not problems
    assert settings.on_fatal.value is OnFatal.SHUTDOWN


def test_kserve_runs_the_runtime_and_asks_torchserve_itself() -> None:
    """The rest fits KServe's schemas; deploy/README.md says which."""
    model = SERVICE["spec"]["predictor"]["model"]
    assert model["runtime"] == RUNTIME["metadata"]["name"]
    formats = {supported["name"] for supported in RUNTIME["spec"]["supportedModelFormats"]}
    assert model["modelFormat"]["name"] in formats
    container = _kserve_container()
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}}
    assert_valid([{**pod, "spec": {"containers": [container]}}])
    python, option, program = container["readinessProbe"]["exec"]["command"]
    assert (python, option) == ("python", "-c")
    compile(program, "probe", "exec")
    assert "http://127.0.0.1:8085/ping" in program


def test_image_with_models_runs_the_server_and_asks_its_own_ping() -> None:
    folder = DEPLOY / "docker"
    dockerfile = (folder / "models.Dockerfile").read_text()
    (command,) = re.findall(r"^CMD (.*)$", dockerfile, re.MULTILINE)
    words = json.loads(command)
    assert words[:2] == ["ts-retry", "run"]
    assert "--foreground" in launcher_options(words[2:])
    assert f"COPY config.properties {words[-1]}\n" in dockerfile
    (check,) = re.findall(r"^ +CMD (.*)$", dockerfile, re.MULTILINE)
    compile(json.loads(check)[2], "check", "exec")
    properties = parse_properties((folder / "config.properties").read_text())
    _, problems = resolve(properties, {})
    assert not problems
    assert f"--plugins-path={properties['plugins_path']}" in _kserve_container()["args"]
    assert f"COPY model_store/*.mar {properties['model_store']}/\n" in dockerfile


def test_compose_gives_server_and_sidecar_one_configuration_and_one_state() -> None:
    server, sidecar = COMPOSE["services"]["torchserve"], COMPOSE["services"]["ts-retry"]
    assert server["command"][:2] == ["ts-retry", "run"]
    assert "--foreground" in launcher_options(server["command"][2:])
    arguments = _parser(sidecar["command"][1:]).parse_args(sidecar["command"][1:])
    assert arguments.ts_config == server["configs"][0]["target"] == server["command"][-1]
    assert sidecar["configs"] == server["configs"]
    assert sidecar["volumes"] == server["volumes"]
    assert (sidecar["network_mode"], sidecar["pid"]) == ("service:torchserve",) * 2
    content = COMPOSE["configs"]["torchserve"]["content"]
    settings, problems = resolve(parse_properties(content), {})
    assert not problems
    assert settings.state_dir.value == server["volumes"][1].partition(":")[2]


@pytest.mark.skipif(ANALYZE is None, reason="no systemd-analyze on this machine")
def test_systemd_finds_no_fault_in_the_units(tmp_path: Path) -> None:
    for unit in (DEPLOY / "systemd").glob("*.service"):
        # It wants the program to be there.
        text = re.sub("/opt/torchserve/venv/bin/ts-retry", sys.executable, unit.read_text())
        (tmp_path / unit.name).write_text(text)
    units = map(str, sorted(tmp_path.glob("*.service")))
    done = said_by(str(ANALYZE), "verify", "--man=no", *units)
    assert (done.returncode, done.stderr) == (0, "")


def test_unit_of_the_server_runs_the_launcher_in_the_foreground() -> None:
    unit = (DEPLOY / "systemd" / "torchserve.service").read_text()
    (line,) = re.findall(r"^ExecStart=(.*)$", unit, re.MULTILINE)
    words = shlex.split(line)
    assert words[1] == "run"
    assert "--foreground" in launcher_options(words[2:])


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    readme = (DEPLOY / "README.md").read_text()
    targets = re.findall(r"\]\(([^)#:]+)(?:#[\w-]+)?\)", readme)
    assert len(targets) > 10
    assert [target for target in targets if not (DEPLOY / target).exists()] == []


def _kserve_container() -> Manifest:
    (container,) = RUNTIME["spec"]["containers"]
    return dict(container)
