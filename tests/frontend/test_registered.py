from __future__ import annotations

from pathlib import Path

import pytest

from tests.archive.packing import CONFIG, files, manifest, packed, write_folder
from ts_retry_ext.archive.window import Source
from ts_retry_ext.frontend.registered import archive_of, window_of_registered
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import (
    ServerConfiguration,
    configuration_of_file,
)

KEY = "maxRetryTimeoutInSec"


def configuration(folder: Path, **properties: str) -> ServerConfiguration:
    (folder / "config.properties").write_text("".join(f"{k}={v}\n" for k, v in properties.items()))
    return configuration_of_file(str(folder), str(folder / "config.properties"), {})


def running(url: str, reported: int | None = 300) -> RunningModel:
    return RunningModel("m", "1.0", url, 1, 1, (), reported, True, True)


@pytest.mark.parametrize(
    "url", ["m.mar", "https://example.org/models/m.mar?x=1", "file:///a/m.mar"]
)
def test_archive_lies_in_the_model_store_wherever_it_came_from(url: str, tmp_path: Path) -> None:
    store = tmp_path / "store"
    store.mkdir()
    made = packed(store / "m.mar")

    assert archive_of(running(url), configuration(tmp_path, model_store="store")) == str(made)


def test_model_folder_is_found_by_its_path_and_in_the_store(tmp_path: Path) -> None:
    made = write_folder(tmp_path / "store" / "m", files(manifest()))

    assert archive_of(running(str(made)), configuration(tmp_path)) == str(made)
    assert archive_of(running("m"), configuration(tmp_path, model_store="store")) == str(made)


def test_window_of_an_unchanged_archive_is_that_of_its_configuration(tmp_path: Path) -> None:
    packed(tmp_path / "m.mar", f"{KEY}: 20")

    path, window = window_of_registered(
        running("m.mar", 20), configuration(tmp_path, model_store=".")
    )

    assert path is not None
    assert (window.reported_sec, window.source, window.problems) == (20, Source.MODEL_CONFIG, ())


def test_archive_that_changed_after_registration_does_not_count(tmp_path: Path) -> None:
    packed(tmp_path / "m.mar", f"{KEY}: 20")

    _, window = window_of_registered(running("m.mar", 60), configuration(tmp_path, model_store="."))

    assert (window.reported_sec, window.source) == (60, Source.FRONTEND)
    assert [problem.code for problem in window.problems] == ["frontend-disagrees"]


def test_only_the_report_counts_where_the_archive_is_gone_or_unreadable(tmp_path: Path) -> None:
    (tmp_path / "broken.mar").write_bytes(b"x")
    place = configuration(tmp_path, model_store=".")

    for url, code in (("gone.mar", "archive-not-found"), ("broken.mar", "unreadable-archive")):
        _, window = window_of_registered(running(url, 45), place)
        assert (window.reported_sec, window.source) == (45, Source.FRONTEND)
        assert [problem.code for problem in window.problems] == [code]


def test_default_is_assumed_where_neither_report_nor_archive_is_there(tmp_path: Path) -> None:
    _, window = window_of_registered(running("gone.mar", None), configuration(tmp_path))

    assert (window.reported_sec, window.source) == (300, Source.DEFAULT)
    assert "the default is assumed" in window.problems[0].message


def test_key_in_config_properties_is_named_as_ignored(tmp_path: Path) -> None:
    write_folder(tmp_path / "m", files(manifest("m", configFile=CONFIG), f"{KEY}: 20"))
    models = '{"m": {"1.0": {"maxRetryTimeoutInSec": 5}}}'
    place = configuration(tmp_path, model_store=".", models=models, maxRetryTimeoutInSec="7")

    _, window = window_of_registered(running("m", 20), place)

    assert window.reported_sec == 20
    assert {problem.code for problem in window.problems} == {"ignored-in-config-properties"}
    assert len(window.problems) == 2


@pytest.mark.parametrize(
    "models",
    [
        '{"mnist": {"1.0": {"maxRetryTimeoutInSec": 5}}}',
        '{"m": {"2.0": {"maxRetryTimeoutInSec": 5}}}',
        '{"m": ["maxRetryTimeoutInSec"]}',
        '{"m": maxRetryTimeoutInSec',
    ],
)
def test_key_of_another_model_or_version_is_no_problem_of_this_one(
    tmp_path: Path, models: str
) -> None:
    write_folder(tmp_path / "m", files(manifest("m", configFile=CONFIG), f"{KEY}: 20"))

    _, window = window_of_registered(
        running("m", 20), configuration(tmp_path, model_store=".", models=models)
    )

    assert window.problems == ()


def test_unpacked_copy_counts_where_it_is_seen_and_the_changed_archive_is_named(
    tmp_path: Path,
) -> None:
    unpacked = write_folder(
        tmp_path / "unpacked", files(manifest("m", configFile=CONFIG), f"{KEY}: 20")
    )
    packed(tmp_path / "m.mar", f"{KEY}: 60")
    folders = [str(tmp_path), str(unpacked)]
    place = configuration(tmp_path, model_store=".")

    _, window = window_of_registered(running("m.mar", 20), place, folders)
    _, gone = window_of_registered(running("gone.mar", 20), place, folders)

    assert (window.reported_sec, window.source) == (20, Source.MODEL_CONFIG)
    assert [problem.code for problem in window.problems] == ["frontend-disagrees"]
    assert (gone.reported_sec, gone.source, gone.problems) == (20, Source.MODEL_CONFIG, ())
