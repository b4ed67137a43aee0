from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.archive.packing import files, manifest, write_folder
from ts_retry_ext.archive.model_archive import ArchiveError, is_model_folder
from ts_retry_ext.archive.model_store import archives_in


def test_model_store_lists_what_torchserve_loads(tmp_path: Path) -> None:
    for name in ("a.mar", "b.tar.gz", "c.tgz", "d.model", "notes.txt", ".hidden.mar"):
        (tmp_path / name).write_bytes(b"")
    write_folder(tmp_path / "x", files(manifest()))
    (tmp_path / "logs").mkdir()

    found = [os.path.basename(path) for path in archives_in(str(tmp_path))]

    assert found == ["a.mar", "b.tar.gz", "c.tgz", "d.model", "x"]
    assert not is_model_folder(str(tmp_path))


def test_missing_model_store_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be listed"):
        archives_in(str(tmp_path / "nope"))
