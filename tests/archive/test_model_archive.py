from __future__ import annotations

import io
import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any, Callable

import pytest

from tests.archive.packing import (
    CONFIG,
    files,
    manifest,
    packed,
    write_folder,
    write_mar,
    write_nameless,
    write_tar,
    write_tar_bomb,
    write_unflagged,
)
from ts_retry_ext.archive.model_archive import (
    ArchiveError,
    default_model_name,
    read_archive,
)
from ts_retry_ext.archive.model_folder import MAX_MANIFEST_BYTES

YAML = "maxRetryTimeoutInSec: 7\n"
NAMED = files(manifest("m", configFile=CONFIG), YAML)


def as_mar(folder: Path) -> Path:
    return write_mar(folder / "x.mar", NAMED)


def as_tgz(folder: Path) -> Path:
    return write_tar(folder / "x.tgz", NAMED)


def as_tar_with_manifest_last(folder: Path) -> Path:
    return write_tar(folder / "x.tar.gz", dict(reversed(list(NAMED.items()))))


def as_tar_of_current_folder(folder: Path) -> Path:
    return write_tar(folder / "x.tgz", NAMED, prefix="./")


def as_model_file(folder: Path) -> Path:
    return write_tar(folder / "x.model", NAMED)


def as_folder(folder: Path) -> Path:
    return write_folder(folder / "x", NAMED)


def as_sagemaker_folder(folder: Path) -> Path:
    write_folder(folder / "x" / "inner", NAMED)
    return folder / "x"


@pytest.mark.parametrize(
    "make",
    [
        as_mar,
        as_tgz,
        as_tar_with_manifest_last,
        as_tar_of_current_folder,
        as_model_file,
        as_folder,
        as_sagemaker_folder,
    ],
)
def test_every_form_of_archive_is_read(make: Callable[[Path], Path], tmp_path: Path) -> None:
    found = read_archive(str(make(tmp_path)))

    assert (found.model, found.version, found.config_file) == ("m", "1.0", CONFIG)
    assert found.config == YAML.encode()
    assert found.unnamed_config is None


@pytest.mark.parametrize("form", ["default", "tgz", "zip-store", "no-archive"])
def test_archives_of_torch_model_archiver_are_read(form: str, tmp_path: Path) -> None:
    (tmp_path / "h.py").write_text("pass\n")
    (tmp_path / CONFIG).write_text(YAML)
    (tmp_path / "weights.bin").write_bytes(os.urandom(100_000))
    out = tmp_path / "out"
    out.mkdir()
    command = [
        sys.executable,
        "-c",
        "from model_archiver.model_packaging import *; generate_model_archive()",
    ]
    options = [
        "--model-name",
        "made",
        "--version",
        "3.0",
        "--handler",
        "h.py",
        "--config-file",
        CONFIG,
    ]
    options += ["--extra-files", "weights.bin", "--export-path", "out", "--archive-format", form]
    # It works in a folder of the model's name under the temporary directory.
    environ = {**os.environ, "TMPDIR": str(tmp_path)}
    subprocess.run([*command, *options], cwd=tmp_path, env=environ, check=True)
    (made,) = out.iterdir()

    found = read_archive(str(made))

    assert (found.model, found.version, found.config) == ("made", "3.0", YAML.encode())


def test_configuration_in_a_folder_of_the_archive_is_read(tmp_path: Path) -> None:
    entries = files(manifest("m", configFile="conf/./m.yaml"), YAML, "conf/m.yaml")

    for made in (write_mar(tmp_path / "x.mar", entries), write_tar(tmp_path / "x.tgz", entries)):
        assert read_archive(str(made)).config == YAML.encode()


def test_absolute_path_of_a_configuration_is_one_inside_the_archive(tmp_path: Path) -> None:
    entries = files(manifest("m", configFile="/c.yaml"), YAML, "c.yaml")

    made = [write_mar(tmp_path / "x.mar", entries), write_tar(tmp_path / "x.tgz", entries)]
    made.append(write_folder(tmp_path / "x", entries))
    assert [read_archive(str(path)).config for path in made] == [YAML.encode()] * 3


def test_configuration_of_an_unusual_name_is_found_in_a_tar_whose_manifest_comes_last(
    tmp_path: Path,
) -> None:
    entries = files(manifest("m", configFile="settings"), YAML, "settings")
    made = write_tar(tmp_path / "x.tgz", dict(reversed(list(entries.items()))))

    assert read_archive(str(made)).config == YAML.encode()


def test_configuration_that_the_manifest_does_not_name_is_noticed(tmp_path: Path) -> None:
    made = write_mar(tmp_path / "x.mar", files(manifest("m"), YAML))

    found = read_archive(str(made))

    assert (found.config, found.config_file, found.unnamed_config) == (None, None, CONFIG)


def test_configuration_that_is_missing_is_none(tmp_path: Path) -> None:
    made = write_mar(tmp_path / "x.mar", files(manifest("m", configFile="nope.yaml")))

    found = read_archive(str(made))

    assert (found.config, found.config_file) == (None, "nope.yaml")


def test_an_entry_without_a_name_is_no_configuration(tmp_path: Path) -> None:
    path = write_nameless(tmp_path / "m.mar", files(manifest(configFile=".")))
    assert read_archive(str(path)).config is None


def test_last_of_two_entries_with_one_name_counts(tmp_path: Path) -> None:
    made = tmp_path / "x.mar"
    with zipfile.ZipFile(made, "w") as archive:
        for name, data in NAMED.items():
            archive.writestr(name, data)
        with pytest.warns(UserWarning, match="Duplicate name"):
            archive.writestr(CONFIG, "maxRetryTimeoutInSec: 8\n")

    assert read_archive(str(made)).config == b"maxRetryTimeoutInSec: 8\n"


def test_link_in_a_tar_is_an_empty_file_as_the_frontend_unpacks_it(tmp_path: Path) -> None:
    entries: dict[str, bytes | str] = {**NAMED, "real.yaml": YAML.encode(), CONFIG: "real.yaml"}

    assert read_archive(str(write_tar(tmp_path / "x.tgz", entries))).config == b""


@pytest.mark.parametrize("prefix", ["", "a/b/"])
def test_tar_without_exactly_one_folder_around_it_has_no_manifest(
    prefix: str, tmp_path: Path
) -> None:
    found = read_archive(str(write_tar(tmp_path / "x-1.tgz", NAMED, prefix=prefix)))

    assert found.manifest is None
    assert (found.model, found.version) == ("x_1_tgz", "1.0")


def garbage(folder: Path) -> Path:
    (folder / "x.mar").write_bytes(b"\x00" * 100)
    return folder / "x.mar"


def lfs_pointer(folder: Path) -> Path:
    (folder / "x.mar").write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n")
    return folder / "x.mar"


def cut_zip(folder: Path) -> Path:
    made = as_mar(folder)
    made.write_bytes(made.read_bytes()[:-40])
    return made


def spoilt_zip(folder: Path) -> Path:
    made = as_mar(folder)
    data = bytearray(made.read_bytes())
    at = data.index(b"MANIFEST.json") + len(b"MANIFEST.json") + 4
    data[at : at + 8] = b"\xff" * 8
    made.write_bytes(bytes(data))
    return made


def cut_tar(folder: Path) -> Path:
    made = as_tgz(folder)
    made.write_bytes(made.read_bytes()[:60])
    return made


def tar_cut_in_its_first_bytes(folder: Path) -> Path:
    made = as_tgz(folder)
    made.write_bytes(made.read_bytes()[:3])
    return made


def plain_tar(folder: Path) -> Path:
    made = folder / "x.tgz"
    made.write_bytes(b"x" * 2000)
    return made


def zip_under_another_name(folder: Path) -> Path:
    return write_mar(folder / "x.zip", NAMED)


def method_java_does_not_know(folder: Path) -> Path:
    return write_mar(folder / "x.mar", NAMED, zipfile.ZIP_BZIP2)


def stored_with_size_behind(folder: Path) -> Path:
    class Pipe(io.RawIOBase):
        def __init__(self, path: Path) -> None:
            self._file = path.open("wb")

        def write(self, data: Any) -> int:
            return self._file.write(data)

        def close(self) -> None:
            self._file.close()

    pipe = Pipe(folder / "x.mar")
    with zipfile.ZipFile(pipe, "w") as archive:
        for name, data in NAMED.items():
            archive.writestr(name, data)
    pipe.close()
    return folder / "x.mar"


def of_a_later_zip(folder: Path) -> Path:
    data = bytearray(as_mar(folder).read_bytes())
    data[data.rindex(b"PK\x01\x02") + 6] = 99
    (folder / "x.mar").write_bytes(data)
    return folder / "x.mar"


def name_in_latin_1(folder: Path) -> Path:
    return write_unflagged(folder / "x.mar", "gewichte_ä".encode("latin-1"), NAMED)


def name_that_lies_about_its_encoding(folder: Path) -> Path:
    path = write_mar(folder / "x.mar", {**NAMED, "ää": b""})
    path.write_bytes(path.read_bytes().replace("ää".encode(), b"\xff\xfe\xff\xfe"))
    return path


def bomb_of_attributes(folder: Path) -> Path:
    return write_tar_bomb(folder / "x.tgz", 3 << 20)


def way_out(folder: Path) -> Path:
    return write_mar(folder / "x.mar", {**NAMED, "../evil": b""})


def way_out_of_a_tar(folder: Path) -> Path:
    return write_tar(folder / "x.tgz", {**NAMED, "../evil": b""})


def broken_manifest(folder: Path) -> Path:
    return write_mar(folder / "x.mar", files("{"))


def missing(folder: Path) -> Path:
    return folder / "missing.mar"


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (garbage, "is no zip archive"),
        (lfs_pointer, "Git LFS pointer"),
        (cut_zip, "cannot be read"),
        (spoilt_zip, "cannot be read"),
        (cut_tar, "cannot be read"),
        (tar_cut_in_its_first_bytes, "cannot be read"),
        (plain_tar, "cannot be read"),
        (zip_under_another_name, "cannot be read"),
        (method_java_does_not_know, "deflate only"),
        (stored_with_size_behind, "size behind it"),
        (of_a_later_zip, "zip file version"),
        (name_in_latin_1, "is no UTF-8"),
        (name_that_lies_about_its_encoding, "cannot be read: 'utf-8'"),
        (bomb_of_attributes, "header of an entry is larger than 1024 KiB"),
        (way_out, "leads out of the archive"),
        (way_out_of_a_tar, "leads out of the archive"),
        (broken_manifest, "not valid JSON"),
        (missing, "No such file"),
    ],
)
def test_unreadable_archive_is_an_error_that_names_the_file(
    make: Callable[[Path], Path], words: str, tmp_path: Path
) -> None:
    path = str(make(tmp_path))

    with pytest.raises(ArchiveError, match=words) as caught:
        read_archive(path)

    assert str(caught.value).startswith(path + ": ")


def test_names_are_utf_8_as_java_reads_them_whether_or_not_the_zip_says_so(tmp_path: Path) -> None:
    path = write_unflagged(
        tmp_path / "x.mar", "konfiguration_ä.yaml".encode(), files(manifest("m"))
    )
    assert read_archive(str(path)).unnamed_config is None
    path = write_unflagged(tmp_path / "x.mar", "ä-config.yaml".encode(), files(manifest("m")))
    assert read_archive(str(path)).unnamed_config == "ä-config.yaml"


def test_manifest_that_ends_the_server_is_told_apart(tmp_path: Path) -> None:
    with pytest.raises(ArchiveError) as caught:
        read_archive(str(write_mar(tmp_path / "x.mar", files(""))))

    assert caught.value.stops_server


def test_entries_are_read_only_up_to_a_limit(tmp_path: Path) -> None:
    entries = files({**manifest("m"), "padding": " " * MAX_MANIFEST_BYTES})

    for made in (write_mar(tmp_path / "x.mar", entries), write_tar(tmp_path / "x.tgz", entries)):
        with pytest.raises(ArchiveError, match=r"MANIFEST.json is larger than 1024 KiB"):
            read_archive(str(made))


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/store/my-model.mar", "my_model"),
        ("/store/_m.mar", "_m"),
        ("a.b.mar", "a_b"),
        ("m.tar.gz", "m_tar_gz"),
        ("folder/", "folder"),
        ("x.model", "x"),
    ],
)
def test_model_without_a_name_gets_that_of_its_file(path: str, name: str) -> None:
    assert default_model_name(path) == name


def test_no_file_is_written_while_reading(tmp_path: Path) -> None:
    made = packed(tmp_path / "x.mar", YAML)

    read_archive(str(made))

    assert list(tmp_path.iterdir()) == [made]
