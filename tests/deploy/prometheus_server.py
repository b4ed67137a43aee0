"""A real Prometheus for the time of a context, and its HTTP API."""

from __future__ import annotations

import json
import shutil
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, Mapping

import yaml

from tests.deploy.manifests import DEPLOY
from tests.ports import own_ports

RULES = DEPLOY / "prometheus"
PROMETHEUS = shutil.which("prometheus")


class PrometheusError(Exception):
    """Prometheus refuses a query; the text says why."""


class Prometheus:
    """A running Prometheus."""

    def __init__(self, address: str, process: subprocess.Popen[bytes], log: Path) -> None:
        self.address = address
        self.process = process
        self._log = log

    def log(self) -> str:
        """Return what it has written."""
        return self._log.read_text()

    def ask(self, path: str, **parameters: str) -> Any:
        """Return the ``data`` of an answer of ``/api/v1``.

        Raises:
            PrometheusError: it refuses.
        """
        url = f"http://{self.address}/api/v1/{path}?{urllib.parse.urlencode(parameters)}"
        try:
            with urllib.request.urlopen(url, timeout=60) as answer:
                return json.load(answer)["data"]
        except urllib.error.HTTPError as error:
            with error:
                raise PrometheusError(f"{parameters}: {error.read().decode()}") from None

    def query(self, expression: str) -> list[Any]:
        """Return the series of an instant query."""
        return list(self.ask("query", query=expression)["result"])

    def value(self, expression: str) -> float:
        """Return the one value of an instant query."""
        (series,) = self.query(expression)
        return float(series["value"][1])

    def query_range(self, expression: str, seconds: float, step: float) -> list[Any]:
        """Return the series of a query over the last `seconds`."""
        now = time.time()
        times = {"start": f"{now - seconds}", "end": f"{now}", "step": f"{step}"}
        return list(self.ask("query_range", query=expression, **times)["result"])

    def wait_until(self, expression: str, value: float, patience_sec: float = 60) -> None:
        """Return once a query has the value."""
        until = time.monotonic() + patience_sec
        found: list[Any] = []
        while time.monotonic() < until:
            found = self.query(expression)
            if found and float(found[0]["value"][1]) == value:
                return
            time.sleep(0.1)
        raise AssertionError(f"{expression} is {found}\n{self.log()}")


def configuration(name: str, interval: str) -> dict[str, Any]:
    """Return a configuration of ``deploy/prometheus`` with another interval, and paths that hold anywhere."""
    config: dict[str, Any] = yaml.safe_load((RULES / name).read_text())
    config["global"] = {"scrape_interval": interval, "evaluation_interval": interval}
    config["rule_files"] = [str(RULES / file) for file in config["rule_files"]]
    return config


@contextmanager
def prometheus(folder: Path, config: Mapping[str, Any]) -> Iterator[Prometheus]:
    """Run Prometheus with its files in `folder`."""
    (folder / "prometheus.yaml").write_text(yaml.safe_dump(dict(config)))
    address = f"127.0.0.1:{own_ports(1)[0]}"
    command = [str(PROMETHEUS), f"--config.file={folder / 'prometheus.yaml'}"]
    command += [f"--storage.tsdb.path={folder / 'tsdb'}", f"--web.listen-address={address}"]
    with (folder / "prometheus.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    running = Prometheus(address, process, folder / "prometheus.log")
    try:
        for _ in range(300):
            try:
                running.ask("status/runtimeinfo")
                break
            except (OSError, PrometheusError):
                assert process.poll() is None, running.log()
                time.sleep(0.1)
        yield running
    finally:
        process.terminate()
        process.wait(60)
