from __future__ import annotations

from pathlib import Path

from ts_retry_ext.worker.registered_path import registration


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


def test_links_beside_it_are_not_the_registration(tmp_path: Path) -> None:
    """A server's own PYTHONPATH can name a folder of links, some of which point nowhere."""
    model, other = tmp_path / "plain", tmp_path / "other"
    model.mkdir()
    other.mkdir()
    links = tmp_path / "links"
    links.mkdir()
    (links / "gone").symlink_to(tmp_path / "gone")
    (links / "other").symlink_to(other)
    assert registration(str(model), [str(model), str(links)]) == str(model)
    (links / "through").symlink_to(tmp_path / "again")
    (tmp_path / "again").symlink_to(model)
    assert registration(str(model), [str(model), str(links)]) == str(links)
