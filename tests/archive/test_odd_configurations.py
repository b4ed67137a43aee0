"""Workers, ``config``, ``rules``, ``check`` and the sidecar have one answer for any configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.archive.odd_configurations import CONFIGURATIONS, Odd
from tests.archive.packing import CONFIG, files, manifest, write_folder, write_mar
from ts_retry_ext.archive.model_archive import read_archive
from ts_retry_ext.archive.model_folder import ModelFolder
from ts_retry_ext.check.loading import settings_problems
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend.process import FrontendId
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.settings import MODEL_SECTION, resolve
from ts_retry_ext.sidecar.windows import Windows
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.trial.launch import launch_of
from ts_retry_ext.worker.command_line import WorkerAddress
from ts_retry_ext.worker.session import Session

#: PyYAML reads 100 kB in a second or two, and there are a dozen readers.
SLOW = "300 kB of other keys"


def server_of(store: Path) -> ObservedServer:
    configuration = ServerConfiguration(
        str(store), None, {}, str(store / "logs"), {}, model_store=str(store)
    )
    return ObservedServer(FrontendId(1, "", 0.0), configuration, (), sees_processes=False)


def session_of(server: ObservedServer, folder: ModelFolder) -> Session:
    section, _ = folder.section(MODEL_SECTION)
    settings, _ = resolve({}, {}, section)
    address = WorkerAddress("/tmp/.ts.sock.9000", "", 0)
    return Session(
        server.frontend,
        server.configuration,
        settings,
        address,
        folder,
        folder.path,
        folder.path,
        asynchronous=False,
    )


@pytest.mark.parametrize(
    "odd",
    [
        pytest.param(odd, id=odd.name, marks=[pytest.mark.nightly] * (odd.name == SLOW))
        for odd in CONFIGURATIONS
    ],
)
def test_everybody_has_the_same_answer(
    odd: Odd, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    entries = {**files(manifest("m", configFile=CONFIG)), CONFIG: odd.data}
    path = write_mar(tmp_path / "m.mar", entries)
    unpacked = str(write_folder(tmp_path / "unpacked", entries))
    server = server_of(tmp_path)

    session = session_of(server, ModelFolder(unpacked))
    assert session.startup_timeout() == odd.startup_sec
    assert session.response_timeout() == odd.response_sec
    assert int(session.retry_window()) == odd.window_sec
    assert session.settings.on_fatal.value == odd.on_fatal

    main(["config", "--json", str(path)])
    (row,) = json.loads(capsys.readouterr().out)
    assert row["max_retry_timeout_sec"] == odd.window_sec

    main(["rules", "--json", str(path)])
    listed = json.loads(capsys.readouterr().out)
    assert [rule["id"] for rule in listed[: len(listed) - len(BUILTIN_RULES)]] == list(odd.rules)

    launch = launch_of(read_archive(str(path)), server.configuration.properties, gpus=0)
    assert (launch.limits.startup_timeout_sec, launch.limits.response_timeout_sec) == (
        odd.startup_sec,
        odd.response_sec,
    )
    assert bool(settings_problems(unpacked, server.configuration)) is not odd.read

    windows = Windows(server)
    running = RunningModel("m", "1.0", str(path), 1, 1, (), None, True, True)
    windows.refresh([running], all_of_them=True)
    assert windows.in_force()["m", "1.0"].seconds == odd.window_sec
