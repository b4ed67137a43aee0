from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.cli.servers import frontend
from ts_retry_ext.cli.output import CommandError
from ts_retry_ext.cli.servers import chosen_server
from ts_retry_ext.frontend import choice as module
from ts_retry_ext.frontend.process import running_frontends


def test_server_is_chosen_by_its_process_id(tmp_path: Path) -> None:
    with frontend(tmp_path) as running:
        server = chosen_server(running.pid)

    assert server is not None
    assert server.frontend.pid == running.pid
    assert server.configuration.management_address == running.api.address


def test_process_that_is_no_frontend_is_an_error() -> None:
    with pytest.raises(CommandError, match=f"process {os.getpid()} is no TorchServe frontend"):
        chosen_server(os.getpid())


def test_only_server_is_chosen_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with frontend(tmp_path) as running:
        own = [found for found in running_frontends() if found.pid == running.pid]
        monkeypatch.setattr(module, "running_frontends", lambda: own)
        server = chosen_server(None)

    assert server is not None
    assert server.frontend.pid == running.pid


def test_server_of_the_current_directory_is_chosen_among_several(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with frontend(tmp_path / "a"), frontend(tmp_path / "b") as near:
        monkeypatch.chdir(near.folder)
        server = chosen_server(None)

    assert server is not None
    assert server.frontend.pid == near.pid


def test_several_servers_elsewhere_are_an_error_that_lists_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with frontend(tmp_path / "a") as first, frontend(tmp_path / "b") as second, pytest.raises(
        CommandError
    ) as failed:
        chosen_server(None)

    assert failed.value.exit_code == 2
    assert "choose one with --pid" in str(failed.value)
    for running in (first, second):
        assert f"{running.pid} (in {running.folder})" in str(failed.value)


def test_no_server_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "running_frontends", list)

    assert chosen_server(None) is None
