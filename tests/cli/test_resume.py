"""The command's words and exit codes; the work itself is tested in tests/snapshot and tests/e2e."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.cli.servers import Frontend, described, frontend
from tests.cli.test_status import HELD, NOBODY, halt, held
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend import choice
from ts_retry_ext.snapshot import resumption
from ts_retry_ext.store.directory import marker_path


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resumption, "POLL_SEC", 0.02)


def heal(running: Frontend, name: str = "broken", pid: int = NOBODY) -> None:
    """Let the model serve once it has been scaled up."""
    serving: list[dict[str, Any]] = [described(name, workers=held(pid))]

    def scaled(_: str | None) -> dict[str, str]:
        if "min_worker=0" not in running.api.asked[-1]:
            serving[0] = described(name)
        return {"status": "Processing worker updates..."}

    running.register(described(name, workers=HELD))
    running.api.answers[f"GET /models/{name}"] = lambda _: serving
    running.api.answers[f"GET /models/{name}/all"] = lambda _: serving
    running.api.answers[f"PUT /models/{name}/1.0"] = scaled


def test_model_that_serves_again_is_exit_code_0(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        heal(running)
        assert running.run("resume", "broken") == 0

    steps = capsys.readouterr().out.splitlines()
    assert steps[0] == "broken 1.0: no process is left to make a trial load: its workers load it"
    assert steps[1].startswith(
        "broken 1.0: TorchServe does not retry it, or not soon, so it is scaled"
    )
    assert steps[2].startswith("broken 1.0 serves again, after ")
    assert not os.path.exists(marker_path(str(running.kept / "broken-1")))


def test_json_keeps_the_steps_off_standard_output(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        heal(running)
        assert running.run("resume", "--all", "--json") == 0

    out, err = capsys.readouterr()
    (told,) = json.loads(out)
    assert (told["model"], told["result"], told["state"]) == ("broken", "serves", "serving")
    assert "serves again" in err


def test_model_that_is_not_ready_in_time_is_exit_code_1(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        starting = [{"id": "9001", "status": "UNLOADING", "pid": -1}]
        running.register(described("broken", workers=starting))
        running.api.answers["PUT /models/broken/1.0"] = {"status": "ok"}
        assert running.run("resume", "broken", "--timeout", "0.3") == 1

    assert "broken 1.0 does not serve after 0.3 s: it is recovering" in capsys.readouterr().out


def test_model_that_is_not_halted_is_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        running.register(described("sound"))
        assert running.run("resume", "sound") == 0
        assert running.run("resume", "--all") == 0

    out = capsys.readouterr().out
    assert out == "sound 1.0 needs no resume: it is serving\nno model has to be resumed\n"


def test_refusal_of_the_api_is_an_error(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        running.register(described("broken", workers=HELD))
        assert running.run("resume", "broken") == 1

    assert "broken 1.0: the management API" in capsys.readouterr().err


@pytest.mark.parametrize(
    "options",
    [
        [],
        ["m", "--all"],
        ["--all", "--version", "1.0"],
        ["--all", "--cause", "x"],
        ["m", "--cause", "x"],
        ["--cause", "x", "--version", "1.0"],
    ],
)
def test_wrong_use_is_exit_code_2(options: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["resume", *options]) == 2
    assert "ts-retry: " in capsys.readouterr().err


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "inf", "soon"])
def test_timeout_must_be_a_number_of_seconds(
    seconds: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["resume", "m", f"--timeout={seconds}"])

    assert caught.value.code == 2
    assert "--timeout: invalid number above 0 value" in capsys.readouterr().err


def test_no_server_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(choice, "running_frontends", list)
    monkeypatch.chdir(tmp_path)

    assert main(["resume", "m"]) == 1
    assert "no TorchServe runs here" in capsys.readouterr().err


def test_model_that_cannot_be_resumed_does_not_keep_the_others_from_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        entries = []
        for number, name in enumerate(("a", "broken")):
            halt(running, name, NOBODY - number)
            entries.append(described(name, workers=held(NOBODY - number)))
            os.rename(running.kept / f"{name}-1", running.kept / f"{name}-{number}")
        running.register(*entries)
        heal_answers = dict(running.api.answers)
        heal(running, pid=NOBODY - 1)
        running.api.answers["GET /models"] = heal_answers["GET /models"]
        running.api.answers["GET /models/a"] = running.api.answers["GET /models/a/all"] = [
            entries[0]
        ]
        running.api.answers["PUT /models/a/1.0"] = (500, {"message": "no workers today"})
        assert running.run("resume", "--all", "--json") == 1

    out, err = capsys.readouterr()
    assert [(told["model"], told["result"]) for told in json.loads(out)] == [
        ("a", "failed"),
        ("broken", "serves"),
    ]
    assert "no workers today" in err


def test_model_that_is_unregistered_meanwhile_is_told_as_that(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        heal(running)

        def gone(_: str | None) -> dict[str, str]:
            for path in ("GET /models/broken", "GET /models/broken/all"):
                running.api.answers.pop(path, None)
            return {"status": "Processing worker updates..."}

        running.api.answers["PUT /models/broken/1.0"] = gone
        assert running.run("resume", "broken") == 1

    assert "broken 1.0 is not registered any more" in capsys.readouterr().out


def test_frontend_that_stops_answering_leaves_no_doubt_about_what_was_done(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running)
        heal(running)
        asked: list[None] = []

        def once(_: str | None) -> Any:
            asked.append(None)
            return [described("broken", workers=HELD)] if len(asked) == 1 else (500, {})

        running.api.answers["GET /models/broken/all"] = once
        assert running.run("resume", "broken") == 1

    err = capsys.readouterr().err
    assert "refuses GET /models/broken/all: status 500 and JSON of another form; this is no" in err
    assert err.endswith("; its marker is removed, so it loads again: see ts-retry status\n")


def test_all_are_resumed_side_by_side(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each waits in the API until the other one has come, too."""
    together = threading.Barrier(2, timeout=60)
    with frontend(tmp_path) as running:
        down: list[str] = []
        for number, name in enumerate(("a", "b")):
            halt(running, name, NOBODY - number)
            os.rename(running.kept / f"{name}-1", running.kept / f"{name}-{number}")
            heal(running, name, NOBODY - number)
            scaled = running.api.answers[f"PUT /models/{name}/1.0"]

            def both(body: str | None, scaled: Any = scaled, name: str = name) -> Any:
                if name in down:
                    return scaled(body)
                down.append(name)
                together.wait()
                return {"status": "Processing worker updates..."}

            running.api.answers[f"PUT /models/{name}/1.0"] = both
        running.api.answers["GET /models"] = {"models": [{"modelName": "a"}, {"modelName": "b"}]}
        assert running.run("resume", "--all", "--json") == 0

    told = json.loads(capsys.readouterr().out)
    assert [(one["model"], one["result"]) for one in told] == [("a", "serves"), ("b", "serves")]


def test_a_cause_resumes_the_models_that_are_down_for_it_and_no_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with frontend(tmp_path) as running:
        halt(running, "broken")
        heal(running)
        assert running.run("resume", "--cause", "0" * 16) == 1
        assert "the causes are: fedcba9876543210" in capsys.readouterr().err
        assert running.run("resume", "--cause", "fedcba9876543210", "--json") == 0
    told = json.loads(capsys.readouterr().out)
    assert [(one["model"], one["result"]) for one in told] == [("broken", "serves")]
