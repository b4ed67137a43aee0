"""The frontend's window beside a held model: `/ping`, and resuming when it is over."""

from __future__ import annotations

import json
import os
import sys
import time
import zipfile
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


#: An interpreter whose second worker takes its time, as on a busy machine.
LATE = """\
#!/bin/sh
case "$*" in *model_service_worker.py*)
    echo x >> {count}
    [ "$(wc -l < {count})" -eq 2 ] && sleep 8
esac
exec {python} "$@"
"""


def test_resume_after_a_window_that_seems_open_still_brings_the_workers_back(
    tmp_path: Path,
) -> None:
    """The frontend's window begins with the first stop; all that a journal has of it is the next start."""
    pack(tmp_path / "store", "late", BROKEN, config="maxRetryTimeoutInSec: 10\n")
    _run_with(tmp_path / "store" / "late.mar", "python3")
    programs = tmp_path / "programs"
    programs.mkdir()
    interpreter = programs / "python3"
    interpreter.write_text(LATE.format(count=tmp_path / "starts", python=sys.executable))
    interpreter.chmod(0o755)
    environ = {"PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
    with TorchServe(tmp_path, {"late": "late.mar"}, environ=environ) as server:
        server.wait_for(lambda: server.ping()[0] == 500, "the window is over", timeout=60)
        server.wait_for(lambda: server.is_held("late"), "late is held")
        (module,) = server.temp.glob("models/*/late_handler.py")
        module.write_text(SOUND.replace("\n    ", "\n"))
        resumed = server.command("resume", "late", "--state-dir", str(server.state_dir))
        assert resumed.returncode == 0, resumed.stdout + resumed.stderr
        assert server.predict("late") == (200, "sound")


def _run_with(archive: Path, runtime: str) -> None:
    """Let the workers of an archive run with an interpreter of this name on the PATH."""
    with zipfile.ZipFile(archive) as packed:
        files = {name: packed.read(name) for name in packed.namelist()}
    manifest = json.loads(files["MAR-INF/MANIFEST.json"])
    files["MAR-INF/MANIFEST.json"] = json.dumps({**manifest, "runtime": runtime}).encode()
    with zipfile.ZipFile(archive, "w") as packed:
        for name, content in files.items():
            packed.writestr(name, content)


def _seconds(text: str) -> float:
    from ts_retry_ext.store.times import to_seconds

    return to_seconds(text)
