from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ts_retry_ext.archive import model_folder
from ts_retry_ext.archive.manifest import Manifest
from ts_retry_ext.archive.model_config import UnreadableConfigError
from ts_retry_ext.archive.model_folder import (
    ModelFolder,
    may_hold,
    names_by_time,
    names_of_files,
    own_sources,
)


def laid_out(folder: Path, manifest: object, config: str | None = None) -> ModelFolder:
    (folder / "MAR-INF").mkdir(parents=True)
    (folder / "MAR-INF" / "MANIFEST.json").write_text(
        manifest if isinstance(manifest, str) else json.dumps(manifest)
    )
    if config is not None:
        (folder / "c.yaml").write_text(config)
    return ModelFolder(str(folder))


NAMED = {"model": {"modelName": "m", "configFile": "c.yaml"}}


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (
            {"model": {"modelName": "m", "modelVersion": "2.0", "handler": "h.py",
                       "configFile": "c.yaml"}},
            Manifest("m", "2.0", "h.py", "c.yaml"),
        ),
        ('{"model": {"modelName": "m", "modelVersion": 1.10}}', Manifest("m", "1.10")),
        ({"model": {"modelName": "m"}}, Manifest("m")),
        ({"model": ["m"]}, Manifest()),
        ({}, Manifest()),
        ([], Manifest()),
        ("{", Manifest()),
        ("[" * 100_000, Manifest()),
    ],
)  # fmt: skip
def test_a_manifest_says_what_it_can_and_is_never_an_error(
    tmp_path: Path, manifest: object, expected: Manifest
) -> None:
    assert laid_out(tmp_path, manifest).manifest == expected


def test_a_folder_without_a_manifest_has_the_frontends_defaults(tmp_path: Path) -> None:
    folder = ModelFolder(str(tmp_path))

    assert folder.manifest == Manifest()
    assert folder.config_path is None
    assert folder.configuration() is None


@pytest.mark.parametrize(
    ("text", "section", "problem"),
    [
        ("retry:\n  onFatal: hold\n", {"onFatal": "hold"}, None),
        ("minWorkers: 1\n", None, None),
        ("other:\n  retry: 5\n", None, None),
        ("retry: [\n", None, "cannot read retry:"),
        ('"retry": {enabled: false}\n', {"enabled": False}, None),
        ('{"retry": {"enabled": false}}', {"enabled": False}, None),
        ('"\\x72etry": {enabled: false}\n', {"enabled": False}, None),
        ("retry:\n", None, None),
    ],
)
def test_a_section_is_read_or_a_problem_says_why_not(
    tmp_path: Path, text: str, section: object, problem: str | None
) -> None:
    found, said = laid_out(tmp_path, NAMED, text).section("retry")

    assert found == section
    assert (said is None) if problem is None else (problem in (said or ""))


def test_a_configuration_that_is_not_named_or_not_there_has_no_section(tmp_path: Path) -> None:
    unnamed = laid_out(tmp_path / "a", {"model": {"modelName": "m"}}, "retry: {onFatal: hold}")
    missing = laid_out(tmp_path / "b", NAMED)

    assert unnamed.section("retry") == (None, None)
    assert missing.section("retry") == (None, None)


def test_an_absolute_name_is_one_inside_the_folder(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, {"model": {"configFile": "/c.yaml"}}, "retry: {onFatal: hold}")

    assert folder.config_path == str(tmp_path / "c.yaml")
    assert folder.section("retry") == ({"onFatal": "hold"}, None)


def test_broken_yaml_is_noticed_only_where_the_key_can_be_in_it(tmp_path: Path) -> None:
    folder = laid_out(tmp_path, NAMED, "a: [\n")

    assert folder.configuration("retry") == {}
    with pytest.raises(UnreadableConfigError):
        folder.configuration()


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (b"retry:", True),
        (b'{"retry":{}}', True),
        (b"  'retry' :", True),
        (b"&a retry: 1", True),
        (b'"re\\x74ry": 1', True),
        (b"minWorkers: 1", False),
        (b"", False),
    ],
)
def test_a_file_without_the_keys_text_or_an_escape_cannot_hold_it(
    config: bytes, expected: bool
) -> None:
    assert may_hold(config, "retry") is expected


def test_neither_yaml_nor_dataclasses_are_imported_for_a_file_without_the_key(
    tmp_path: Path,
) -> None:
    laid_out(tmp_path, NAMED, "minWorkers: 1\nmaxRetryTimeoutInSec: 20\n")
    code = (
        "import sys\n"
        "from ts_retry_ext.archive.model_folder import ModelFolder\n"
        f"folder = ModelFolder({str(tmp_path)!r})\n"
        "assert folder.section('retry') == (None, None)\n"
        "import ts_retry_ext.archive.limits\n"
        "print(sorted({'yaml', 'dataclasses', 'zipfile', 'inspect'} & set(sys.modules)))"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


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
    monkeypatch.setattr(model_folder, "FILES_LIMIT", 2)
    for name in "abc":
        (tmp_path / name).write_text("x")
    with pytest.raises(LookupError):
        names_of_files(str(tmp_path))


def test_files_written_since_a_moment_are_told_apart_though_a_copy_keeps_their_time(
    tmp_path: Path,
) -> None:
    for name in ("packed.pt", "replaced.pt"):
        (tmp_path / name).write_bytes(b"x")
        os.utime(tmp_path / name, (1, 1))
    time.sleep(0.05)
    since_ns = time.time_ns()
    time.sleep(0.05)
    (tmp_path / "source").write_bytes(b"y")
    os.utime(tmp_path / "source", (1, 1))
    shutil.copy2(tmp_path / "source", tmp_path / "fetched.pt")
    os.replace(tmp_path / "source", tmp_path / "replaced.pt")
    older, written = names_by_time(str(tmp_path), since_ns)
    assert (older, sorted(written)) == (("packed.pt",), ["fetched.pt", "replaced.pt"])


def test_a_models_own_code_is_read_within_limits(tmp_path: Path) -> None:
    (tmp_path / "handler.py").write_bytes(b"x = '\xff'")
    (tmp_path / "scaling.py").write_text("y = 1")
    (tmp_path / "labels.txt").write_text("a")
    (tmp_path / "library").mkdir()
    (tmp_path / "library" / "z.py").write_text("z = 1")
    assert list(own_sources(str(tmp_path))) == ["x = '\ufffd'", "z = 1", "y = 1"]
    (tmp_path / "a_table.py").write_text("#" * model_folder.SOURCES_LIMIT)
    assert sum(map(len, own_sources(str(tmp_path)))) == model_folder.SOURCES_LIMIT


def test_a_pipe_is_no_file_and_is_not_opened(tmp_path: Path) -> None:
    for name in ("handler.py", "labels.json"):
        os.mkfifo(tmp_path / name)
    assert names_of_files(str(tmp_path)) == ()
    assert list(own_sources(str(tmp_path))) == []
