"""A model that is a folder: repairing a file in place is all it takes."""

from __future__ import annotations

from pathlib import Path

from tests.e2e.archives import SOUND, lay_out
from tests.e2e.torchserve import TorchServe


def test_repairing_the_file_in_place_brings_the_model_back_without_a_command(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "store" / "plain"
    lay_out(folder, "plain", "def handle(data, context)\n")
    with TorchServe(tmp_path, {"plain": "plain"}) as server:
        server.wait_for(lambda: server.is_held("plain"), "plain is held")
        (folder / "plain_handler.py").write_text(SOUND.replace("\n    ", "\n"))
        server.wait_for(lambda: server.is_ready("plain"), "plain serves", timeout=30)
        assert server.predict("plain") == (200, "sound")
        assert server.marker_of("plain") is None
        assert server.events("plain") == [
            "start", "load", "failure", "hold", "resume", "release", "start", "load", "loaded",
        ]  # fmt: skip


def test_one_folder_under_two_names_is_two_registrations(tmp_path: Path) -> None:
    folder = lay_out(tmp_path / "store" / "plain", "plain", "def handle(data, context)\n")
    with TorchServe(tmp_path, {"first": folder, "second": folder}) as server:
        server.wait_for(lambda: server.is_held("first"), "first is held")
        server.wait_for(lambda: server.is_held("second"), "second is held")
        assert server.directory_of("first") != server.directory_of("second")
