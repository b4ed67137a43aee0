from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest

from tests.archive.packing import write_mar
from ts_retry_ext.archive.model_archive import ArchiveError
from ts_retry_ext.frontend.server_configuration import (
    ServerConfiguration,
    configuration_of_file,
    configuration_of_start,
)
from ts_retry_ext.frontend.startup_models import (
    START_IS_KNOWN_TO_SEC,
    manifest_name,
    startup_models,
)

NOW = time.time()


def configured(folder: Path, lines: str) -> ServerConfiguration:
    file = folder / "config.properties"
    file.write_text(f"model_store={folder}/store\n{lines}\n")
    return configuration_of_file(str(folder), str(file), {})


def names(folder: Path, lines: str, started_at: float = NOW + 60) -> dict[str, str]:
    found = startup_models(configured(folder, lines), started_at)
    return {model.name: model.url for model in found}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("a.mar", {"a": "a.mar"}),
        ("x=a.mar,b.mar", {"x": "a.mar", "b": "b.mar"}),
        (" x = a.mar , ", {"x": " a.mar "}),
        ("a.mar, b.mar", {"a": "a.mar", "b": " b.mar"}),
        ("all ", {"all": "all "}),
        ("m=https://host/a.mar?b=c", {"m": "https://host/a.mar?b=c"}),
        ("", {}),
    ],
)
def test_load_models_names_archives(tmp_path: Path, value: str, expected: dict[str, str]) -> None:
    assert names(tmp_path, f"load_models={value}") == expected


def test_the_command_line_beats_the_configuration(tmp_path: Path) -> None:
    configured(tmp_path, "load_models=a.mar")
    command = ["java", "-f", "config.properties", "-m", "b=b.mar", "c.mar", "-ncs"]
    made = configuration_of_start(str(tmp_path), command, {}, NOW)
    assert [model.name for model in startup_models(made, NOW)] == ["b", "c"]


def test_all_are_those_that_were_in_the_model_store_at_the_start(tmp_path: Path) -> None:
    store = tmp_path / "store"
    (store / "folder").mkdir(parents=True)
    for name in ("a.mar", "b.tar.gz", "notes.txt", ".hidden.mar"):
        (store / name).touch()
    time.sleep(0.05)
    begun = time.time() - START_IS_KNOWN_TO_SEC
    time.sleep(0.05)
    late = store / "late.mar"
    late.touch()
    os.utime(late, (1.0, 1.0))  # As a copy that keeps its times.
    found = startup_models(configured(tmp_path, "load_models=all"), begun)
    assert {one.name: one.came_later for one in found} == {
        "a": False, "b_tar_gz": False, "folder": False, "late": True,
    }  # fmt: skip


def test_a_snapshot_is_restored_instead(tmp_path: Path) -> None:
    models = {"m": {"1.0": {"defaultVersion": True, "marName": "m.mar"}}}
    lines = f"model_snapshot={json.dumps({'models': models})}\nload_models=a.mar"
    assert names(tmp_path, lines) == {"m": "m.mar"}
    assert names(tmp_path, "model_snapshot={broken") == {}


def test_a_snapshot_names_versions_and_those_that_nobody_wants_served(tmp_path: Path) -> None:
    models = {
        "m": {
            "1.0": {"defaultVersion": False, "marName": "m1.mar", "maxWorkers": 0},
            "2.0": {"defaultVersion": True, "marName": "m2.mar", "maxWorkers": 1},
        }
    }
    snapshot = json.dumps({"models": models})
    found = startup_models(configured(tmp_path, f"model_snapshot={snapshot}"), NOW)
    assert [(one.name, one.version, one.is_default, one.serves) for one in found] == [
        ("m", "1.0", False, False),
        ("m", "2.0", True, True),
    ]


def test_the_manifest_names_a_model_that_nothing_else_does(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    write_mar(
        tmp_path / "store" / "a.mar",
        {"MAR-INF/MANIFEST.json": b'{"model": {"modelName": "digits", "handler": "h.py"}}'},
    )
    configuration = configured(tmp_path, "load_models=a.mar,x=a.mar,gone.mar")
    by_file, named, gone = startup_models(configuration, NOW)
    assert manifest_name(by_file, configuration) == "digits"
    assert manifest_name(named, configuration) == "x"
    with pytest.raises(ArchiveError, match="No such file"):
        manifest_name(gone, configuration)
