from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import pytest

from tests.archive.packing import files, manifest, packed, write_folder, write_mar
from tests.cli.servers import described, frontend
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend import choice

KEY = "maxRetryTimeoutInSec"
KEYS = ["model", "version", "archive", "max_retry_timeout_sec", "source", "configured"]
KEYS += ["reported_by_frontend", "problems", "schedule"]


def rows(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    content = json.loads(capsys.readouterr().out)
    assert isinstance(content, list)
    return content


def test_archive_is_told_with_the_keys_of_the_contract(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = packed(tmp_path / "x.mar", f"{KEY}: 20", "cat")

    assert main(["config", "--json", str(path)]) == 0

    (row,) = rows(capsys)
    assert list(row) == KEYS
    assert row == {
        "model": "cat",
        "version": "1.0",
        "archive": str(path),
        "max_retry_timeout_sec": 20,
        "source": "model-config",
        "configured": 20,
        "reported_by_frontend": None,
        "problems": [],
        "schedule": {"retries": 6, "last_retry_at_sec": 20.0},
    }


@pytest.mark.parametrize(
    ("value", "seconds", "source", "code", "retries", "last"),
    [
        ("0", 0, "model-config", None, 0, None),
        ("-3", 0, "model-config", "negative", 0, None),
        ("4294968", 0, "model-config", "overflow", 1, 1.0),
        ("3000000", -1294967, "model-config", "overflow", 0, None),
        ("'20'", 300, "default", "not-an-integer", 12, 376.0),
    ],
)
def test_schedule_is_that_of_the_value_in_force(
    value: str,
    seconds: int,
    source: str,
    code: str | None,
    retries: int,
    last: float | None,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    main(["config", "--json", str(packed(tmp_path / "x.mar", f"{KEY}: {value}"))])

    (row,) = rows(capsys)
    assert (row["max_retry_timeout_sec"], row["source"]) == (seconds, source)
    assert [problem["code"] for problem in row["problems"]] == ([code] if code else [])
    assert row["schedule"] == {"retries": retries, "last_retry_at_sec": last}


def test_model_store_is_told_whole_and_one_broken_archive_hides_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed(tmp_path / "a.mar", f"{KEY}: 20", "a")
    (tmp_path / "b.mar").write_bytes(b"x")
    write_mar(tmp_path / "c.mar", files(""))
    write_folder(tmp_path / "d", files(manifest("d")))

    assert main(["config", "--json", str(tmp_path)]) == 1

    told = rows(capsys)
    assert [row["model"] for row in told] == ["a", None, None, "d"]
    assert told[1]["max_retry_timeout_sec"] is None
    assert [p["code"] for row in told for p in row["problems"]] == ["unreadable-archive"] * 2
    assert "ends" in told[2]["problems"][0]["message"]


def test_table_tells_problems_below(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = packed(tmp_path / "x.mar", "maxRetryTimeoutInSecs: 20", "cat")

    assert main(["config", str(path)]) == 0

    title, line, problem = capsys.readouterr().out.splitlines()
    assert title.split()[:4] == ["MODEL", "VERSION", "WINDOW", "SOURCE"]
    assert line.split()[:5] == ["cat", "1.0", "300", "s", "default"]
    assert problem.startswith("cat: maxRetryTimeoutInSecs: 20 is ignored")
    assert problem.endswith("[misspelt-key]")


def test_empty_folder_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", str(tmp_path)]) == 1
    assert "holds no model archive" in capsys.readouterr().err


def test_running_server_is_asked(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with frontend(tmp_path) as running:
        packed(tmp_path / "m.mar", f"{KEY}: 20")
        running.register(described("m", maxRetryTimeoutInSec=60), described("n"))
        assert running.run("config", "--json") == 0

    told, other = rows(capsys)
    assert (told["max_retry_timeout_sec"], told["source"]) == (60, "frontend")
    assert (told["configured"], told["reported_by_frontend"]) == (20, 60)
    assert [problem["code"] for problem in told["problems"]] == ["frontend-disagrees"]
    assert (other["archive"], other["source"]) == (None, "frontend")


def test_models_are_named_as_for_the_other_commands(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What holds a model and has the same name comes first; its sources, which hold none, do not."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "n").mkdir()
    with frontend(tmp_path / "server") as running:
        running.register(described("m"), described("n"), described("o", maxRetryTimeoutInSec=60))
        for named, expected in (
            (["n"], ["n"]),
            (["o", "m"], ["o", "m"]),
            (["m", str(packed(tmp_path / "x.mar", None, "cat"))], ["m", "cat"]),
            (["--all", "m"], ["m"]),
        ):
            assert running.run("config", "--json", *named) == 0
            assert [row["model"] for row in rows(capsys)] == expected
        write_folder(tmp_path / "o", files(manifest("folder")))
        assert running.run("config", "--json", "o") == 0
        assert [row["model"] for row in rows(capsys)] == ["folder"]
        assert running.run("config", "p") == 1

    told = capsys.readouterr().err
    assert "'p' is no archive, model folder or model store, and no model of that name" in told
    assert "these are: m, n, o" in told


def test_a_folder_that_may_not_be_read_is_not_taken_for_a_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    def refused(path: str) -> list[str]:
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)

    (tmp_path / "store").mkdir()
    monkeypatch.setattr(os, "listdir", refused)  # The user of these tests may read everything.
    assert main(["config", "store"]) == 1
    assert "store: cannot be listed: Permission denied" in capsys.readouterr().err


def test_no_server_is_an_error_that_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(choice, "running_frontends", list)

    for named in ([], ["m"]):
        assert main(["config", *named]) == 1
        assert (
            "no TorchServe runs here; or name archives or a model store" in capsys.readouterr().err
        )


def test_server_without_models_is_told(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with frontend(tmp_path) as running:
        running.register()
        assert running.run("config") == 0

    assert capsys.readouterr().out == "no model is registered\n"


def test_window_of_cpp_workers_is_told_with_who_decides_on_them(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    content = {**manifest("m"), "runtime": "LSP"}
    path = write_mar(tmp_path / "m.mar", files(content))
    with frontend(tmp_path) as running:
        running.register(described("m", runtime="LSP"))
        assert running.run("config", "--json") == 0
        registered = rows(capsys)
    assert main(["config", "--json", str(path)]) == 0

    for row in (*registered, *rows(capsys)):
        assert row["max_retry_timeout_sec"] == 300
        assert [problem["code"] for problem in row["problems"]] == ["out-of-reach"]


def test_all_shows_every_parameter_of_an_archive_with_its_source(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = packed(tmp_path / "x.mar", "batchSize: 4\nretry: {firstTrial: 5}", "cat")
    models = '{"cat": {"1.0": {"maxBatchDelay": 3}}}'
    (tmp_path / "server.properties").write_text(f"job_queue_size=7\nmodels={models}\n")

    code = main(["config", "--all", "--ts-config", str(tmp_path / "server.properties"), str(path)])

    assert code == 0
    title, columns, *lines = capsys.readouterr().out.splitlines()
    assert title == f"cat 1.0 ({path})"
    assert columns.split() == ["PARAMETER", "VALUE", "SOURCE"]
    assert "batchSize" in lines[2]
    told = {line.split()[0]: line.split(maxsplit=2)[1:] for line in lines}
    assert told["batchSize"] == ["4", "model-config.yaml"]
    assert told["jobQueueSize"] == ["7", "server.properties (job_queue_size)"]
    assert told["retry_first_trial"] == ["5", "model-config.yaml (retry: firstTrial)"]
    assert told["maxBatchDelay"] == ["3", "server.properties (models)"]
    assert told["useVenv"] == ["false", "default"]
    assert told["parallelType"] == ["-", "default"]


def test_all_asks_a_running_server(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with frontend(tmp_path) as running:
        packed(tmp_path / "m.mar", "batchSize: 4")
        running.register(described("m", batchSize=4, maxBatchDelay=5), described("n", "2.0"))
        assert running.run("config", "--all", "--json") == 0

    told, other = rows(capsys)
    assert list(told) == ["model", "version", "archive", "parameters", "problems"]
    found = {row["name"]: (row["value"], row["source"]) for row in told["parameters"]}
    assert found["batchSize"][0] == 4
    assert found["batchSize"][1].endswith("m.mar: model-config.yaml (batchSize)")
    assert found["maxBatchDelay"] == (5, "registration or scaling through the API")
    assert found["startupTimeout"] == (None, "not reported by this TorchServe")
    assert (other["version"], other["archive"]) == ("2.0", None)


def test_all_names_archives_that_cannot_be_read_and_shows_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    packed(tmp_path / "a.mar", None, "a")
    (tmp_path / "b.mar").write_bytes(b"x")

    assert main(["config", "--all", str(tmp_path)]) == 1

    told = capsys.readouterr().out
    assert told.startswith("a 1.0 (")
    assert f"\n\n{tmp_path}/b.mar: " in told
    assert "[unreadable-archive]" in told


def test_a_server_configuration_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = packed(tmp_path / "a.mar")

    assert main(["config", "--all", "--ts-config", str(tmp_path / "no"), str(path)]) == 1
    assert "there is no such file" in capsys.readouterr().err


def test_a_server_configuration_is_for_archives_only(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["config", "--ts-config", "config.properties"]) == 2
    assert "name a PATH" in capsys.readouterr().err


def test_a_server_configuration_that_is_not_what_it_seems_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = packed(tmp_path / "a.mar")
    marked = tmp_path / "config.properties"
    marked.write_bytes(b"\xef\xbb\xbfjob_queue_size=7\n")

    assert main(["config", "--all", "--ts-config", str(marked), str(path)]) == 0

    told = capsys.readouterr()
    assert "byte order mark" in told.err
    assert "jobQueueSize                  100      default" in told.out
