from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.archive.packing import CONFIG, files, manifest, packed, write_folder
from tests.frontend.api import Api, described, serving
from tests.snapshot.writing import failure, marker, record, write_journal
from ts_retry_ext.frontend.management import ManagementApi, management_api_of
from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
from ts_retry_ext.snapshot.join import back_offs, died_by_its_words
from ts_retry_ext.snapshot.observed_server import ObservedServer, observed
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.snapshot.take import (
    model_status,
    take_snapshot,
    take_snapshot_of_run,
)
from ts_retry_ext.store.directory import ServerRun, create_server_directory
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event

STARTED_AT = 1_700_000_000.25


@pytest.fixture
def api() -> Iterator[Api]:
    with serving({"OPTIONS /": {"info": {"version": "0.12.0"}}}) as running:
        yield running


def register(api: Api, *entries: dict[str, Any]) -> None:
    """Let the API answer as if these versions of models were registered."""
    names = list(dict.fromkeys(entry["modelName"] for entry in entries))
    api.answers["GET /models"] = {"models": [{"modelName": name, "modelUrl": ""} for name in names]}
    for name in names:
        own = [entry for entry in entries if entry["modelName"] == name]
        api.answers[f"GET /models/{name}"] = own[:1]
        api.answers[f"GET /models/{name}/all"] = own


def server(folder: Path, address: str, **properties: str) -> ObservedServer:
    return observed(running_server(folder, address, **properties))


def running_server(folder: Path, address: str, **properties: str) -> Server:
    frontend = Frontend(os.getpid(), "boot-1", STARTED_AT, (), str(folder), {"TMPDIR": str(folder)})
    content = {"management_address": address, **properties}
    configuration = ServerConfiguration(
        str(folder), None, content, str(folder / "logs"), frontend.environ, str(folder)
    )
    return Server(frontend, configuration)


def run_directory(folder: Path) -> Path:
    run = ServerRun(
        os.getpid(), "boot-1", STARTED_AT, None, str(folder), "http://127.0.0.1:1", "0.12.0"
    )
    return Path(create_server_directory(str(folder / "logs" / "ts_retry"), run))


def test_server_and_models_are_joined_with_what_workers_wrote(api: Api, tmp_path: Path) -> None:
    kept = run_directory(tmp_path)
    write_journal(kept / "m-1", record(Event.START, 0, 77), record(Event.LOADED, 1, 77))
    folder = write_journal(kept / "b-1", record(Event.HOLD, 0, 78, model="b"))
    write_marker(str(folder), marker(model="b"))
    held = [{"id": "9001", "status": "UNLOADING", "pid": 78}]
    register(api, described("b", workers=held), described("m"))

    taken = take_snapshot(server(tmp_path, api.address))

    assert taken.problems == ()
    assert taken.server is not None
    assert (taken.server.pid, taken.server.running) == (os.getpid(), True)
    assert (taken.server.torchserve, taken.server.management) == ("0.12.0", api.address)
    assert [(m.model, m.state) for m in taken.models] == [
        ("b", State.HALTED),
        ("m", State.SERVING),
    ]


def test_function_of_a_workflow_is_found_though_the_frontend_does_not_list_it(
    api: Api, tmp_path: Path
) -> None:
    write_journal(run_directory(tmp_path) / "f-1", record(Event.START, 0, 77, model="w__f"))
    register(api, described("m"), described("w__f"))
    api.answers["GET /models"]["models"].pop()

    models = take_snapshot(server(tmp_path, api.address)).models

    assert [(m.model, m.state) for m in models] == [("m", State.SERVING), ("w__f", State.SERVING)]


def test_model_that_is_registered_no_more_is_left_out(api: Api, tmp_path: Path) -> None:
    write_journal(run_directory(tmp_path) / "gone-1", record(Event.START, 0, model="gone"))
    register(api, described("m"))

    assert [m.model for m in take_snapshot(server(tmp_path, api.address)).models] == ["m"]


def test_configured_state_directory_is_read_as_well_as_the_others(api: Api, tmp_path: Path) -> None:
    usual = run_directory(tmp_path)
    own = tmp_path / "own"
    run = ServerRun(os.getpid(), "boot-1", STARTED_AT, None, "", "", None)
    configured = create_server_directory(str(own), run)
    place = running_server(tmp_path, api.address, retry_state_dir="own")

    assert observed(place).run_dirs == [configured, str(usual)]
    assert observed(place, str(own)).run_dirs == [configured]


def test_models_are_told_from_the_journal_while_the_api_does_not_answer(tmp_path: Path) -> None:
    kept = run_directory(tmp_path)
    write_journal(kept / "m-1", record(Event.START, 0), failure(1))
    write_journal(kept / "m-2", record(Event.START, 50), record(Event.LOADED, 51))

    taken = take_snapshot(server(tmp_path, "http://127.0.0.1:9"))

    assert [(m.model, m.state) for m in taken.models] == [("m", State.SERVING)]
    assert "does not answer" in taken.problems[0]


def test_run_of_a_server_that_is_gone_is_told_from_its_directory(tmp_path: Path) -> None:
    kept = run_directory(tmp_path)
    folder = write_journal(kept / "m-1", record(Event.START, 0), failure(1))
    write_marker(str(folder), marker())

    taken = take_snapshot_of_run(str(kept))

    assert taken.server is not None
    assert (taken.server.running, taken.server.torchserve) == (False, "0.12.0")
    (model,) = taken.models
    assert (model.state, model.max_retry_timeout_sec) == (State.HALTED, 300)


def test_model_that_was_unregistered_before_its_server_ended_is_left_out(tmp_path: Path) -> None:
    kept = run_directory(tmp_path)
    for version, pid in (("1.0", 7), ("2.0", 8)):
        held = record(Event.HOLD, 1, pid, version=version)
        folder = write_journal(kept / f"m-{pid}", held)
        write_marker(str(folder), marker(version=version))
    (tmp_path / "logs" / "ts_log.log").write_text(
        "2026-11-26T17:39:18,309 [INFO ] W-9000-m_1.0-stdout MODEL_LOG - [PID]7\n"
        "2026-11-26T17:39:20,214 [INFO ] epollEventLoopGroup-3-4 ACCESS_LOG - "
        '/127.0.0.1:40828 "DELETE /models/m/1.0 HTTP/1.1" 200 28\n'
    )

    taken = take_snapshot_of_run(str(kept))

    assert [(m.key, m.state) for m in taken.models] == [(("m", "2.0"), State.HALTED)]


def test_directory_of_an_unknown_run_is_a_problem(tmp_path: Path) -> None:
    taken = take_snapshot_of_run(str(tmp_path))

    assert taken.server is None
    assert "does not name its server" in taken.problems[0]


def test_window_comes_from_the_files_that_the_worker_runs_in(api: Api, tmp_path: Path) -> None:
    yaml = "maxRetryTimeoutInSec: 20"
    model_dir = write_folder(tmp_path / "unpacked", files(manifest("m", configFile=CONFIG), yaml))
    packed(tmp_path / "m.mar", "maxRetryTimeoutInSec: 99")  # repacked since
    sleep = "import sys; sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", sleep], cwd=model_dir, stdin=subprocess.PIPE
    ) as worker:
        entry = [{"id": "9000", "status": "READY", "pid": worker.pid}]
        register(api, described("m", maxRetryTimeoutInSec=20, workers=entry))
        (model,) = take_snapshot(server(tmp_path, api.address)).models

    assert (model.max_retry_timeout_sec, model.max_retry_timeout_source) == (20, "model-config")


def test_window_comes_from_the_archive_while_there_is_no_process(api: Api, tmp_path: Path) -> None:
    packed(tmp_path / "m.mar")
    gone = [{"id": "9000", "status": "UNLOADING", "pid": 2**22 + 1}]
    register(api, described("m", workers=gone), described("m", "2.0", modelUrl="", workers=[]))

    first, second = take_snapshot(server(tmp_path, api.address)).models

    assert (first.max_retry_timeout_sec, first.max_retry_timeout_source) == (300, "default")
    assert (second.max_retry_timeout_sec, second.max_retry_timeout_source) == (300, "frontend")


def test_worker_that_is_retried_no_more_halts_the_model(api: Api, tmp_path: Path) -> None:
    # Long ago, and no process of that number.
    write_journal(run_directory(tmp_path) / "m-1", record(Event.START, -1e8, 2**22 + 1))
    entry = [{"id": "9000", "status": "UNLOADING", "pid": 2**22 + 1}]
    register(api, described("m", workers=entry))

    (model,) = take_snapshot(server(tmp_path, api.address)).models

    assert (model.state, model.gave_up) == (State.WAITING, True)
    assert len(back_offs(model)) == 1


def test_state_of_one_version_is_asked_for_by_itself(api: Api, tmp_path: Path) -> None:
    register(api, described("m"), described("m", "2.0", workers=[]))
    place = server(tmp_path, api.address)
    management: ManagementApi = management_api_of(place.configuration)

    found = model_status(place, management, "m", "2.0")

    assert found is not None
    assert (found.version, found.state) == ("2.0", State.UNKNOWN)
    assert model_status(place, management, "m", "3.0") is None
    assert "GET /models/m/all" in api.asked


def test_a_registration_that_is_known_is_the_only_one_that_is_read(
    api: Api, tmp_path: Path
) -> None:
    kept = run_directory(tmp_path)
    own = write_journal(kept / "m-1", record(Event.START, 0, 77), record(Event.LOADED, 1, 77))
    other = write_journal(kept / "b-1", record(Event.START, 0, 78, model="b"))
    register(api, described("m"))
    place = server(tmp_path, api.address)
    management: ManagementApi = management_api_of(place.configuration)

    found = model_status(place, management, "m", "1.0", directory=str(own))
    mistaken = model_status(place, management, "m", "1.0", directory=str(other))

    assert found is not None
    assert found.registration is not None
    assert found.registration.directory == str(own)
    assert mistaken is not None
    assert mistaken.registration is None


@pytest.mark.parametrize(
    ("event", "alive"),
    [
        (Event.START, True),
        (Event.LOAD, True),
        (Event.LOADED, True),
        (Event.HOLD, True),
        (Event.RELEASE, False),
        (Event.END, False),
        (Event.FAILURE, False),
    ],
)
def test_process_that_cannot_be_seen_runs_until_it_says_that_it_ends(
    tmp_path: Path, event: Event, alive: bool
) -> None:
    last = failure(5, 7) if event == Event.FAILURE else record(event, 5, 7)
    folder = write_journal(tmp_path / "m", record(Event.START, 0, 7), last)
    died_by = died_by_its_words(read_registration(str(folder)))
    assert (died_by(7, "") is None) is alive
    assert died_by(8, "") is None
