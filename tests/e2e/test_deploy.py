"""From a repaired archive to one that serves, while requests go on: none of them fails."""

from __future__ import annotations

import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest

from tests.archive.packing import files, manifest, write_mar
from tests.e2e.archives import initialize, pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.management import ManagementApi

pytestmark = pytest.mark.xdist_group("deploy")

ANSWERS = """
class Handler:
    def initialize(self, context):
        pass

    def handle(self, data, context):
        return ["{}"] * len(data)
"""


class Client(threading.Thread):
    """Asks twenty times a second for as long as the block runs, and keeps what is no good answer.

    Attributes:
        longest_sec: how long the slowest answer took.
    """

    def __init__(self, server: TorchServe) -> None:
        super().__init__(daemon=True)
        self.longest_sec = 0.0
        self.server, self.bad, self.answers = server, [], set()  # type: ignore[var-annotated]
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.05):
            begun = time.monotonic()
            status, body = self.server.predict("m")
            self.longest_sec = max(self.longest_sec, time.monotonic() - begun)
            self.answers.add(body) if status == 200 else self.bad.append((status, body))

    def __enter__(self) -> Client:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self.join(60)


def repacked(folder: Path, version: str, handler: str) -> str:
    """Pack another version of the model, outside of the model store."""
    packed = folder / version / "packed"
    return str(packed / pack(packed, "m", handler, version=version))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("deploy")
    with TorchServe(root, {"m": pack(root / "store", "m", ANSWERS.format("old"))}) as running:
        running.wait_for(lambda: running.is_ready("m"), "it serves")
        yield running


def deploy(server: TorchServe, archive: str, *options: str) -> tuple[int, str]:
    pid = str(server.frontend().pid)
    done = server.command("deploy", archive, "--pid", pid, "--drain", "2", *options)
    return done.returncode, done.stdout + done.stderr


def versions(server: TorchServe) -> list[str]:
    return sorted(entry["modelVersion"] for entry in server.call("/models/m/all")[1])


def test_a_model_api_that_is_on_is_known_before_anything_is_registered(server: TorchServe) -> None:
    assert ManagementApi(Endpoint(server.management)).takes_registrations()
    assert [entry["modelName"] for entry in server.call("/models")[1]["models"]] == ["m"]


def test_a_broken_version_changes_nothing_and_its_cause_is_told(
    server: TorchServe, tmp_path: Path
) -> None:
    broken = repacked(tmp_path, "2.0", initialize("self.threshold = float(THRESHOLD)"))
    stored = sorted(path.name for path in server.store.iterdir())
    for options in ((), ("--no-check",)):
        with Client(server) as client:
            code, told = deploy(server, broken, *options)
        assert code == 3, told
        assert "name 'THRESHOLD' is not defined" in told
        assert "m_handler.py:3 initialize: self.threshold = float(THRESHOLD)" in told
        assert (client.bad, client.answers) == ([], {"old"})
        assert versions(server) == ["1.0"]
        assert sorted(path.name for path in server.store.iterdir()) == stored


def test_a_repaired_version_takes_the_place_of_the_old_one_and_no_request_fails(
    server: TorchServe, tmp_path: Path
) -> None:
    repaired = repacked(tmp_path, "2.1", ANSWERS.format("new"))
    with Client(server) as client:
        code, told = deploy(server, repaired)
        time.sleep(1)
    assert code == 0, told
    assert client.bad == []
    assert client.answers == {"old", "new"}
    assert versions(server) == ["2.1"]
    assert server.predict("m") == (200, "new")
    code, told = deploy(server, repaired)
    assert (code, "version 2.1 of m is registered already" in told) == (3, True)
    older = repacked(tmp_path, "1.5", ANSWERS.format("older"))
    code, told = deploy(server, older)
    assert (code, "give --allow-older" in told) == (3, True)
    other = Path(shutil.copy(repaired, tmp_path / "other.mar"))
    code, told = deploy(server, str(other), "--version", "3.0")
    assert (code, "holds version 2.1, not 3.0" in told) == (1, True)


def test_no_prediction_waits_for_the_new_version_to_load(
    server: TorchServe, tmp_path: Path
) -> None:
    """A registration that waits for its workers keeps one of the frontend's threads, and what it is asked."""
    handler = ANSWERS.format("later").replace("        pass", "        import time; time.sleep(6)")
    with Client(server) as client:
        code, told = deploy(server, repacked(tmp_path, "2.2", handler), "--no-check")
    assert code == 0, told
    assert (client.bad, "later" in client.answers) == ([], True)
    assert client.longest_sec < 4


#: A worker that ends 1.5 s after its load, as often as there are names for it.
ENDS = """
import os, threading, time

class Handler:
    def initialize(self, context):
        time.sleep(1.5)
        for name in {names!r}:
            try:
                os.close(os.open(os.path.join(os.environ["TEMP"], name), os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                continue
            threading.Timer(1.5, os._exit, (1,)).start()
            break

    def handle(self, data, context):
        return ["{answer}"] * len(data)
"""


def test_a_worker_that_ends_once_and_serves_again_keeps_the_new_version(
    server: TorchServe, tmp_path: Path
) -> None:
    """It is loading again when the old version would be unregistered."""
    archive = repacked(tmp_path, "3.0", ENDS.format(names=["once"], answer="once"))
    code, told = deploy(server, archive, "--no-check")
    assert code == 0, told
    assert (server.temp / "once").exists()
    assert versions(server) == ["3.0"]
    assert server.predict("m") == (200, "once")


def test_workers_that_end_again_and_again_give_the_place_back(
    server: TorchServe, tmp_path: Path
) -> None:
    before = versions(server)
    names = [f"ended-{number}" for number in range(9)]
    archive = repacked(tmp_path, "3.1", ENDS.format(names=names, answer="often"))
    code, told = deploy(server, archive, "--no-check", "--drain", "30")
    assert code == 3, told
    assert "its workers ended 2 times" in told
    assert versions(server) == before
    assert server.predict("m")[0] == 200


def test_interrupted_while_it_lets_the_old_version_answer_it_says_what_the_server_has(
    server: TorchServe, tmp_path: Path
) -> None:
    (old,) = versions(server)
    archive = repacked(tmp_path, "4.0", ANSWERS.format("newest"))
    command = [server.python, "-u", "-m", "ts_retry_ext.cli.main", "deploy", archive, "--no-check"]
    command += ["--pid", str(server.frontend().pid), "--drain", "60"]
    running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=server.environ)
    assert running.stdout is not None
    for line in running.stdout:
        if "last requests" in line:
            running.send_signal(signal.SIGINT)
            break
    assert (running.communicate(timeout=30)[0], running.returncode) == (
        f"m: interrupted: the server has of m: 4.0 (the default one), {old}\n",
        130,
    )
    assert versions(server) == [old, "4.0"]
    assert server.call(f"/models/m/{old}", "DELETE")[0] == 200


#: What pip runs to build a requirement: it takes a while, and fails.
BUILDS_LATE = "import time\ntime.sleep(12)\ndef build_wheel(*_, **__): raise SystemExit(1)\n"


def test_frontend_that_installs_requirements_meanwhile_is_waited_for(tmp_path: Path) -> None:
    """It has one thread for all questions here, and each waits for that: 24 s."""
    package = tmp_path / "late"
    package.mkdir()
    (package / "late.py").write_text(BUILDS_LATE)
    build = '[build-system]\nrequires=[]\nbuild-backend="late"\nbackend-path=["."]\n'
    (package / "pyproject.toml").write_text(build)
    needs = {**files(manifest("needs", requirementsFile="requirements.txt"))}
    needs["requirements.txt"] = str(package).encode()
    config = {"install_py_dep_per_model": "true", "number_of_netty_threads": "1"}
    environ = {"PIP_NO_INDEX": "1"}
    models = {"m": pack(tmp_path / "store", "m", ANSWERS.format("old"))}
    write_mar(tmp_path / "store" / "needs.mar", needs)
    new = repacked(tmp_path, "2.0", ANSWERS.format("new"))
    with TorchServe(tmp_path, models, config=config, environ=environ) as server:
        server.wait_for(lambda: server.is_ready("m"), "it serves")
        command = [server.python, "-u", "-m", "ts_retry_ext.cli.main", "deploy", new, "--no-check"]
        command += ["--pid", str(server.frontend().pid), "--drain", "2"]
        running = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=server.environ)
        assert running.stdout is not None
        for line in running.stdout:
            if "last requests" in line:
                break
        code, answer = server.call("/models?url=needs.mar", "POST")
        assert (code, answer["message"].partition(" failed")[0]) == (
            400,
            "Custom pip package installation",
        )
        told = running.communicate(timeout=60)[0]
        assert running.returncode == 0, told
        assert "did not answer within 10 s" in told
        assert "It is asked again" in told
        assert versions(server) == ["2.0"]
