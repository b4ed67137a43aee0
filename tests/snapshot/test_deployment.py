"""What `ts-retry deploy` refuses before it touches the server, and what it leaves where it cannot go on."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.frontend.api import Api, described, serving
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.management import ManagementApi, management_api_of
from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
from ts_retry_ext.snapshot.deployment import put_beside
from ts_retry_ext.snapshot.deployment_place import DeploymentError, alone, stored
from ts_retry_ext.snapshot.deployment_plan import Plan, plan
from ts_retry_ext.snapshot.deployment_switch import put_in_place
from ts_retry_ext.snapshot.observed_server import ObservedServer, observed
from ts_retry_ext.snapshot.without_model_api import without_model_api


def having(*entries: dict[str, Any]) -> dict[str, Any]:
    """Return the answers of a frontend that has these versions of the model ``m``, its model API on."""
    no_url = {"code": 400, "type": "BadRequestException", "message": "Parameter url is required."}
    return {
        "POST /models": (400, no_url),
        "GET /models": {"models": [{"modelName": "m"}] if entries else []},
        "GET /models/m": list(entries[:1]),
        "GET /models/m/all": list(entries),
    }


def server_with(
    api: Api, folder: Path, model_store: str | None = None
) -> tuple[ObservedServer, ManagementApi]:
    properties = {"management_address": api.address, "disable_token_authorization": "true"}
    store = str(folder / model_store) if model_store else None
    configuration = ServerConfiguration(
        str(folder), None, properties, str(folder / "logs"), {}, store
    )
    server = Server(Frontend(os.getpid(), "boot-1", 0.0, (), str(folder), {}), configuration)
    return observed(server), management_api_of(configuration)


@pytest.mark.parametrize(
    ("version", "name", "why"),
    [
        ("1.10", "m", "version 1.10 of m is registered already"),
        ("1.9", "m", "holds version 1.9, older than 1.10, which serves: give --allow-older"),
        ("1.0", "n", r"no such model is registered \(m\): give --new to add it"),
    ],
)
def test_what_cannot_take_the_place_of_what_serves_is_named(
    tmp_path: Path, version: str, name: str, why: str
) -> None:
    with serving(having(described("m", modelVersion="1.10"))) as api:
        server, management = server_with(api, tmp_path)
        with pytest.raises(DeploymentError, match=why):
            plan(server, management, "m.mar", name, version, is_new=False, may_be_older=False)
        # This one names no archive, and asks whether the model API is on.
        assert [asked for asked in api.asked if not asked.startswith("GET")] == ["POST /models"]


def test_a_new_version_gets_as_many_workers_as_the_old_one(tmp_path: Path) -> None:
    old = described("m", modelVersion="1.9", minWorkers=2, maxWorkers=4)
    with serving(having(old)) as api:
        server, management = server_with(api, tmp_path)
        made = plan(server, management, "m.mar", "m", "1.10", is_new=False, may_be_older=False)
    assert made.workers == (2, 4)


def test_a_second_deploy_of_the_model_is_refused_and_one_of_another_is_not(tmp_path: Path) -> None:
    with serving(having()) as api:
        server, _ = server_with(api, tmp_path)
    with alone(server, "m"):
        refused = pytest.raises(DeploymentError, match="another ts-retry deploy of m runs")
        with refused, alone(server, "m"):
            pass
        with alone(server, "../n"):
            pass
    with alone(server, "m"):
        pass


def test_an_archive_is_put_into_the_store_and_taken_out_again_where_it_does_not_serve(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store"
    store.mkdir()
    archive = tmp_path / "m.mar"
    archive.write_bytes(b"archive")
    with pytest.raises(DeploymentError), stored(str(archive), str(store), "../m", "2") as url:
        assert (store / url).read_bytes() == b"archive"
        raise DeploymentError
    assert list(store.iterdir()) == []
    with stored(str(archive), str(store), "m", "2") as url:
        pass
    assert [path.name for path in store.iterdir()] == [url]
    (store / url).write_bytes(b"another")
    refused = pytest.raises(DeploymentError, match="is another archive")
    with refused, stored(str(archive), str(store), "m", "2"):
        pass
    assert (store / url).read_bytes() == b"another"


def test_a_full_disk_leaves_no_half_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = tmp_path / "store"
    store.mkdir()

    def half(_: str, target: str) -> None:
        Path(target).write_bytes(b"ha")
        raise OSError(errno.ENOSPC, "No space left on device", target)

    monkeypatch.setattr(shutil, "copyfile", half)
    full = pytest.raises(OSError, match="No space left")
    with full, stored(str(tmp_path / "m.mar"), str(store), "m", "2"):
        pass
    assert list(store.iterdir()) == []


def test_a_version_that_is_registered_and_does_not_load_is_taken_away(tmp_path: Path) -> None:
    old, new = described("m", modelVersion="1"), described("m", modelVersion="2", workers=[])
    answers = having(old, new)
    answers["POST /models"] = (
        500,
        {"code": 500, "type": "X", "message": "Failed to start workers"},
    )
    answers["DELETE /models/m/2"] = {"status": "unregistered"}
    told: list[str] = []
    with serving(answers) as api:
        server, management = server_with(api, tmp_path)
        wanted = Plan("m.mar", "m", "2", None)
        with pytest.raises(DeploymentError, match="Failed to start workers"):
            put_beside(server, management, wanted, "m.mar", timeout_sec=2, tell=told.append)
        assert [a for a in api.asked if a.startswith("DELETE")] == ["DELETE /models/m/2"]
    assert told == ["registers version 2 with 1 worker"]


def test_a_frontend_that_goes_before_the_switch_leaves_the_old_version(tmp_path: Path) -> None:
    with serving(having(described("m", modelVersion="1"))) as api:
        server, management = server_with(api, tmp_path)
        made = plan(server, management, "m.mar", "m", "2", is_new=False, may_be_older=False)
    with pytest.raises(ManagementError):
        put_in_place(
            server, management, made, keep_old=False, load_sec=0, drain_sec=0, tell=lambda _: None
        )


def test_a_new_model_needs_no_name_where_the_whole_store_is_loaded(tmp_path: Path) -> None:
    configuration = ServerConfiguration(
        str(tmp_path), None, {}, "logs", {}, str(tmp_path), load_models="ALL"
    )
    told = without_model_api("my new.mar", None, configuration)
    assert f"cp 'my new.mar' '{tmp_path}/my new.mar', and restart the server; or" in told


@pytest.mark.parametrize(
    ("archive", "old", "steps"),
    [
        ("new.mar", "m.mar", "cp {0}/new.mar {0}/store/m.mar, and restart the server"),
        ("new.mar", "gone.mar", "cp {0}/new.mar {0}/store/gone.mar, and restart the server"),
        ("store/m.mar", "m.mar", "ts-retry check {0}/store/m.mar, and restart the server"),
        ("new.mar", "folder", "unpack it into {0}/store/folder, and restart the server"),
        ("new.mar", None, "cp {0}/new.mar {0}/store/new.mar, name new.mar in load_models or --models, and restart"),
    ],
)  # fmt: skip
def test_a_model_api_that_is_off_is_told_first_with_the_steps_that_take_its_place(
    tmp_path: Path, archive: str, old: str | None, steps: str
) -> None:
    """Whether or not the version would do: the steps need no other one."""
    (tmp_path / "store" / "folder").mkdir(parents=True)
    for name in ("new.mar", "store/m.mar"):
        (tmp_path / name).write_bytes(b"archive")
    answers = having(*([described("m", modelUrl=old)] if old else []))
    off = {
        "code": 405,
        "type": "MethodNotAllowedException",
        "message": "Requested method is not allowed",
    }
    answers["POST /models"] = (405, off)
    with serving(answers) as api:
        server, management = server_with(api, tmp_path, model_store="store")
        path = str(tmp_path / archive)
        with pytest.raises(DeploymentError) as refused:
            plan(server, management, path, "m", "1.0", is_new=False, may_be_older=False)
    assert steps.format(tmp_path) in str(refused.value)
    assert "or set enable_model_api=true in " in str(refused.value)
