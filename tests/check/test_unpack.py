from __future__ import annotations

import io
import os
import stat
import tarfile
import tracemalloc
import zipfile
from pathlib import Path

import pytest

from tests.archive.packing import (
    files,
    manifest,
    write_folder,
    write_mar,
    write_nameless,
    write_tar,
    write_tar_bomb,
    write_unflagged,
)
from ts_retry_ext.archive.model_archive import ArchiveError
from ts_retry_ext.check import unpack as module
from ts_retry_ext.check.unpack import NoRoomError, check_links, unpack
from ts_retry_ext.trial.child_processes import AbortedError

SOUND = files(manifest())


def with_link(path: Path, name: str, target: str) -> Path:
    """Write a ``.mar`` with a symbolic link, as Info-ZIP does with ``zip -y``."""
    with zipfile.ZipFile(path, "w") as archive:
        entry = zipfile.ZipInfo(name)
        entry.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(entry, target)
    return path


def special(path: Path, kind: bytes, linkname: str = "") -> Path:
    with tarfile.open(path, "w:gz") as archive:
        entry = tarfile.TarInfo("m/weights.pt")
        entry.type, entry.linkname = kind, linkname
        archive.addfile(entry)
    return path


def unpacked(path: Path, tmp_path: Path) -> tuple[Path, tuple[str, ...]]:
    target = tmp_path / "out" / "models"
    target.mkdir(parents=True)
    return target, unpack(str(path), str(target))


@pytest.mark.parametrize(
    ("make", "member"),
    [
        (lambda p: write_mar(p / "a.mar", {**SOUND, "../../evil.py": b""}), "../../evil.py"),
        (lambda p: write_mar(p / "a.mar", {**SOUND, "x/../../evil.py": b""}), "x/../../evil.py"),
        (lambda p: write_tar(p / "a.tgz", {**SOUND, "../evil.py": b""}), "../evil.py"),
        (lambda p: with_link(p / "a.mar", "weights.pt", "/etc/passwd"), "weights.pt"),
        (lambda p: with_link(p / "a.mar", "x/weights.pt", "../../passwd"), "weights.pt"),
        (lambda p: write_tar(p / "a.tgz", {**SOUND, "weights.pt": "../passwd"}), "weights.pt"),
        (lambda p: special(p / "a.tgz", tarfile.LNKTYPE, "m/../../passwd"), "weights.pt"),
        (lambda p: special(p / "a.tgz", tarfile.FIFOTYPE), "weights.pt"),
        (lambda p: special(p / "a.tgz", tarfile.CHRTYPE), "weights.pt"),
    ],
)
def test_what_leads_out_is_refused_with_archive_and_member(
    tmp_path: Path, make: object, member: str
) -> None:
    path = make(tmp_path)  # type: ignore[operator]
    with pytest.raises(ArchiveError) as refused:
        unpacked(path, tmp_path)
    assert str(path) in str(refused.value)
    assert member in str(refused.value)
    assert not list(tmp_path.rglob("evil.py"))
    assert not [p for p in tmp_path.rglob("*") if p.is_symlink()]


def test_an_entry_without_a_name_is_refused_with_a_reason(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match=r"a\.mar: cannot be unpacked: .*directory"):
        unpacked(write_nameless(tmp_path / "a.mar", SOUND), tmp_path)


@pytest.mark.parametrize("ending", [".mar", ".tgz"])
def test_an_archive_is_unpacked_as_the_frontend_does(tmp_path: Path, ending: str) -> None:
    content = {**SOUND, "/abs.txt": b"inside", "a/b/c.txt": b"deep"}
    write = write_mar if ending == ".mar" else write_tar
    target, notes = unpacked(write(tmp_path / f"a{ending}", content), tmp_path)
    assert (target / "MAR-INF" / "MANIFEST.json").read_bytes() == SOUND["MAR-INF/MANIFEST.json"]
    assert (target / "abs.txt").read_bytes() == b"inside"
    assert (target / "a" / "b" / "c.txt").read_bytes() == b"deep"
    assert notes == ()


def test_a_name_is_utf_8_as_java_reads_it_though_the_zip_does_not_say_so(tmp_path: Path) -> None:
    target, _ = unpacked(write_unflagged(tmp_path / "a.mar", "gewichte_ä".encode()), tmp_path)
    assert [path.name for path in target.iterdir()] == ["gewichte_ä"]


def test_a_tar_whose_attributes_would_fill_the_memory_is_refused(tmp_path: Path) -> None:
    path = write_tar_bomb(tmp_path / "a.tgz", 256 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(ArchiveError, match="header of an entry is larger"):
            unpacked(path, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < 16 << 20
    finally:
        tracemalloc.stop()


def test_the_first_folder_of_a_tar_goes(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "a.tgz", "w:gz") as archive:
        for name in ("m", "m/inner"):
            entry = tarfile.TarInfo(name)
            entry.type = tarfile.DIRTYPE
            archive.addfile(entry)
    target, _ = unpacked(tmp_path / "a.tgz", tmp_path)
    assert [path.name for path in target.iterdir()] == ["inner"]


def test_a_link_inside_becomes_the_file_that_torchserve_makes_of_it(tmp_path: Path) -> None:
    target, notes = unpacked(with_link(tmp_path / "a.mar", "x/w.pt", "../real.pt"), tmp_path)
    assert (target / "x" / "w.pt").read_text() == "../real.pt"
    assert "x/w.pt" in notes[0]


def test_a_link_inside_a_tar_becomes_an_empty_file(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tgz", {**SOUND, "w.pt": "h.py"})
    target, notes = unpacked(path, tmp_path)
    assert (target / "w.pt").read_bytes() == b""
    assert not (target / "w.pt").is_symlink()
    assert "w.pt" in notes[0]


@pytest.mark.parametrize("ending", [".mar", ".tgz"])
def test_a_bomb_is_refused_before_it_is_written(
    tmp_path: Path, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "ALWAYS_ALLOWED_BYTES", 1000)
    content = {"zeros": bytes(3_000_000)}
    write = write_mar if ending == ".mar" else write_tar
    path = write(tmp_path / f"a{ending}", content)
    with pytest.raises(ArchiveError, match="zeros.*zip bomb.*--max-unpacked"):
        unpacked(path, tmp_path)
    assert not [p for p in (tmp_path / "out").rglob("*") if p.is_file() and p.stat().st_size]
    (tmp_path / "again").mkdir()
    unpack(str(path), str(tmp_path / "again"), max_unpacked=4_000_000)
    assert (tmp_path / "again" / "zeros").stat().st_size in (0, 3_000_000)


def test_an_entry_that_is_larger_than_it_says_is_cut_or_refused(tmp_path: Path) -> None:
    path = write_mar(tmp_path / "a.mar", {"zeros": bytes(2_000_000)})
    data = bytearray(path.read_bytes())
    size = (2_000_000).to_bytes(4, "little")
    while size in data:
        at = data.index(size)
        data[at : at + 4] = (100).to_bytes(4, "little")
    path.write_bytes(data)
    try:
        target, _ = unpacked(path, tmp_path)
    except ArchiveError:
        pass
    else:
        assert (target / "zeros").stat().st_size <= 100


def test_an_archive_that_fills_the_disk_is_no_fault_of_the_archive(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "KEPT_FREE_BYTES", 1 << 60)
    with pytest.raises(NoRoomError, match="TMPDIR"):
        unpacked(write_mar(tmp_path / "a.mar", SOUND), tmp_path)


def test_a_file_that_is_a_folder_as_well_is_told_apart_from_a_crash(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError, match="cannot be unpacked: 'a/b'"):
        unpacked(write_mar(tmp_path / "a.mar", {"a/b": b"", "a/b/c": b""}), tmp_path)


def test_a_tar_that_ends_early_is_refused(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "a.tgz", {"weights": os.urandom(100_000)})
    path.write_bytes(path.read_bytes()[:50_000])
    with pytest.raises(ArchiveError, match="cannot be unpacked"):
        unpacked(path, tmp_path)


def test_unpacking_ends_when_the_run_does(tmp_path: Path) -> None:
    def stop() -> None:
        raise AbortedError

    path = write_mar(tmp_path / "a.mar", SOUND)
    with pytest.raises(AbortedError):
        unpack(str(path), str(tmp_path), proceed=stop)


def test_a_link_out_of_a_folder_is_refused_and_one_inside_is_not(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "m", SOUND)
    (folder / "inside").symlink_to("h.py")
    check_links(str(folder))
    (folder / "MAR-INF" / "w.pt").symlink_to(tmp_path)
    with pytest.raises(ArchiveError, match="MAR-INF/w.pt.*--follow-links") as refused:
        check_links(str(folder))
    assert str(folder) in str(refused.value)


def test_a_zip_with_two_entries_of_one_name_keeps_the_last(tmp_path: Path) -> None:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        archive.writestr("h.py", "first")
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr("h.py", "last")
    (tmp_path / "a.mar").write_bytes(data.getvalue())
    target, _ = unpacked(tmp_path / "a.mar", tmp_path)
    assert (target / "h.py").read_text() == "last"
