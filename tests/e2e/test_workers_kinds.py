"""Every kind of handler TorchServe accepts, and every way to configure its workers."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Iterator

import psutil
import pytest

from tests.e2e.archives import SOUND, initialize, lay_out, pack
from tests.e2e.torchserve import TorchServe

BROKEN = "import no_such_module_anywhere\n\n\nclass Handler:\n    pass\n"
FUNCTION = """
    def {name}(data, context):
        if data is None:
            import no_such_module_anywhere
        return ["sound"] * len(data)
"""
#: What these models lack, and how they are held.
LACKING = {
    "inclass": "no_such_module_anywhere",
    "function": "no_such_module_anywhere",
    "named": "no_such_module_anywhere",
    "enveloped": "no_such_module_anywhere",
    "default": "torchvision",
}

pytestmark = pytest.mark.xdist_group("workers_kinds")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("kinds")
    store = root / "store"
    lay_out(store / "inclass", "inclass", initialize("import no_such_module_anywhere"))
    lay_out(store / "function", "function", FUNCTION.format(name="handle"))
    lay_out(store / "named", "named", FUNCTION.format(name="serve"))
    _set(store / "named", handler="named_handler.py:serve")
    lay_out(store / "enveloped", "enveloped", initialize("import no_such_module_anywhere"))
    _set(store / "enveloped", envelope="json")
    lay_out(store / "default", "default", "")
    _set(store / "default", handler="image_classifier")
    lay_out(store / "letter", "letter", SOUND)
    _set(store / "letter", envelope="body")
    # TCP instead of Unix sockets, and our variables hidden from the workers.
    config = {"use_native_io": "false", "blacklist_env_vars": ".*TS_RETRY.*"}
    environ = {"TS_RETRY_MAX_IDENTICAL_FAILURES": "2"}
    pack(store, "repeats", initialize("raise RuntimeError('nobody knows this one')"))
    models = {name: name for name in (*LACKING, "letter")}
    models["repeats"] = "repeats.mar"
    with TorchServe(root, models, config=config, environ=environ) as running:
        yield running


def _set(folder: Path, **keys: str) -> None:
    """Change the manifest of a model that is a folder."""
    path = folder / "MAR-INF" / "MANIFEST.json"
    manifest = json.loads(path.read_text())
    manifest["model"].update(keys)
    path.write_text(json.dumps(manifest))


@pytest.mark.parametrize("model", LACKING)
def test_a_handler_of_any_form_is_halted_after_one_load(server: TorchServe, model: str) -> None:
    server.wait_for(lambda: server.is_held(model), f"{model} is held")
    marker = server.marker_of(model)
    assert marker is not None
    assert LACKING[model] in marker.exception["message"]
    assert (marker.basis, marker.rule) == ("rule", "module-missing")
    assert server.events(model) == ["start", "load", "failure", "hold"]
    assert marker.worker["socket"].startswith("127.0.0.1:")


def test_a_sound_handler_behind_an_envelope_serves(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_ready("letter"), "letter serves")
    assert server.predict("letter") == (200, "sound")


def test_what_the_operator_set_holds_though_the_frontend_hides_it(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("repeats"), "repeats is held")
    assert server.events("repeats").count("load") == 2


def test_repairing_a_held_function_in_place_brings_it_back(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("function"), "function is held")
    handler = server.store / "function" / "function_handler.py"
    handler.write_text("def handle(data, context):\n    return ['sound'] * len(data or ())\n")
    server.wait_for(lambda: server.is_ready("function"), "function serves")
    assert server.predict("function") == (200, "sound")


def test_versions_of_one_model_are_halted_each_for_itself(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for number, handler in (("1.0", BROKEN), ("2.0", SOUND)):
        lay_out(store / f"many{number}", "many", handler)
        _set(store / f"many{number}", modelVersion=number)
    with TorchServe(tmp_path) as server:
        for number in ("1.0", "2.0"):
            path = f"/models?url=many{number}&model_name=many&initial_workers=1&synchronous=false"
            assert server.call(path, "POST")[0] in (200, 202)
        halted = server.wait_for(lambda: _states(server).get("1.0") == "halted", "1.0 is halted")
        assert halted
        server.wait_for(
            lambda: _states(server) == {"1.0": "halted", "2.0": "serving"}, "2.0 serves"
        )
        assert server.call("/predictions/many/2.0", "POST", b"x", server.inference) == (
            200,
            "sound",
        )


def _states(server: TorchServe) -> dict[str, str]:
    shown = server.command("status", "--json", "--state-dir", str(server.state_dir))
    models = json.loads(shown.stdout)["models"] if shown.returncode in (0, 3) else []
    return {model["version"]: model["state"] for model in models}


def test_a_model_with_its_own_environment_is_guarded_there(tmp_path: Path) -> None:
    pack(tmp_path / "store", "broken", BROKEN, config="useVenv: true\n")
    pack(tmp_path / "store", "sound", SOUND, config="useVenv: true\n")
    config = {"install_py_dep_per_model": "true"}
    models = {"broken": "broken.mar", "sound": "sound.mar"}
    with TorchServe(tmp_path, models, config=config) as server:
        server.wait_for(lambda: server.is_held("broken"), "broken is held")
        assert server.events("broken") == ["start", "load", "failure", "hold"]
        server.wait_for(lambda: server.is_ready("sound"), "sound serves")
        assert server.events("sound") == ["start", "load", "loaded"]
        held = [r["pid"] for r in server.journal_of("broken") if r["event"] == "hold"]
        (holder,) = [worker for worker in server.workers() if worker.pid in held]
        assert "/venv/" in holder.cmdline()[0]


def test_a_worker_behind_the_cpu_launcher_is_halted_and_serves(tmp_path: Path) -> None:
    pack(tmp_path / "store", "broken", BROKEN)
    pack(tmp_path / "store", "sound", SOUND)
    config = {
        "cpu_launcher_enable": "true",
        "cpu_launcher_args": "--ninstances 1 --ncores-per-instance 1",
    }
    models = {"broken": "broken.mar", "sound": "sound.mar"}
    environ = {"PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}
    with TorchServe(tmp_path, models, config=config, environ=environ) as server:
        server.wait_for(lambda: server.is_held("broken"), "broken is held")
        assert server.events("broken") == ["start", "load", "failure", "hold"]
        server.wait_for(lambda: server.is_ready("sound"), "sound serves")
        assert server.log().count("-m, torch.backends.xeon.run_cpu, --ninstances, 1") >= 3
        processes = server.processes()
        server.frontend().kill()
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not alive
