from __future__ import annotations

from pathlib import Path
from typing import Iterator

import pytest

from tests.cli.servers import Frontend, frontend
from ts_retry_ext.sidecar.target import NoTargetError, SidecarOptions, find_target
from ts_retry_ext.store.directory import ServerRun, create_server_directory


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Frontend]:
    with frontend(tmp_path / "run") as running:
        yield running


def test_server_is_found_by_what_names_it(server: Frontend) -> None:
    config = str(server.folder / "config.properties")
    state = str(server.kept.parent)
    for options in (
        SidecarOptions(pid=server.pid),
        SidecarOptions(ts_config=config),
        SidecarOptions(management=server.api.address + "/"),
        SidecarOptions(state_dir=state),
    ):
        found = find_target(options)
        assert (found.server.frontend.pid, found.server.sees_processes) == (server.pid, True)
        assert found.server.run_dirs == [str(server.kept)]
        assert found.is_running()


def test_one_of_several_has_to_be_named(
    server: Frontend, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with frontend(tmp_path / "second") as second:
        with pytest.raises(NoTargetError, match="several servers run, choose one with --pid"):
            find_target(SidecarOptions())
        monkeypatch.chdir(second.folder)
        assert find_target(SidecarOptions()).server.frontend.pid == second.pid


def test_process_that_is_no_server_is_named() -> None:
    with pytest.raises(NoTargetError, match="process 1 is no TorchServe frontend"):
        find_target(SidecarOptions(pid=1))


def test_server_that_cannot_be_seen_is_known_by_its_newest_run(tmp_path: Path) -> None:
    for pid, started_at in ((7, 2000.0), (9, 1000.0)):
        run = ServerRun(pid, "1", started_at, None, "/there", "http://0.0.0.0:9", "0.12.0")
        create_server_directory(str(tmp_path), run)
    found = find_target(SidecarOptions(state_dir=str(tmp_path)))
    assert (found.server.frontend.pid, found.server.sees_processes) == (7, False)
    assert found.endpoint.management == "http://127.0.0.1:9"
    assert found.endpoint.key_file is None
    assert found.is_running() is None


def test_server_that_cannot_be_seen_is_known_by_its_configuration(tmp_path: Path) -> None:
    state = tmp_path / "state"
    run = ServerRun(7, "1", 2000.0, None, str(tmp_path), "http://127.0.0.1:9", "0.12.0")
    kept = create_server_directory(str(state), run)
    foreign = run._replace(pid=8, started_at=3000.0, management_address="http://127.0.0.1:1")
    create_server_directory(str(state), foreign)
    config = tmp_path / "config.properties"
    config.write_text(f"management_address=http://127.0.0.1:9\nretry_state_dir={state}\n")
    found = find_target(SidecarOptions(ts_config=str(config)))
    assert found.endpoint.management == "http://127.0.0.1:9"
    assert found.endpoint.key_file == str(tmp_path / "key_file.json")
    assert found.server.run_dirs == [kept]


def test_configuration_that_is_not_there_names_no_server(tmp_path: Path) -> None:
    with pytest.raises(NoTargetError, match="no TorchServe with the configuration"):
        find_target(SidecarOptions(ts_config=str(tmp_path / "none")))


def test_unix_socket_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(NoTargetError, match="is a Unix socket"):
        find_target(SidecarOptions(state_dir=str(tmp_path), management="unix:/tmp/management.sock"))


def test_management_address_without_a_port_has_torchserves_own(tmp_path: Path) -> None:
    found = find_target(SidecarOptions(state_dir=str(tmp_path), management="http://localhost"))
    assert found.endpoint.management == "http://localhost:8081"
