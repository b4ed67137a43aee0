"""The one choice of a server, with processes that look like frontends."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Callable, Iterator

import pytest

from tests.cli.servers import Frontend, frontend
from ts_retry_ext.cli.printing import CommandError
from ts_retry_ext.cli.shared_options import chosen_server
from ts_retry_ext.frontend import choice as module
from ts_retry_ext.frontend.choice import (
    NoServerError,
    SeveralServersError,
    Wanted,
    choose_server,
    no_server,
)
from ts_retry_ext.frontend.frontends_here import running_frontends


@pytest.fixture
def two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[Frontend, Frontend]]:
    """Two servers, with nobody else's among those that run here."""
    monkeypatch.chdir(tmp_path)
    with frontend(tmp_path / "a") as first, frontend(tmp_path / "b") as second:
        pids = (first.pid, second.pid)
        own = [found for found in running_frontends() if found.pid in pids]
        monkeypatch.setattr(module, "running_frontends", lambda: own)
        yield first, second


@pytest.mark.parametrize(
    "wanted",
    [
        lambda server: Wanted(pid=server.pid),
        lambda server: Wanted(ts_config=str(server.folder / "config.properties")),
        lambda server: Wanted(ts_config=str(server.folder / ".." / "b" / "config.properties")),
        lambda server: Wanted(management=server.api.address),
        lambda server: Wanted(management=server.api.address + "/"),
        lambda server: Wanted(state_dir=str(server.kept.parent)),
        lambda server: Wanted(state_dir=str(server.folder / "logs" / ".." / "logs" / "ts_retry")),
        lambda server: Wanted(pid=server.pid, state_dir="/elsewhere"),
    ],
    ids=["pid", "file", "file-odd", "address", "address-slash", "state", "state-odd", "pid-state"],
)
def test_server_is_chosen_by_what_names_it(
    two: tuple[Frontend, Frontend], wanted: Callable[[Frontend], Wanted]
) -> None:
    found = choose_server(wanted(two[1]))
    assert found.frontend.pid == two[1].pid
    assert found.configuration.management_address == two[1].api.address


def test_server_of_the_current_directory_is_chosen_among_several(
    two: tuple[Frontend, Frontend], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(two[0].folder)
    assert choose_server(Wanted()).frontend.pid == two[0].pid


def test_several_servers_elsewhere_are_an_error_that_lists_them(
    two: tuple[Frontend, Frontend],
) -> None:
    shown = ", ".join(f"{server.pid} (in {server.folder})" for server in two)
    with pytest.raises(SeveralServersError) as caught:
        choose_server(Wanted())
    assert str(caught.value) == shown

    with pytest.raises(CommandError) as failed:
        chosen_server(None)
    assert str(failed.value) == f"several servers run, choose one with --pid: {shown}"
    assert failed.value.exit_code == 2


def test_only_server_is_chosen_by_itself(
    two: tuple[Frontend, Frontend], monkeypatch: pytest.MonkeyPatch
) -> None:
    own = [found for found in running_frontends() if found.pid == two[0].pid]
    monkeypatch.setattr(module, "running_frontends", lambda: own)
    assert choose_server(Wanted()).frontend.pid == two[0].pid


@pytest.mark.parametrize(
    ("wanted", "told"),
    [
        (Wanted(pid=1), "process 1 is no TorchServe frontend"),
        (Wanted(ts_config="/no/such"), "no TorchServe with the configuration /no/such runs here"),
    ],
)
def test_server_that_is_named_and_does_not_run_is_an_error(wanted: Wanted, told: str) -> None:
    with pytest.raises(NoServerError, match=told):
        choose_server(wanted)


def test_command_without_a_server_has_none_and_one_that_names_it_an_error(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "running_frontends", list)
    assert chosen_server(None) is None
    assert no_server()
    with pytest.raises(CommandError, match=f"process {os.getpid()} is no TorchServe frontend"):
        chosen_server(os.getpid())
