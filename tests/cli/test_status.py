from __future__ import annotations

import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.cli.servers import Frontend, described, frontend
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend import choice
from ts_retry_ext.snapshot.after_trial import marker_to_be_resumed
from ts_retry_ext.snapshot.down_in_words import local_time
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.marker import MarkedWorker, write_marker
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_text

NOBODY = 2**22 + 1


def held(pid: int = NOBODY) -> list[dict[str, Any]]:
    """Return the workers of a held model as the API describes them."""
    return [{"id": "9000", "status": "UNLOADING", "pid": pid}]


HELD = held()


def halt(running: Frontend, name: str = "broken", pid: int = NOBODY) -> None:
    """Leave what the workers of a halted model leave."""
    folder = write_journal(
        running.kept / f"{name}-1",
        record(Event.START, 0, 1, model=name),
        record(Event.LOAD, 1, 1, model=name),
        failure(2, 1, model=name),
        record(Event.HOLD, 3, pid, model=name),
    )
    write_marker(str(folder), marker(model=name))


def test_halted_model_is_told_with_cause_and_what_to_do_and_exit_code_3(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        running.register(described("broken", workers=HELD), described("sound"))
        assert running.run("status") == 3

    out, err = capsys.readouterr()
    server, summary, title, broken, sound, advice = out.splitlines()
    assert summary == "1 of 2 models does not serve: 1 cause"
    assert server.startswith(f"TorchServe 0.12.0, process {running.pid}, runs; management API http")
    assert title.split() == [
        "MODEL",
        "VERSION",
        "STATE",
        "AGE",
        "STARTS",
        "LOADS",
        "TRIAL",
        "WINDOW",
        "VERDICT",
        "CAUSE",
    ]
    assert re.match(r"broken +1\.0 +halted +\d+ days +2 +1 ", broken)
    assert "non_recoverable (syntax-error)" in broken
    assert "SyntaxError: invalid syntax (h.py, line 1)" in broken
    assert sound.split()[:6] == ["sound", "1.0", "serving", "-", "-", "-"]
    assert advice.startswith("broken: halted since ")
    assert (
        ". a source file is not valid Python. It failed at h.py:1. correct it. It waits" in advice
    )
    assert advice.endswith(
        "To try it now: ts-retry resume broken, or ts-retry deploy ARCHIVE if you packed it again"
    )
    assert err == ""


def test_an_archive_that_was_packed_again_is_named_since_no_trial_load_sees_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        archive = f"{running.folder}/./broken.mar"  # Its model_store is ".".
        Path(archive).write_bytes(b"packed again")
        running.register(described("broken", workers=HELD))
        assert running.run("status") == 3
    *_, advice = capsys.readouterr().out.splitlines()
    assert f"{archive} has changed since TorchServe unpacked it" in advice
    assert advice.endswith(f"ts-retry deploy {archive}")


def test_one_model_is_shown_and_its_state_alone_gives_the_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        running.register(described("broken", workers=HELD), described("sound"))
        assert running.run("status", "sound") == 0
        _, _, *rows = capsys.readouterr().out.splitlines()
        assert [row.split()[0] for row in rows] == ["sound"]
        assert running.run("status", "broken", "--json") == 3
        assert [m["model"] for m in json.loads(capsys.readouterr().out)["models"]] == ["broken"]
        assert running.run("status", "nobody") == 1
        assert "these are: broken, sound" in capsys.readouterr().err


def test_json_is_that_of_the_contract(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        running.register(described("broken", workers=HELD))
        assert running.run("status", "--json") == 3

    content = json.loads(capsys.readouterr().out)
    assert content["server"] == {
        "pid": running.pid,
        "running": True,
        "torchserve": "0.12.0",
        "management": running.api.address,
    }
    (model,) = content["models"]
    assert (model["state"], model["action"], model["worker_starts"], model["loads"]) == (
        "halted",
        "hold",
        2,
        1,
    )


def test_server_whose_models_all_serve_is_fine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "sound-1", record(Event.LOADED, 1, 77, model="sound"))
        running.register(described("sound"))
        assert running.run("status") == 0

    *_, row = capsys.readouterr().out.splitlines()
    assert row.split()[:3] == ["sound", "1.0", "serving"]


def test_server_whose_workers_write_nothing_is_told_where_to_look(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        running.register(described("sound"), described("idle", minWorkers=0, workers=[]))
        assert running.run("status") == 0

    *_, advice = capsys.readouterr().out.splitlines()
    assert advice.startswith("No worker of this server has written anything")
    assert advice.endswith("ts-retry doctor")


def test_api_that_does_not_answer_is_a_warning_and_the_journal_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", record(Event.START, 0), failure(1))
        running.api.answers.clear()
        assert running.run("status") == 1

    out, err = capsys.readouterr()
    assert "recovering" in out
    assert "refuses GET /models" in err


def test_server_that_has_ended_is_told_from_what_it_left(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
    monkeypatch.setattr(choice, "running_frontends", list)
    monkeypatch.chdir(tmp_path)

    assert main(["status"]) == 3
    out = capsys.readouterr().out
    assert f"process {running.pid}, has ended" in out
    assert "ts-retry resume" not in out  # There is nothing that could be resumed.
    assert main(["status", "--state-dir", str(tmp_path / "logs" / "ts_retry")]) == 3


def test_the_folder_of_a_job_that_has_ended_is_meant_though_another_server_runs(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with frontend(tmp_path / "job") as job:
        halt(job)
    with frontend(tmp_path / "other") as other:
        other.register(described("m"))
        monkeypatch.chdir(job.folder)
        assert main(["status"]) == 3
        out, err = capsys.readouterr()
        assert f"process {job.pid}, has ended" in out
        assert f"--pid {other.pid} (in {other.folder})" in err
        assert main(["history"]) == 0
        assert "broken" in capsys.readouterr().out
        assert main(["status", "--pid", str(other.pid)]) == 0
        monkeypatch.chdir(tmp_path)
        assert main(["status", "--pid", str(other.pid)]) == 0


def test_no_server_is_told_and_is_null_in_json(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "running_frontends", list)
    monkeypatch.chdir(tmp_path)

    assert main(["status"]) == 1
    assert "no TorchServe runs here" in capsys.readouterr().out
    assert main(["status", "--json"]) == 1
    assert json.loads(capsys.readouterr().out) == {"server": None, "models": []}


def test_state_directory_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["status", "--state-dir", str(tmp_path / "nope")]) == 1
    assert "there is no such directory" in capsys.readouterr().err


def test_control_characters_of_a_message_do_not_reach_the_terminal(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    exception = ExceptionRecord("E", "\x1b]0;title\x07")
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", failure(1, NOBODY, exception=exception))
        running.register(described("m", workers=HELD))
        running.run("status")

    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\\x1b]0;title\\x07" in out


def test_model_without_workers_says_so(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with frontend(tmp_path) as running:
        running.register(described("idle", minWorkers=0, workers=[]))
        assert running.run("status") == 0

    assert "no workers: min_workers is 0" in capsys.readouterr().out


def test_window_that_is_over_is_named_as_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        write_journal(running.kept / "m-1", record(Event.START, -1e8, NOBODY))
        running.register(described("m", workers=HELD))
        assert running.run("status") == 3

    assert "m: waiting. the frontend's retry window is over" in capsys.readouterr().out


def test_waiting_model_is_told_with_its_next_trial_and_never_called_halted(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    weak: dict[str, Any] = {"verdict": "non_recoverable", "basis": "repeated", "rule": None}
    weak["reason"] = "It failed the same way 3 times in a row."
    planned = to_text(time.time() + 300)
    waits = marker(**weak, waits_for=("files", "path:/mnt/x", "time"), next_trial_at=planned)
    with frontend(tmp_path) as running:
        folder = write_journal(
            running.kept / "m-1", failure(1, 1, **weak), record(Event.HOLD, 2, NOBODY)
        )
        write_marker(str(folder), waits)
        running.register(described("m", workers=HELD))
        assert running.run("status") == 3

    out = capsys.readouterr().out
    *_, row, advice = out.splitlines()
    assert re.match(r"m +1\.0 +waiting +\d+ days +1 +0 +in 5 min ", row)
    assert "not now (repeated)" in row
    assert "It failed the same way 3 times in a row." in advice
    assert "in 5 min; it also waits for /mnt/x to appear or change, the model's files." in advice
    assert advice.endswith("To try it now: ts-retry resume m")
    assert "halted" not in out
    assert "non_recoverable" not in out


def test_model_whose_cause_is_gone_says_who_has_to_resume_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = marker_to_be_resumed(marker(), "the key has expired", to_text(START))
    with frontend(tmp_path) as running:
        folder = write_journal(running.kept / "m-1", failure(1, 1), record(Event.HOLD, 2, NOBODY))
        write_marker(str(folder), waits)
        running.register(described("m", workers=HELD))
        assert running.run("status") == 3

    advice = capsys.readouterr().out.splitlines()[-1]
    assert advice.startswith("m: waiting since ")
    assert "the cause is gone" in advice
    assert advice.endswith("Run ts-retry resume m as a user who may use the management API.")


def test_server_that_has_ended_tries_nothing_any_more(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    waits = marker(waits_for=("files", "time"), next_trial_at=to_text(time.time() + 300))
    with frontend(tmp_path) as running:
        folder = write_journal(running.kept / "m-1", failure(1, 1), record(Event.HOLD, 2, NOBODY))
        write_marker(str(folder), waits)
    assert main(["status", "--state-dir", str(tmp_path / "logs" / "ts_retry")]) == 3
    out = capsys.readouterr().out
    assert "waiting" in out
    assert "trial" not in out


def test_lost_device_is_named_beside_a_model_that_serves(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    workers = [*HELD, {"id": "9001", "status": "READY", "pid": 2}]
    with frontend(tmp_path) as running:
        halt(running)
        worker = MarkedWorker(1, "/tmp/.ts.sock.9000", ("/tmp/.ts.sock.9000",))
        told = marker(model="broken", scope="device", worker=worker)
        write_marker(str(running.kept / "broken-1"), told)
        running.register(described("broken", workers=workers, minWorkers=2))
        assert running.run("status") == 0

    out = capsys.readouterr().out.splitlines()
    assert out[2].split()[:3] == ["broken", "1.0", "serving"]
    assert "SyntaxError" in out[2]
    assert out[3].startswith("broken: 1 of 2 workers is held: 9000.")
    assert out[3].endswith(
        "To try it now: ts-retry resume broken, or ts-retry deploy ARCHIVE if you packed it again"
    )


def test_model_with_cpp_workers_is_unknown_with_the_reason(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)  # an earlier registration of the same name
        running.register(described("broken", runtime="LSP", workers=HELD))
        assert running.run("status") == 0

    row = capsys.readouterr().out.splitlines()[2]
    assert row.split()[:5] == ["broken", "1.0", "unknown", "-", "-"]
    assert "C++ programs (runtime LSP)" in row


def test_command_that_resumes_names_the_version_where_there_are_several(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    versions = [described("m", number, workers=[dict(HELD[0], pid=NOBODY + n)])
                for n, number in enumerate(("1.0", "2.0"))]  # fmt: skip
    with frontend(tmp_path) as running:
        for n, number in enumerate(("1.0", "2.0")):
            held = record(Event.HOLD, 3, NOBODY + n, version=number)
            folder = write_journal(running.kept / f"m-{n}", failure(2, 1, version=number), held)
            write_marker(str(folder), marker(version=number, fingerprint=f"{n}" * 16))
        running.register(versions[0])
        running.api.answers["GET /models/m/all"] = versions
        assert running.run("status") == 3
        told = capsys.readouterr().out.splitlines()[-2:]
        assert [line.partition("To try it now: ")[2].partition(",")[0] for line in told] == [
            "ts-retry resume m --version 1.0",
            "ts-retry resume m --version 2.0",
        ]
        running.run("show", "m", "--version", "2.0")
        assert "When it is repaired: ts-retry resume m --version 2.0" in capsys.readouterr().out


def test_marker_of_a_registration_that_is_gone_says_nothing_of_the_next_one(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Registered anew with 0 workers, as the management API does unless told otherwise."""
    unpacked = tmp_path / "unpacked"
    unpacked.mkdir()
    with frontend(tmp_path / "run") as running:
        halt(running)
        told = marker(model="broken", registration=str(unpacked))
        write_marker(str(running.kept / "broken-1"), told)
        running.register(described("broken", minWorkers=0, workers=[]))
        assert running.run("status") == 3
        unpacked.rmdir()
        capsys.readouterr()
        assert running.run("status") == 0

    row = capsys.readouterr().out.splitlines()[2]
    assert row.split()[:5] == ["broken", "1.0", "unknown", "-", "-"]
    assert "no workers: min_workers is 0" in row


def test_one_of_several_servers_that_share_a_state_directory_has_to_be_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with frontend(tmp_path / "a") as first, frontend(tmp_path / "b") as second:
        shared = first.kept.parent
        second.kept.rename(shared / second.kept.name)
        second.register(described("m"))
        for running in (first, second):
            os.utime(shared / running.kept.name / "server.json", (1, running is second))
        assert main(["status", "--state-dir", str(shared)]) == 2
        told = capsys.readouterr().err
        assert "several servers keep their state there, choose one with --pid" in told
        assert f"{first.pid} (in {first.folder})" in told
        assert main(["status", "--state-dir", str(shared), "--pid", str(second.pid)]) == 0
        monkeypatch.chdir(second.folder)
        assert main(["status", "--state-dir", str(shared)]) == 0
        assert f"process {second.pid}, runs" in capsys.readouterr().out


def test_a_repaired_model_has_its_last_failure_in_the_past(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        told = (record(Event.START, 0, 77, model="m"), failure(1), record(Event.LOADED, 2, 77))
        write_journal(running.kept / "m-1", *told)
        running.register(described("m"))
        assert running.run("status") == 0

    *_, row = capsys.readouterr().out.splitlines()
    assert "last failure, repaired " in row
    assert "unknown (" not in row
    assert "recoverable" not in row


def test_of_many_models_those_that_do_not_serve_are_listed_and_one_cause_is_told_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    broken = [f"broken{number:02}" for number in range(5)]
    with frontend(tmp_path) as running:
        for name in broken:
            failed = record(Event.HOLD, 3, NOBODY, model=name)
            folder = write_journal(running.kept / name, failure(2, 1, model=name), failed)
            write_marker(str(folder), marker(model=name))
        sound = [described(f"sound{number:02}") for number in range(20)]
        running.register(*(described(name, workers=HELD) for name in broken), *sound)
        assert running.run("status") == 3
        out = capsys.readouterr().out
        assert running.run("status", "--all") == 3
        every = capsys.readouterr().out
    assert "5 of 25 models do not serve: 1 cause" in out
    assert "20 more serve; ts-retry status --all lists them" in out
    assert "sound00" not in out
    assert "5 models (broken00, broken01, broken02, broken03, broken04): SyntaxError: " in out
    assert out.count("To try it now: ts-retry resume --cause fedcba9876543210") == 1
    assert len(out.splitlines()) == 10
    assert "sound19" in every


def test_models_with_one_cause_are_told_of_once_since_the_first_failed_until_the_next_is_tried(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    models = (("new", NOBODY, 3_600, 90), ("old", NOBODY + 1, 0, 30))
    with frontend(tmp_path) as running:
        for name, pid, at, tried in models:
            failed = record(Event.HOLD, 3, pid, model=name)
            folder = write_journal(running.kept / name, failure(2, 1, model=name), failed)
            stops = marker(model=name, created_at=to_text(START + at), waits_for=("files", "time"))
            write_marker(str(folder), stops._replace(next_trial_at=to_text(time.time() + tried)))
        running.register(*(described(name, workers=held(pid)) for name, pid, *_ in models))
        assert running.run("status") == 3
    _, count, *_, advice = capsys.readouterr().out.splitlines()
    assert count == "2 of 2 models do not serve: 1 cause"
    cause = "SyntaxError: invalid syntax (h.py, line 1)."
    since = local_time(to_text(START), time.time())
    assert advice.startswith(f"2 models (new, old): {cause} Waiting since {since}, ")
    assert re.search(r"Next trial load: at \S+ \S+, in (30|29|28) s; ", advice)
    assert advice.endswith("To try it now: ts-retry resume --cause fedcba9876543210")


def test_wide_shows_place_and_fingerprint_of_every_model_and_name_nothing_but_names(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sound = [f"sound{number:02}" for number in range(20)]
    with frontend(tmp_path) as running:
        halt(running)
        running.register(described("broken", workers=HELD), *map(described, sound))
        assert running.run("status", "-o", "wide") == 3
        wide = capsys.readouterr().out
        assert running.run("status", "--output", "name") == 3
        names = capsys.readouterr().out
        assert running.run("status", "-o", "json") == 3
        assert len(json.loads(capsys.readouterr().out)["models"]) == 21
    (row,) = (line for line in wide.splitlines() if line.startswith("broken "))
    assert row.endswith("h.py:1  fedcba9876543210")
    assert "sound19" in wide
    assert names.splitlines() == ["broken", *sound]


def test_watch_draws_the_models_again_until_ctrl_c_and_exits_as_the_last_look_did(
    tmp_path: Path,
) -> None:
    with frontend(tmp_path) as running:
        running.register(described("sound"))
        ours, terminal = pty.openpty()
        command = [sys.executable, "-m", "ts_retry_ext", "status", "--pid", str(running.pid)]
        with subprocess.Popen([*command, "--watch", "0.1"], stdout=terminal) as watching:
            os.close(terminal)
            seen = _until(ours, b"serving")
            halt(running, "sound")
            running.register(described("sound", workers=HELD))
            seen += _until(ours, b"halted")
            watching.send_signal(signal.SIGINT)
            assert watching.wait(60) == 3
        os.close(ours)
    assert seen.count(b"\x1b[H\x1b[2J") >= 2


def test_watch_shows_the_top_of_what_is_higher_than_the_terminal(tmp_path: Path) -> None:
    with frontend(tmp_path) as running:
        running.register(*(described(f"sound{number:02}") for number in range(15)))
        ours, terminal = pty.openpty()
        low = {**os.environ, "LINES": "10", "COLUMNS": "100"}
        command = [sys.executable, "-m", "ts_retry_ext", "status", "--pid", str(running.pid)]
        with subprocess.Popen([*command, "--watch"], stdout=terminal, env=low) as watching:
            os.close(terminal)
            seen = _until(ours, b"more lines")
            watching.send_signal(signal.SIGINT)
            watching.wait(60)
        os.close(ours)
    assert b"process" in seen
    assert b"sound00" in seen
    assert b"sound14" not in seen
    assert seen.count(b"\n") < 10


def _until(terminal: int, word: bytes) -> bytes:
    seen = b""
    while word not in seen:
        seen += os.read(terminal, 4096)
    return seen


@pytest.mark.parametrize("seconds", ["0", "-1", "soon", "1e9"])
def test_an_impossible_interval_is_named(seconds: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["status", f"--watch={seconds}"])
    assert f"{seconds!r} is not a number of seconds above 0" in capsys.readouterr().err
