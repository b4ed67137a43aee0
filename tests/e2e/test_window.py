"""The frontend's window beside a held model: `/ping`, and resuming when it is over."""

from __future__ import annotations

import time
from pathlib import Path

from tests.e2e.archives import BROKEN, SOUND, pack
from tests.e2e.torchserve import TorchServe


def test_ping_turns_unhealthy_with_the_window_and_resume_opens_a_new_one(tmp_path: Path) -> None:
    pack(tmp_path / "store", "late", BROKEN, config="maxRetryTimeoutInSec: 10\n")
    pack(tmp_path / "store", "sound", SOUND)
    with TorchServe(tmp_path, {"late": "late.mar", "sound": "sound.mar"}) as server:
        server.wait_for(lambda: server.is_held("late"), "late is held")
        server.wait_for(lambda: server.is_ready("sound"), "sound serves")
        marker = server.marker_of("late")
        assert marker is not None
        assert marker.max_retry_timeout_sec == 10
        assert marker.max_retry_timeout_source == "model-config"
        failed = next(r for r in server.journal_of("late") if r.event == "failure")
        assert server.ping() == (200, "Healthy")
        server.wait_for(lambda: server.ping()[0] == 500, "the window is over", timeout=60)
        assert server.ping() == (500, "Unhealthy")
        assert time.time() >= _seconds(failed.at) + 10

        (module,) = server.temp.glob("models/*/late_handler.py")
        packages = module.parent
        (packages / "no_such_module_anywhere.py").write_text("")
        module.write_text(SOUND.replace("\n    ", "\n"))
        resumed = server.command("resume", "late", "--state-dir", str(server.state_dir))
        assert resumed.returncode == 0, resumed.stdout + resumed.stderr
        assert server.predict("late") == (200, "sound")
        assert server.ping() == (200, "Healthy")


def _seconds(text: str) -> float:
    from ts_retry_ext.store.times import to_seconds

    return to_seconds(text)
