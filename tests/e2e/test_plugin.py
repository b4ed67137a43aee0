"""The frontend plug-in in a real TorchServe without a sidecar: ``/ping`` on TorchServe's own port."""

from __future__ import annotations

import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from tests.e2e.archives import BROKEN, SOUND, initialize, lacks, pack
from tests.e2e.environments import Environment
from tests.e2e.torchserve import VERSION, TorchServe
from ts_retry_ext.plugin import FOLDER
from ts_retry_ext.store.directory import server_runs

pytestmark = pytest.mark.skipif(VERSION < (0, 10), reason="0.9 ends every process that it retries")
#: On a crowded machine; `pytest -s` prints what it took. On a quiet one it is less than 3 s.
SOON_SEC = 30.0
#: Every byte of the answer of TorchServe 0.12.0 alone.
HEALTHY = b'{\n  "status": "Healthy"\n}\n'


def test_ping_fails_with_the_cause_while_a_model_is_down_and_recovers_with_it(
    tmp_path: Path,
) -> None:
    server = TorchServe(tmp_path, config={"plugins_path": FOLDER})
    server.models = {
        "sound": pack(server.store, "sound", SOUND),
        "broken": pack(server.store, "broken", initialize(lacks())),
    }
    with server:
        server.wait_for(lambda: server.marker_of("broken"), "broken has a marker")
        begun = time.monotonic()
        server.wait_for(lambda: server.ping()[0] == 500, "/ping fails", SOON_SEC)
        print(f"/ping fails {time.monotonic() - begun:.1f} s after the marker")
        code, answer = server.call("/ping", base=server.inference)
        assert (code, answer["status"]) == (500, "Unhealthy")
        (told,) = answer["halted"]
        assert told["model"] == "broken"
        assert "broken_missing" in told["cause"]
        assert server.call("/ping?model=broken", base=server.inference)[0] == 500
        server.wait_for(lambda: server.is_ready("sound"), "sound serves")
        assert server.call("/ping?model=sound", base=server.inference)[0] == 200
        assert server.call("/ping?model=no", base=server.inference)[0] == 404
        answer = server.call("/retry")[1]
        assert answer["server"] == {
            "pid": server.frontend().pid,
            "running": True,
            "torchserve": version("torchserve"),
            "management": server.management,
        }
        models = answer["models"]
        assert {m["model"]: m["state"] for m in models} == {"broken": "halted", "sound": "serving"}
        assert models[0]["exception"] == {
            "type": "ModuleNotFoundError",
            "message": "No module named 'broken_missing'",
        }
        assert server.call("/retry", base=server.inference)[0] == 404

        (run,) = server_runs(str(server.state_dir))
        foreign = Path(run) / "foreign-00000000"
        foreign.mkdir()
        (foreign / "marker.json").write_text("{torn")
        assert server.ping()[0] == server.ping()[0] == 500
        server.supply("broken")
        server.wait_for(lambda: server.is_ready("broken"), "broken serves")
        begun = time.monotonic()
        server.wait_for(lambda: server.ping() == (200, "Healthy"), "/ping is well", SOON_SEC)
        print(f"/ping is well {time.monotonic() - begun:.1f} s after the model")
        assert server.log().count("foreign-00000000/marker.json cannot be used") == 1
        assert "no worker of this server has written" not in server.log()


@pytest.mark.parametrize("is_switched_off", [True, False], ids=["switched off", "no hook"])
def test_without_the_hook_the_answer_is_torchserves_own_and_says_what_is_missing(
    tmp_path: Path, is_switched_off: bool
) -> None:
    """The jar may come from another environment than that of the workers."""
    environ = {"TS_RETRY_ENABLED": "false"} if is_switched_off else {}
    python = sys.executable
    if not is_switched_off:
        python = Environment(tmp_path / "environment", without=("ts_retry_ext.pth",)).python
    window = "maxRetryTimeoutInSec: 1\n"
    server = TorchServe(tmp_path, config={"plugins_path": FOLDER}, environ=environ, python=python)
    server.models = {
        "sound": pack(server.store, "sound", SOUND),
        "broken": pack(server.store, "broken", BROKEN, config=window),
    }
    with server:
        server.wait_for(lambda: server.is_ready("sound"), "sound serves")
        server.wait_for(lambda: server.ping()[0] == 500, "TorchServe's own /ping fails")
        lacking = (
            "switched off by TS_RETRY_ENABLED or retry_enabled"
            if is_switched_off
            else "no worker of this server has written to the state directory: the package does not run in "
            "their Python, or is switched off there; ts-retry doctor says which"
        )
        own: dict[str, object] = {"status": "Unhealthy"}
        told = own if is_switched_off else {**own, "problem": lacking}
        assert server.call("/ping", base=server.inference) == (500, told)
        answer = server.call("/retry")[1]
        states = {model["model"]: model["state"] for model in answer["models"]}
        assert (answer["problem"], states) == (lacking, {"broken": "unknown", "sound": "serving"})
        assert server.log().count(f"ts-retry: {lacking}; ") == 1
        done = server.command("doctor", "--pid", str(server.frontend().pid))
        assert "loaded: /ping is TorchServe's own" in done.stdout
        assert ("server's workers  wrong" in done.stdout) is not is_switched_off
