from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.cli.servers import Frontend, described, frontend
from tests.snapshot.writing import record, write_journal
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend import choice
from ts_retry_ext.settings import Settings
from ts_retry_ext.store.record import Event


def checks(capsys: pytest.CaptureFixture[str]) -> dict[str, dict[str, Any]]:
    content = json.loads(capsys.readouterr().out)
    return {check["name"]: check for check in content["checks"]}


def test_running_server_is_looked_at(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", record(Event.START, 0))
        running.register(described("m"))
        running.run("doctor", "--json")

    told = checks(capsys)
    for name in ("interpreter", "java", "server", "management API", "server's workers"):
        assert told[name]["outcome"] == "ok", told[name]
    assert told["state directory"]["found"] == str(tmp_path / "logs" / "ts_retry")


def test_workers_that_write_nothing_are_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        (running.kept / "server.json").unlink()
        running.kept.rmdir()
        running.register(described("m"))
        assert running.run("doctor", "--json") == 1

    assert "restart the server" in checks(capsys)["server's workers"]["remedy"]


def test_cpp_workers_write_nothing_and_are_told_as_out_of_reach(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        (running.kept / "server.json").unlink()
        running.kept.rmdir()
        running.register(described("m", runtime="LSP"))
        running.run("doctor", "--json")

    told = checks(capsys)["server's workers"]
    assert told["outcome"] == "warning"
    assert told["found"].startswith("m 1.0: its workers are C++ programs")


def test_api_that_does_not_answer_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        assert running.run("doctor", "--json") == 1

    assert checks(capsys)["management API"]["outcome"] == "wrong"


def configured(running: Frontend, *lines: str) -> None:
    with open(running.folder / "config.properties", "a", encoding="ascii") as stream:
        stream.writelines(line + "\n" for line in lines)


def test_settings_are_told_with_their_sources_and_bad_ones_are_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        configured(running, "retry_on_fatal=sometimes", "retry_max_hard_crashes=5", "retry_x=1")
        running.register()
        assert running.run("doctor", "--json") == 1

    content = json.loads(capsys.readouterr().out)
    path = str(tmp_path / "config.properties")
    assert content["config_file"] == path
    assert content["settings"]["on_fatal"] == {"value": "hold", "source": "default"}
    assert content["settings"]["max_hard_crashes"]["value"] == 5
    assert path in content["settings"]["max_hard_crashes"]["source"]
    assert set(content["settings"]) == set(Settings._fields)
    wrong = [check["found"] for check in content["checks"] if check["outcome"] == "wrong"]
    assert any("retry_on_fatal" in found and "sometimes" in found for found in wrong)
    assert any("retry_x" in found for found in wrong)


def test_package_that_is_switched_off_is_a_warning(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        configured(running, "retry_enabled=false")
        running.register()
        running.run("doctor", "--json")

    told = checks(capsys)["settings"]
    assert told["outcome"] == "warning"
    assert "switched off" in told["found"]


def test_state_directory_that_cannot_be_made_is_told_and_the_next_one_is_taken(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    with frontend(tmp_path) as running:
        configured(running, "retry_state_dir=file/state")
        running.register()
        running.run("doctor", "--json")

    told = [
        (check["outcome"], check["found"])
        for check in json.loads(capsys.readouterr().out)["checks"]
        if check["name"] == "state directory"
    ]
    file = tmp_path / "file"
    assert told == [
        ("warning", f"{file / 'state'}: cannot be made, {file} is no directory"),
        ("ok", str(tmp_path / "logs" / "ts_retry")),
    ]


def test_without_a_server_the_settings_come_from_the_file_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "running_frontends", list)
    (tmp_path / "ts.properties").write_text("retry_on_fatal=observe\n")

    main(["doctor", "--json", "--ts-config", str(tmp_path / "ts.properties")])
    content = json.loads(capsys.readouterr().out)
    assert content["settings"]["on_fatal"]["value"] == "observe"
    assert content["server_pid"] is None

    assert main(["doctor", "--ts-config", str(tmp_path / "nope")]) == 1
    assert "cannot read" in capsys.readouterr().err


def test_of_several_servers_the_one_with_the_file_that_is_named_is_examined_or_none(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "to_come.properties").write_text("retry_on_fatal=reject\n")
    with frontend(tmp_path / "a") as first, frontend(tmp_path / "b"):
        own = str(first.folder / "config.properties")
        assert main(["doctor", "--json"]) == 2
        for file, pid in ((own, first.pid), ("to_come.properties", None)):
            capsys.readouterr()
            main(["doctor", "--json", "--ts-config", file])
            found = json.loads(capsys.readouterr().out)
            assert (found["server_pid"], found["config_file"]) == (pid, file)
            names = {check["name"] for check in found["checks"]}
            assert ("management API" in names) == (pid is not None)


def test_a_file_that_is_named_is_examined_without_another_server_that_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor with the failed start of another configuration in this folder, or snapshots, which a file overrules."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOG_LOCATION", raising=False)
    (tmp_path / "to_come.properties").write_text("retry_on_fatal=observe\n")
    (tmp_path / "logs" / "config").mkdir(parents=True)
    (tmp_path / "logs" / "config" / "notes.cfg").write_text("")
    head = "2026-11-26T10:00:00,100 [INFO ] main org.pytorch.serve."
    lines = f"{head}servingsdk.impl.PluginsManager - Initializing plugins manager...\nConfig file: {{}}\n"
    ended = f"{head}ModelServer - Torchserve stopped.\n"
    log = tmp_path / "logs" / "ts_log.log"
    with frontend(tmp_path / "a") as other:
        for file, expected in (("other.properties", []), ("to_come.properties", ["start"])):
            log.write_text(lines.format(file) + ended)
            main(["doctor", "--json", "--ts-config", "to_come.properties"])
            found = json.loads(capsys.readouterr().out)
            told = {check["name"]: check["found"] for check in found["checks"]}
            none = "none that this user can see runs with to_come.properties"
            assert told["server"].startswith(none)
            about = {"management API", "server's workers", "start", "snapshots", "sidecar"}
            assert sorted(about & set(told)) == expected
            assert not [said for said in told.values() if str(other.folder) in said]


def test_people_get_a_table_and_a_line_for_each_remedy(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "running_frontends", list)
    monkeypatch.chdir(tmp_path)

    assert main(["doctor", "--python", str(tmp_path / "nope")]) == 1

    out = capsys.readouterr().out
    assert "interpreter: name the right one with --python" in out.splitlines()
    assert "settings, with no config.properties:" in out


def test_start_that_failed_is_named_with_what_is_wrong_in_its_configuration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "own.properties").write_text("job_queue_size=many\n")
    (tmp_path / "logs").mkdir()
    head = "2026-11-26T10:00:00,100 [INFO ] main org.pytorch.serve."
    lines = (
        f"{head}servingsdk.impl.PluginsManager - Initializing plugins manager...",
        f"{head}ModelServer - ",
        "Config file: own.properties",
        f"{head}ModelServer - Torchserve stopped.",
    )
    (tmp_path / "logs" / "ts_log.log").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("LOG_LOCATION", raising=False)
    monkeypatch.setattr(choice, "running_frontends", list)

    main(["status"])
    assert "The last start here failed" in capsys.readouterr().out
    assert main(["doctor", "--json"]) == 1

    # Ports in use are named as well, where another server runs on this machine.
    told = [check["found"] for check in json.loads(capsys.readouterr().out)["checks"]]
    assert any("with own.properties, ended at 2026-11-26 10:00:00" in found for found in told)
    assert any("own.properties: job_queue_size is 'many'" in found for found in told)
