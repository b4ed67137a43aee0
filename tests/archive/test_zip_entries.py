"""What the frontend would unpack and a zip's directory does not name is never taken for sound."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path
from typing import Any, Sequence

import pytest

from tests.archive.packing import files, manifest
from ts_retry_ext.archive.model_archive import ArchiveError, read_archive

CONTENT = {**files(manifest("m")), "hidden.py": b"evil"}


class Pipe(io.RawIOBase):
    """A file that cannot be gone back in, so that sizes stand behind the entries."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        return self._file.write(data)

    def close(self) -> None:
        self._file.close()


def written(path: Path, names: Sequence[str], *, hidden: str = "", piped: bool = False) -> str:
    """Write a ``.mar`` with `names` of `CONTENT`, one of which its directory leaves out."""
    target = Pipe(path) if piped else path.open("wb")
    with target, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name in names:
            archive.writestr(name, CONTENT[name])
        archive.filelist[:] = [info for info in archive.filelist if info.filename != hidden]
    return str(path)


@pytest.mark.parametrize("piped", [False, True])
@pytest.mark.parametrize("at", [0, 1, 2])
def test_an_entry_that_the_directory_leaves_out_is_found(
    tmp_path: Path, at: int, piped: bool
) -> None:
    names = ["MAR-INF/MANIFEST.json", "h.py"]
    names.insert(at, "hidden.py")
    with pytest.raises(ArchiveError, match="directory does not name"):
        read_archive(written(tmp_path / "x.mar", names, hidden="hidden.py", piped=piped))


@pytest.mark.parametrize("piped", [False, True])
def test_a_sound_one_is_read(tmp_path: Path, piped: bool) -> None:
    path = written(tmp_path / "x.mar", list(CONTENT), piped=piped)
    assert read_archive(path).model == "m"


@pytest.mark.parametrize(("old", "new"), [(b"h.py", b"g.py"), (b"\x08\x00", b"\x00\x00")])
def test_an_entry_that_says_other_things_of_itself_is_found(
    tmp_path: Path, old: bytes, new: bytes
) -> None:
    path = Path(written(tmp_path / "x.mar", list(CONTENT)))
    path.write_bytes(path.read_bytes().replace(old, new, 1))
    with pytest.raises(ArchiveError, match="in its own header"):
        read_archive(str(path))
