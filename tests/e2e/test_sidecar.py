"""The sidecar beside a real TorchServe with token authorization on."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import psutil

from tests.e2e.archives import SOUND, pack
from tests.e2e.torchserve import TorchServe
from tests.ports import own_ports
from tests.sidecar.sidecars import Sidecar, sidecar

BROKEN = "def broken(:\n"
CONFIG = """
    minWorkers: 2
    maxWorkers: 3
    retry:
      onFatal: retire
"""


class Guarded(TorchServe):
    """A TorchServe that asks for keys."""

    def keys(self) -> Any:
        """Return the content of its key file."""
        return json.loads((self.cwd / "key_file.json").read_text())

    def ask(self, path: str, data: bytes) -> int:
        """Return the status of an inference request that carries the inference key."""
        key = {"Authorization": f"Bearer {self.keys()['inference']['key']}"}
        request = urllib.request.Request(self.inference + path, data, key)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def management_key(self) -> dict[str, str]:
        """Return the header that a request carries the management key in."""
        return {"Authorization": f"Bearer {self.keys()['management']['key']}"}


def test_fatal_model_is_retired_and_comes_back_with_its_old_numbers(tmp_path: Path) -> None:
    server = Guarded(tmp_path / "server", config={"disable_token_authorization": "false"})
    server.config.update(_https(tmp_path, server.config["management_address"]))
    server.models = {
        "sound": pack(server.store, "sound", SOUND),
        "broken": pack(server.store, "broken", BROKEN, config=CONFIG),
    }
    with server:
        pid = next(p.pid for p in server.processes() if "java" in p.name())
        options = ("--pid", str(pid))
        with sidecar(tmp_path / "sidecar", *options) as first:
            first.wait_for(lambda: first.states().get("broken") == "retired", "it is retired", 60)
            # Killed at the worst of times: the model is down, the numbers are on disk.
            first.stop(signal.SIGKILL)
        with sidecar(tmp_path / "sidecar", *options) as second:
            second.wait_for(lambda: _is_seen(second), "both models are seen", 60)
            _answers_tell_of_it(second)
            begun = time.monotonic()
            assert server.ask("/predictions/broken", b"x") == 503
            assert time.monotonic() - begun < 5
            assert server.ask("/predictions/sound", b"x") == 200
            assert _resume(second, {}).status == 401
            assert _resume(second, {"Authorization": "Bearer wrong"}).status == 401
            _repair(server)
            answer = _resume(second, server.management_key())
            assert (answer.status, answer.json()["result"]) == (200, "serves"), answer.text
            second.wait_for(
                lambda: second.states() == {"broken": "serving", "sound": "serving"}, "both serve"
            )
            assert second.ask("/ping").json() == {"status": "Healthy"}
            workers = [p for p in server.workers() if _serves(p, "broken")]
            assert len(workers) == 2
            assert not list(server.state_dir.glob("*/*/retired.json"))
            for key in server.keys().values():
                assert key["key"] not in second.log() + first.log()


def _https(folder: Path, management: str) -> dict[str, str]:
    """Return what puts the management API behind TLS, where this machine can make a certificate."""
    if shutil.which("openssl") is None:
        return {}
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]
    command += ["-subj", "/CN=torchserve.example", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return {
        "management_address": management.replace("http:", "https:"),
        "private_key_file": str(key),
        "certificate_file": str(certificate),
    }


def _is_seen(observing: Sidecar) -> bool:
    return observing.states() == {"broken": "retired", "sound": "serving"}


def _answers_tell_of_it(observing: Sidecar) -> None:
    told = observing.ask("/ping")
    assert told.status == 500
    assert told.json()["retired"][0]["rule"] == "syntax-error"
    assert observing.ask("/readyz").status == 503
    assert observing.ask("/readyz?model=sound").status == 200
    page = observing.ask("/").text
    assert "config snapshot holds the 0" in page
    assert "management key" in page
    rows = {row["model"]: row for row in observing.ask("/config").json()}
    assert rows["broken"]["reported_by_frontend"] == 300


def _resume(observing: Sidecar, headers: dict[str, str]) -> Any:
    return observing.ask("/models/broken/resume?wait=90", "POST", b"", headers)


def _repair(server: TorchServe) -> None:
    """Repair the handler where the frontend unpacked it."""
    for path in server.temp.rglob("broken_handler.py"):
        path.write_text("class Sound:\n    def initialize(self, context):\n        pass\n\n"
                        "    def handle(self, data, context):\n        return ['x'] * len(data)\n")  # fmt: skip


def _serves(process: psutil.Process, model: str) -> bool:
    return any(Path(process.cwd()).glob(f"{model}_handler.py"))


def test_first_worker_starts_one_sidecar_that_outlives_it_and_ends_with_the_server(
    tmp_path: Path,
) -> None:
    address = f"http://127.0.0.1:{own_ports(1)[0]}"
    config = {
        "retry_sidecar": "true",
        "retry_sidecar_address": address,
        "default_workers_per_model": "2",
    }
    server = TorchServe(tmp_path, config=config)
    server.models = {name: pack(server.store, name, SOUND) for name in ("one", "two")}
    with server:

        def ping() -> Any:
            return server.call("/ping", base=address)

        server.wait_for(lambda: server.is_ready("one") and server.is_ready("two"), "both serve")
        server.wait_for(lambda: ping() == (200, {"status": "Healthy"}), "the sidecar says so")
        (running,) = _sidecars(server)
        for worker in server.workers():
            worker.kill()
        server.wait_for(lambda: len(server.events("one")) > 6, "workers start anew")
        assert _sidecars(server) == [running]
        running.kill()
        server.wait_for(lambda: not running.is_running() or _is_zombie(running), "it is killed")
        server.workers()[0].kill()
        server.wait_for(lambda: len(_sidecars(server)) == 1, "the next worker starts another")
        server.wait_for(lambda: ping()[0] == 200, "which answers")
        (running,) = _sidecars(server)
    gone, _ = psutil.wait_procs([running], timeout=60)
    assert gone == [running]


def _is_zombie(process: psutil.Process) -> bool:
    try:
        return bool(process.status() == psutil.STATUS_ZOMBIE)
    except psutil.NoSuchProcess:
        return True


def _sidecars(server: TorchServe) -> list[psutil.Process]:
    """Return the sidecars of this server, dead ones left out."""
    found = []
    for process in psutil.process_iter():
        try:
            if "--exit-with-server" in process.cmdline() and process.cwd() == str(server.cwd):
                found.append(process)
        except psutil.Error:  # noqa: PERF203 - it ended just now
            pass
    return found
