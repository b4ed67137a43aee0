from __future__ import annotations

from pathlib import Path

from ts_retry_ext.worker.model_files import registration


def test_an_unpacked_archive_is_its_own_registration() -> None:
    assert registration("/tmp/models/0123", ["/tmp/models/0123", "/serve"]) == "/tmp/models/0123"
    assert registration("/tmp/models/0123", []) == "/tmp/models/0123"


def test_a_linked_directory_is_registered_by_its_link(tmp_path: Path) -> None:
    model = tmp_path / "store" / "plain"
    model.mkdir(parents=True)
    link = tmp_path / "models" / "0123"
    link.mkdir(parents=True)
    (link / "plain").symlink_to(model)
    other = tmp_path / "other"
    other.mkdir()
    path = [str(other), str(model), str(link), "/serve"]
    assert registration(str(model), path) == str(link)
    assert registration(str(model), [str(model), str(other)]) == str(model)
