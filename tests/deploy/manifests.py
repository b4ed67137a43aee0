"""Manifests of deploy/ as they are applied: rendered by Helm and Kustomize, checked against Kubernetes' schemas."""

from __future__ import annotations

import importlib
import shutil
import subprocess
from pathlib import Path
from typing import Any, Dict

import pytest
import yaml

DEPLOY = Path(__file__).parents[2] / "deploy"
CHART = DEPLOY / "helm" / "ts-retry"
HELM, KUBECTL = shutil.which("helm"), shutil.which("kubectl")
needs_helm = pytest.mark.skipif(HELM is None, reason="no helm on this machine")
needs_kubectl = pytest.mark.skipif(KUBECTL is None, reason="no kubectl on this machine")

# Imported so that the static checks do not need it.
kubernetes_validate: Any = importlib.import_module("kubernetes_validate.utils")
#: The oldest Kubernetes whose schema there is, and the newest.
VERSIONS = (kubernetes_validate.all_versions()[0], kubernetes_validate.latest_version())

Manifest = Dict[str, Any]


def said_by(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program and return what it says and how it ends."""
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def documents(text: str) -> list[Manifest]:
    """Return the manifests in a YAML stream."""
    return [document for document in yaml.safe_load_all(text) if document]


def rendered(*options: str) -> list[Manifest]:
    """Return what ``helm template`` makes of the chart, as release ``models`` in the namespace ``serving``."""
    done = said_by(str(HELM), "template", "models", str(CHART), "--namespace=serving", *options)
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def kustomized(folder: str) -> list[Manifest]:
    """Return what ``kubectl kustomize`` makes of a folder in deploy/."""
    done = said_by(str(KUBECTL), "kustomize", str(DEPLOY / folder))
    assert done.returncode == 0, done.stderr
    return documents(done.stdout)


def the(kind: str, among: list[Manifest]) -> Manifest:
    """Return the one manifest of a kind."""
    (found,) = (manifest for manifest in among if manifest["kind"] == kind)
    return found


def containers(among: list[Manifest]) -> dict[str, Manifest]:
    """Return the containers of the Deployment by name."""
    pod = the("Deployment", among)["spec"]["template"]["spec"]
    return {container["name"]: container for container in pod["containers"]}


def assert_valid(among: list[Manifest], versions: tuple[str, ...] = VERSIONS) -> None:
    """Check manifests against the schemas of Kubernetes; those of the Prometheus operator are no part of these."""
    for manifest in among:
        if manifest["apiVersion"].startswith("monitoring.coreos.com/"):
            continue
        for version in versions:
            assert kubernetes_validate.validate(manifest, version, strict=True)
