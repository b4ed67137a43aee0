from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.frontend.api import serving
from ts_retry_ext.doctor import server_checks
from ts_retry_ext.doctor.diagnosis import FINE, WARNING, Diagnosis
from ts_retry_ext.doctor.server_checks import (
    check_plugin,
    check_server,
    check_sidecar,
    check_snapshots,
)
from ts_retry_ext.frontend.frontends_here import Unseen
from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
from ts_retry_ext.plugin import FOLDER, JAR, LINE
from ts_retry_ext.settings import resolve


def sidecar_check(pid: int, address: str) -> Diagnosis | None:
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


@pytest.mark.parametrize(
    ("names", "said"),
    [
        (("20260101000000000-shutdown.cfg", "20260102000000000-startup.cfg~"), None),
        (("20260101000000000-shutdown.cfg", "notes.txt"), "does not start"),
        (("20260101000000000-shutdown.cfg", ".20260101.swp"), "does not start"),
        (("notes.txt",), "takes this file for its configuration"),
        ((), None),
    ],
)
def test_a_stray_file_among_the_snapshots_is_named(
    tmp_path: Path, names: tuple[str, ...], said: str | None
) -> None:
    """Each row was tried on TorchServe 0.12.0."""
    (tmp_path / "config" / "folder").mkdir(parents=True)
    for name in names:
        (tmp_path / "config" / name).write_text("")
    found = [diagnosis.found for diagnosis in check_snapshots(str(tmp_path))]
    assert len(found) == (said is not None)
    assert all(f"config/{names[-1]}: " in text and str(said) in text for text in found)


@pytest.mark.parametrize("unseen", [[], [Unseen(7, "of user root")]])
def test_a_server_that_cannot_be_looked_into_may_be_the_one_with_the_file(
    unseen: list[Unseen], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(server_checks, "unseen_frontends", lambda: unseen)
    (found,) = check_server(None, "c.properties")
    assert found.found.startswith("none that this user can see runs with c.properties")
    assert (found.outcome, "process 7 is a TorchServe of user root" in found.found) == (
        WARNING if unseen else FINE,
        bool(unseen),
    )


TORCHSERVE = ".:/site-packages/ts/frontend/*"


def server(class_path: str, **properties: str) -> Server:
    found = Frontend(7, "boot-1", 0.0, ("java", "-cp", class_path, "Main"), "/nowhere", {})
    return Server(found, ServerConfiguration("/nowhere", None, properties, "/nowhere/logs", {}))


@pytest.mark.parametrize(
    ("class_path", "properties", "outcome", "told"),
    [
        (f"{TORCHSERVE}:{FOLDER}/*", {"plugins_path": FOLDER}, FINE, "loaded: "),
        (f"{TORCHSERVE}:/other/*:{FOLDER}/*", {}, FINE, "loaded: "),
        (f"{TORCHSERVE}:{JAR}", {}, FINE, "loaded: "),
        (TORCHSERVE, {}, FINE, f"not loaded: TorchServe's own /ping fails .* {LINE}"),
        (f"{TORCHSERVE}:{JAR}/*", {"plugins_path": JAR}, WARNING, "not on the server's class path"),
        (f"{TORCHSERVE}:{FOLDER}", {"plugins_path": "/x"}, WARNING, "plugins_path is '/x'"),
        ("", {"plugins_path": FOLDER}, WARNING, "not on the server's class path"),
    ],
)
def test_what_is_on_the_class_path_is_loaded(
    class_path: str, properties: dict[str, str], outcome: str, told: str
) -> None:
    running = server(class_path, **properties)
    found = check_plugin(running, running.configuration)
    assert found.outcome == outcome
    assert re.search(told, found.found)


@pytest.mark.parametrize(
    ("properties", "outcome", "told"),
    [
        ({}, FINE, LINE),
        ({"plugins_path": FOLDER}, FINE, "on, if the server is started with this file"),
        ({"plugins_path": "/elsewhere"}, WARNING, "there is no /elsewhere/"),
    ],
)
def test_before_the_start_it_is_said_whether_the_file_has_the_line(
    properties: dict[str, str], outcome: str, told: str
) -> None:
    found = check_plugin(None, server("", **properties).configuration)
    assert found.outcome == outcome
    assert told in found.found
