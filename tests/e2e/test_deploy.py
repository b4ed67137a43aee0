"""From a repaired archive to one that serves, while requests go on: none of them fails."""

from __future__ import annotations

import shutil
import threading
import time
from pathlib import Path
from typing import Iterator

import pytest

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
    """Asks twenty times a second for as long as the block runs, and keeps what is no good answer."""

    def __init__(self, server: TorchServe) -> None:
        super().__init__(daemon=True)
        self.server, self.bad, self.answers = server, [], set()  # type: ignore[var-annotated]
        self._over = threading.Event()

    def run(self) -> None:
        while not self._over.wait(0.05):
            status, body = self.server.predict("m")
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
