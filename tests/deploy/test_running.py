"""What the manifests run, on a real TorchServe. Paths and ports are those of a test, all else is theirs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.deploy.manifests import DEPLOY, Manifest, containers, documents, the
from tests.e2e.archives import BROKEN, SOUND, pack
from tests.ports import own_ports
from ts_retry_ext.cli.printing import HALTED

pytestmark = [pytest.mark.nightly, pytest.mark.xdist_group("deploy_running")]

PLACES = ("/etc/torchserve", "/etc/batch", "/models", "/state", "/data")
PORTS = (":8080", ":8081", ":8082", ":8083")

Here = Callable[[str], str]


@pytest.fixture
def here(tmp_path: Path) -> Here:
    """Give a function that puts a text's paths under the test's folder, and free ports in the place of its ports."""
    changes = {place: f"{tmp_path}{place}" for place in PLACES}
    changes.update(zip(PORTS, map(":{}".format, own_ports(len(PORTS)))))

    def changed(text: str) -> str:
        for old, new in changes.items():
            text = text.replace(old, new)
        return text

    for place in PLACES:
        Path(changes[place]).mkdir(parents=True)
    return changed


def write_files(manifests: list[Manifest], folder: str, here: Here) -> None:
    """Write what the ConfigMap holds to where a container finds it."""
    for name, text in the("ConfigMap", manifests)["data"].items():
        Path(here(folder), name).write_text(here(text))


def environ(tmp_path: Path, **variables: str) -> dict[str, str]:
    """Return the environment of a container: its programs are those beside this Python."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "PATH": path, "TEMP": str(tmp_path), **variables}


@pytest.mark.parametrize(
    ("handler", "asked_for", "status"),
    [(SOUND, "m", 0), (BROKEN, "m", HALTED), (SOUND, "no-such-model", 1)],
    ids=["sound", "broken", "client fails"],
)
def test_job_ends_with_what_its_policy_decides_by(
    handler: str, asked_for: str, status: int, here: Here, tmp_path: Path
) -> None:
    pack(tmp_path / "models", "m", handler)
    (tmp_path / "data" / "in").mkdir()
    (tmp_path / "data" / "in" / "a").write_text("x")
    job = documents((DEPLOY / "kubernetes" / "job.yaml").read_text())
    write_files(job, "/etc/batch", here)
    (container,) = the("Job", job)["spec"]["template"]["spec"]["containers"]
    done = subprocess.run(
        [here(word) for word in container["command"]],
        cwd=tmp_path,
        env=environ(tmp_path, MODEL=asked_for),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == status, done.stdout + done.stderr
    answer = tmp_path / "data" / "out" / "a"
    assert (answer.read_text() if answer.exists() else None) == (None if status else "sound")


def test_pod_reports_a_broken_model_and_ends_when_it_is_told_to(here: Here, tmp_path: Path) -> None:
    for name, handler in (("sound", SOUND), ("broken", BROKEN)):
        pack(tmp_path / "models", name, handler)
    manifests = documents((DEPLOY / "kubernetes" / "torchserve.yaml").read_text())
    write_files(manifests, "/etc/torchserve", here)
    pod = containers(manifests)
    sidecar = here("http://127.0.0.1:8083")
    with (tmp_path / "log").open("wb") as log:
        running = [
            subprocess.Popen(
                [here(word) for word in pod[name]["command"]],
                cwd=tmp_path,
                env=environ(tmp_path),
                stdout=log,
                stderr=log,
            )
            for name in ("torchserve", "ts-retry")
        ]
    try:
        until = time.monotonic() + 90
        path = pod["ts-retry"]["readinessProbe"]["httpGet"]["path"]
        while "retired" not in (told := asked(sidecar + path)[1]) and time.monotonic() < until:
            time.sleep(0.5)
        assert [one["model"] for one in told["retired"]] == ["broken"]
        assert asked(sidecar + path)[0] == 503
        models = asked(f"{sidecar}/models")[1]["models"]
        assert {one["model"]: one["state"] for one in models}["sound"] == "serving"
    finally:
        for process in running:
            process.terminate()
        ended = [process.wait(60) for process in running]
    assert ended == [HALTED, 0], (tmp_path / "log").read_text()


def asked(url: str) -> tuple[int, Any]:
    """Return status and JSON of an answer; 0 and nothing where there is none."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        return error.code, json.load(error)
    except OSError:
        return 0, {}
