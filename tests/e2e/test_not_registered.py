"""What a server was started with and could not register goes missing nowhere (pytorch/serve 2099)."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent

from tests.archive.packing import write_mar
from tests.e2e.archives import SOUND, pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.plugin import FOLDER

MANIFEST = {
    "runtime": "python",
    "model": {"modelName": "needs", "handler": "h.py", "requirementsFile": "requirements.txt"},
}


def test_a_torn_archive_and_a_requirement_that_nobody_has_are_named(tmp_path: Path) -> None:
    store = tmp_path / "store"
    models = {name: pack(store, name, SOUND) for name in ("good", "cut")}
    cut = store / "cut.mar"
    cut.write_bytes(cut.read_bytes()[:100])  # Within the first file.
    needs = {
        "h.py": dedent(SOUND).encode(),
        "requirements.txt": b"no-such-distribution-anywhere==1\n",
        "MAR-INF/MANIFEST.json": json.dumps(MANIFEST).encode(),
    }
    models["needs"] = write_mar(store / "needs.mar", needs).name
    config = {"install_py_dep_per_model": "true", "load_models": ",".join(models.values())}
    with TorchServe(tmp_path, config=config) as server:
        server.wait_for(lambda: server.is_ready("good"), "good serves")
        assert server.ping() == (200, "Healthy")
        done = server.command("status", "--json", "--pid", str(server.frontend().pid))
        assert done.returncode == 3, done.stderr
        told = {model["model"]: model for model in json.loads(done.stdout)["models"]}
        assert {name: model["state"] for name, model in told.items()} == {
            "good": "serving",
            "cut": "not-registered",
            "needs": "not-registered",
        }
        assert "File is not a zip file" in told["cut"]["reason"]
        assert "No matching distribution found for no-such-dist" in told["needs"]["reason"]


def test_the_plug_in_reports_one_and_misses_none_that_somebody_unregistered(
    tmp_path: Path,
) -> None:
    store = tmp_path / "store"
    models = [pack(store, name, SOUND) for name in ("good", "gone", "cut")]
    (store / "cut.mar").write_bytes((store / "cut.mar").read_bytes()[:100])
    config = {"load_models": ",".join(models), "plugins_path": FOLDER}
    with TorchServe(tmp_path, config=config) as server:
        server.wait_for(lambda: server.is_ready("good") and server.is_ready("gone"), "two serve")
        server.call("/models/gone", "DELETE")
        code, answer = server.call("/ping", base=server.inference)
        assert code == 500
        assert [told["model"] for told in answer["not-registered"]] == ["cut"]


def test_a_torn_archive_that_is_given_a_name_is_registered_and_its_failure_says_what_is_wrong(
    tmp_path: Path,
) -> None:
    """TorchServe asks for no manifest then, and takes the name of the folder for a handler."""
    pack(tmp_path / "store", "cut", SOUND)
    cut = tmp_path / "store" / "cut.mar"
    cut.write_bytes(cut.read_bytes()[:20])
    with TorchServe(tmp_path, {"cut": "cut.mar"}) as server:
        server.wait_for(lambda: server.is_held("cut"), "it is held")
        marker = server.marker_of("cut")
        assert marker is not None
        assert marker.rule == "handler-not-named"
