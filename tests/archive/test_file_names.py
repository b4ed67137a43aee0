"""The files of a model's directory are listed, relative to it, as far as they are its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.archive import file_names
from ts_retry_ext.archive.file_names import names_of_files


def test_files_are_named_relative_to_the_folder(tmp_path: Path) -> None:
    (tmp_path / "parts").mkdir()
    (tmp_path / "parts" / "m.pt").write_text("x")
    (tmp_path / "handler.py").write_text("x")
    assert sorted(names_of_files(str(tmp_path))) == ["handler.py", "parts/m.pt"]


def test_a_folder_is_reached_through_a_link(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "m.pt").write_text("x")
    (tmp_path / "link").symlink_to(tmp_path / "model")
    assert names_of_files(str(tmp_path / "link")) == ("m.pt",)


def test_links_out_of_the_folder_are_left_out_and_others_are_not(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    folder.mkdir()
    (tmp_path / "outside.pt").write_text("x")
    (folder / "m.pt").write_text("x")
    (folder / "same.pt").symlink_to("m.pt")
    (folder / "other.pt").symlink_to(tmp_path / "outside.pt")
    (folder / "all").symlink_to(tmp_path)
    assert sorted(names_of_files(str(folder))) == ["m.pt", "same.pt"]


def test_a_folder_that_is_not_there_is_not_known(tmp_path: Path) -> None:
    with pytest.raises(LookupError):
        names_of_files(str(tmp_path / "gone"))


def test_a_folder_with_too_many_files_is_not_known(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(file_names, "FILES_LIMIT", 2)
    for name in "abc":
        (tmp_path / name).write_text("x")
    with pytest.raises(LookupError):
        names_of_files(str(tmp_path))
