from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.frontend.api import serving
from ts_retry_ext.doctor.checks import (
    FINE,
    WRONG,
    Check,
    check_hook,
    check_interpreter,
    check_sidecar,
    why_unusable,
)
from ts_retry_ext.frontend.interpreter import DISTRIBUTIONS, MODULES, Interpreter
from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.server import Server
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.settings import resolve


def interpreter(**changes: Any) -> Interpreter:
    """Return what a sound interpreter tells, with changes."""
    content: dict[str, Any] = {
        "executable": "/v/bin/python",
        "python": "3.11.7",
        "hooks": ("/v/site-packages/ts_retry_ext.pth",),
        "hook_ran": True,
        "site_packages": ("/v/site-packages",),
        "versions": dict.fromkeys(DISTRIBUTIONS, "0.12.0"),
        "modules": dict.fromkeys(MODULES, True),
        "said": "",
        **changes,
    }
    return Interpreter(**content)


@pytest.mark.parametrize(
    ("changes", "found", "remedy"),
    [
        ({"hook_ran": False, "hooks": ()}, "its ts_retry_ext.pth is not", "--force-reinstall"),
        ({"hook_ran": False}, "/v/site-packages/ts_retry_ext.pth lies in a folder", "--force-re"),
        ({"hook_ran": False, "said": "x\nhook failed: OSError"}, "hook failed: OSError", "--force"),
        (
            {"hook_ran": False, "modules": {**dict.fromkeys(MODULES, True), "ts_retry_ext": False}},
            "ts-retry-ext is not installed",
            "/v/bin/python -m pip install ts-retry-ext",
        ),
    ],
)
def test_hook_that_does_not_run_is_wrong_and_the_remedy_fits(
    changes: dict[str, Any], found: str, remedy: str
) -> None:
    check = check_hook(interpreter(**changes))

    assert check.outcome == WRONG
    assert found in check.found
    assert check.remedy is not None
    assert remedy in check.remedy


def test_hook_that_runs_is_fine() -> None:
    check = check_hook(interpreter())

    assert (check.outcome, check.remedy) == (FINE, None)
    assert check.found == "active: ts-retry-ext 0.12.0, /v/site-packages/ts_retry_ext.pth"


@pytest.mark.parametrize(
    ("module", "name", "remedy"),
    [
        ("ts", "torchserve", "/v/bin/python -m pip install torchserve"),
        ("torch", "torch", "/v/bin/python -m pip install torch"),
        ("yaml", "pyyaml", "/v/bin/python -m pip install pyyaml"),
    ],
)
def test_missing_package_is_wrong_and_the_remedy_installs_it(
    module: str, name: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {**dict.fromkeys(MODULES, True), module: False}
    found = interpreter(modules=modules)
    monkeypatch.setattr("ts_retry_ext.frontend.interpreter.probe", lambda *_: found)

    told = {check.name: check for check in check_interpreter("python", {})}

    assert told[name].outcome == WRONG
    assert told[name].remedy == remedy
    assert [check.name for check in told.values() if check.outcome != FINE] == [name]


def test_torchserve_without_a_window_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    old = interpreter(versions={**dict.fromkeys(DISTRIBUTIONS, "1.0"), "torchserve": "0.7.1"})
    monkeypatch.setattr("ts_retry_ext.frontend.interpreter.probe", lambda *_: old)

    told = {check.name: check for check in check_interpreter("python", {})}

    assert told["torchserve"].outcome == WRONG


def test_file_in_the_place_of_the_state_directory_is_unusable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")

    user = os.geteuid()
    assert why_unusable(str(tmp_path / "file"), user) == "is no directory"
    assert why_unusable(str(tmp_path / "a" / "b"), user) is None
    assert not os.path.exists(tmp_path / "a")


@pytest.mark.skipif(os.geteuid() != 0, reason="takes root to make what belongs to others")
@pytest.mark.parametrize(
    ("owner", "mode", "user", "reason"),
    [
        (0, 0o777, 1000, None),  # a volume of Kubernetes
        (0, 0o775, 1000, None),  # its group may be the server's
        (0, 0o755, 1000, "is not writable"),
        (1000, 0o700, 1000, None),
        (1001, 0o777, 1000, "belongs to user id 1001"),
        (1000, 0o700, 0, "belongs to user id 1000"),
    ],
)
def test_state_directory_belongs_to_the_servers_user_or_is_a_volume_of_roots(
    tmp_path: Path, owner: int, mode: int, user: int, reason: str | None
) -> None:
    tmp_path.chmod(mode)
    os.chown(tmp_path, owner, owner)
    assert why_unusable(str(tmp_path), user) == reason


def sidecar_check(pid: int, address: str) -> Check | None:
    """Return what is told of the sidecar of a server with process id `pid`."""
    found = Frontend(pid, "boot-1", 0.0, (), "/nowhere", {})
    settings, _ = resolve({"retry_sidecar": "true", "retry_sidecar_address": address}, {})
    place = Server(found, ServerConfiguration("/nowhere", None, {}, "/nowhere/logs", {}))
    return next(check_sidecar(place, settings), None)


def test_sidecar_of_another_server_on_the_same_port_is_named() -> None:
    with serving({"GET /models": {"server": {"pid": 7}, "models": []}}) as api:
        own, others = sidecar_check(7, api.address), sidecar_check(8, api.address)
        api.answers["GET /models"] = {"code": 404}
        foreign = sidecar_check(7, api.address)

    assert own is not None
    assert own.outcome == FINE
    assert others is not None
    assert (others.outcome, others.is_wrong) == ("warning", False)
    assert "observes process 7, not this server" in others.found
    assert "retry_sidecar_address of its own" in str(others.remedy)
    assert foreign is not None
    assert "is no sidecar" in foreign.found


def test_sidecar_that_does_not_answer_is_named_and_none_is_looked_for_unless_wanted() -> None:
    silent = sidecar_check(7, "http://127.0.0.1:9")
    assert silent is not None
    assert "http://127.0.0.1:9 does not answer" in silent.found
    assert list(check_sidecar(None, resolve({"retry_sidecar": "true"}, {})[0])) == []
    place = Server(
        Frontend(7, "", 0.0, (), "/", {}), ServerConfiguration("/", None, {}, "/logs", {})
    )
    assert list(check_sidecar(place, resolve({}, {})[0])) == []
