"""Registering a broken model while the server runs answers as stock TorchServe does."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.e2e.archives import SOUND, initialize, pack
from tests.e2e.torchserve import TorchServe

BROKEN = {
    "syntax": "def handle(data, context)\n",
    "runtime": initialize("raise RuntimeError('no weights could be loaded')"),
}


@pytest.mark.parametrize("name", sorted(BROKEN))
def test_a_synchronous_registration_answers_as_stock(tmp_path: Path, name: str) -> None:
    """What it leaves behind is a race of the frontend's: docs/torchserve-defects.md."""
    answers = {}
    for enabled in ("true", "false"):
        root = tmp_path / enabled
        pack(root / "store", name, BROKEN[name])
        with TorchServe(root, environ={"TS_RETRY_ENABLED": enabled}) as server:
            path = f"/models?url={name}.mar&initial_workers=1&synchronous=true"
            answers[enabled] = server.call(path, "POST")
            _, left = server.call("/models")
            registered = {"modelName": name, "modelUrl": f"{name}.mar"}
            assert left["models"] in ([], [registered])
            assert server.worker_states(name) == []
    assert answers["true"] == answers["false"]
    assert answers["true"][0] == 500, answers


def test_a_version_that_was_unregistered_is_not_missed_after_the_end_of_the_server(
    tmp_path: Path,
) -> None:
    """TorchServe killed its holder, as it does at its own end; its log tells one from the other."""
    server = TorchServe(tmp_path)
    server.models = {"first": pack(server.store, "first", BROKEN["syntax"])}
    pack(tmp_path / "second" / "store", "first", BROKEN["syntax"], version="2.0")
    (tmp_path / "second" / "store" / "first.mar").replace(server.store / "second.mar")

    def down() -> list[tuple[str, str]]:
        return [(m["version"], m["state"]) for m in server.status() if m["model"] == "first"]

    with server:
        server.register("second.mar")
        both = [("1.0", "halted"), ("2.0", "halted")]
        server.wait_for(lambda: down() == both, "both versions are halted")
        server.wait_for(
            lambda: server.log().count(" MODEL_LOG - [PID]") >= 4, "both versions are held"
        )
        assert server.call("/models/first/2.0", "DELETE")[0] == 200
        assert down() == [("1.0", "halted")]
        server.frontend().terminate()
        psutil.wait_procs([psutil.Process(server.process.pid)] if server.process else [], 60)
    assert down() == [("1.0", "halted")]


def test_a_repaired_archive_registered_again_is_loaded_and_nothing_of_the_old_marker_counts(
    tmp_path: Path,
) -> None:
    with TorchServe(tmp_path) as server:
        pack(server.store, "again", BROKEN["syntax"])
        broken: tuple[int, Any] = server.call(
            "/models?url=again.mar&initial_workers=1&synchronous=false", "POST"
        )
        assert broken[0] == 202
        server.wait_for(lambda: server.is_held("again"), "the broken archive is held")
        held = server.directory_of("again")
        assert server.call("/models/again", "DELETE")[0] == 200
        pack(server.root / "second" / "store", "again", SOUND)
        (server.root / "second" / "store" / "again.mar").replace(server.store / "again.mar")
        path = "/models?url=again.mar&initial_workers=1&synchronous=true"
        assert server.call(path, "POST")[0] == 200
        assert server.predict("again") == (200, "sound")
        assert server.directory_of("again") != held
        assert server.marker_of("again") is None
        assert server.events("again") == ["start", "load", "loaded"]
        (model,) = [m for m in server.status() if m["model"] == "again"]
        assert (model["state"], model["loads"], model["failures"]) == ("serving", 1, 0)
