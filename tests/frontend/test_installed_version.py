from __future__ import annotations

from pathlib import Path

from ts_retry_ext.frontend.installed_version import torchserve_version_in


def test_the_version_is_read_from_torchserves_own_file(tmp_path: Path) -> None:
    assert torchserve_version_in(str(tmp_path)) is None

    (tmp_path / "version.txt").write_text("0.12.0\n")

    assert torchserve_version_in(str(tmp_path)) == "0.12.0"
