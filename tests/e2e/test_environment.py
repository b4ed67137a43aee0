"""The worker script itself cannot start: a package that TorchServe needs is missing or shadowed."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.archives import SOUND, pack
from tests.e2e.environments import Environment
from tests.e2e.torchserve import TorchServe


@pytest.mark.parametrize(
    ("lacking", "module"),
    [pytest.param(("yaml", "pyyaml"), "yaml", marks=pytest.mark.nightly), (("torch",), "torch")],
)
def test_a_missing_package_is_held_before_any_load_and_resumed_once_installed(
    tmp_path: Path, lacking: tuple[str, ...], module: str
) -> None:
    environment = Environment(tmp_path / "venv", without=lacking)
    pack(tmp_path / "store", "sound", SOUND)
    with TorchServe(tmp_path, {"sound": "sound.mar"}, python=environment.python) as server:
        server.wait_for(lambda: server.is_held("sound"), "sound is held")
        marker = server.marker_of("sound")
        assert marker is not None
        assert (marker.phase, marker.verdict, marker.basis) == (
            "startup",
            "non_recoverable",
            "rule",
        )
        assert marker.exception.type == "ModuleNotFoundError"
        assert f"'{module}'" in marker.exception.message
        assert server.events("sound") == ["start", "failure", "hold"]
        assert server.launches("sound") == 2

        environment.install(*lacking)
        resumed = server.command(
            "resume", "sound", "--state-dir", str(server.state_dir), "--timeout", "60"
        )
        assert resumed.returncode == 0, resumed.stdout + resumed.stderr
        assert server.predict("sound") == (200, "sound")
        assert server.events("sound").count("load") == 1


def test_a_file_of_the_archive_that_shadows_a_module_is_held_and_named(tmp_path: Path) -> None:
    pack(tmp_path / "store", "shadow", SOUND, {"yaml.py": "raise_an_error = True\n"})
    with TorchServe(tmp_path, {"shadow": "shadow.mar"}) as server:
        server.wait_for(lambda: "failure" in server.events("shadow"), "shadow fails")
        failure = next(r for r in server.journal_of("shadow") if r.event == "failure")
        assert failure.phase == "startup"
        assert failure.exception is not None
        assert "yaml" in failure.exception.traceback
        server.wait_for(lambda: server.is_held("shadow"), "shadow is held")


@pytest.mark.parametrize("module", ["json", "typing", "logging", "dataclasses"])
def test_a_shadowed_module_of_the_standard_library_does_not_stop_the_judging(
    tmp_path: Path, module: str
) -> None:
    pack(tmp_path / "store", "shadow", SOUND, {f"{module}.py": "raise RuntimeError('shadow')\n"})
    with TorchServe(tmp_path, {"shadow": "shadow.mar"}, torch_at_start=True) as server:
        server.wait_for(lambda: "failure" in server.events("shadow"), "shadow fails as in stock")
        assert "not active" not in server.log()
