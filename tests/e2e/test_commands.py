"""The commands against a running server: what they say is what is so."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.e2e.archives import SOUND, initialize, pack
from tests.e2e.torchserve import TorchServe

pytestmark = pytest.mark.xdist_group("commands")

STATUS_KEYS = (
    "model version state action worker_starts loads failures verdict basis rule fingerprint phase "
    "scope exception reason remedy max_retry_timeout_sec max_retry_timeout_source first_failure "
    "last_failure"
)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("commands")
    pack(root / "store", "broken", "def handle(data, context)\n")
    pack(root / "store", "flaky", initialize("raise ConnectionRefusedError(111, 'refused')"))
    config = "maxRetryTimeoutInSec: '20'\nmaxBatchDelay: 0\nretry: {maxHardCrashes: 4}\n"
    pack(root / "store", "sound", SOUND, config=config)
    models = {name: f"{name}.mar" for name in ("broken", "flaky", "sound")}
    entries = {
        "broken": {"1.0": {"maxWorkers": 2, "batchSize": 3}},
        "sound": {"1.0": {"maxBatchDelay": 7}},
    }
    lines = {
        "models": json.dumps(entries),
        "default_response_timeout": "66",
        "enable_envvars_config": "true",
    }
    environ = {"TS_DEFAULT_STARTUP_TIMEOUT": "88", "TS_RETRY_LONGEST_TRIAL_INTERVAL": "500"}
    with TorchServe(root, models, config=lines, environ=environ) as running:
        running.wait_for(lambda: running.is_held("broken"), "broken is held")
        running.wait_for(lambda: running.is_ready("sound"), "sound serves")
        running.wait_for(lambda: running.retry_waits("flaky"), "flaky is retried")
        yield running


def ask(server: TorchServe, *arguments: str) -> tuple[int, Any]:
    """Run a command with ``--json`` against this one of the servers on this machine."""
    done = server.command(*arguments, "--json", "--pid", str(server.frontend().pid))
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_status_tells_the_state_of_every_model(server: TorchServe) -> None:
    code, status = ask(server, "status")
    assert code == 3
    assert status["server"] == {
        "pid": server.frontend().pid,
        "running": True,
        "torchserve": "0.12.0",
        "management": server.management,
    }
    models = {model["model"]: model for model in status["models"]}
    assert set(models) == {"broken", "flaky", "sound"}
    assert all(set(STATUS_KEYS.split()) <= set(model) for model in models.values())
    states = {name: model["state"] for name, model in models.items()}
    assert states == {"broken": "halted", "flaky": "recovering", "sound": "serving"}
    broken = models["broken"]
    assert (broken["worker_starts"], broken["loads"], broken["failures"]) == (2, 1, 1)
    assert (broken["verdict"], broken["basis"]) == ("non_recoverable", "rule")
    assert broken["rule"] == "syntax-error"
    assert broken["exception"]["type"] == "SyntaxError"
    assert models["flaky"]["verdict"] == "recoverable"
    assert models["sound"]["exception"] is None


def test_status_of_a_state_directory_works_without_asking_the_server(server: TorchServe) -> None:
    done = server.command("status", "--json", "--state-dir", str(server.state_dir))
    models = {model["model"]: model for model in json.loads(done.stdout)["models"]}
    assert models["broken"]["state"] == "halted"
    assert done.returncode == 3


def test_show_gives_the_whole_report(server: TorchServe) -> None:
    done = server.command("show", "broken", "--pid", str(server.frontend().pid))
    marker = server.marker_of("broken")
    assert marker is not None
    assert "the fingerprint is made of" in done.stdout
    assert marker.exception.fingerprint_parts.types == ("SyntaxError",)
    for part in (marker.fingerprint, "SyntaxError", "broken_handler.py", "ts-retry resume broken"):
        assert part in done.stdout
    assert "ts_retry_ext/worker" not in done.stdout


def test_config_shows_what_is_in_force_and_what_torchserve_ignored(server: TorchServe) -> None:
    _, rows = ask(server, "config")
    sound = next(row for row in rows if row["model"] == "sound")
    assert (sound["max_retry_timeout_sec"], sound["source"]) == (300, "default")
    assert sound["reported_by_frontend"] == 300
    assert sound["configured"] == "20"
    assert "not-an-integer" in [problem["code"] for problem in sound["problems"]]
    assert sound["schedule"] == {"retries": 12, "last_retry_at_sec": 376}


def test_config_shows_every_parameter_with_the_place_that_decides_it(server: TorchServe) -> None:
    server.call("/models/flaky?min_worker=1&max_worker=3", "PUT")

    _, rows = ask(server, "config", "--all")

    found = {
        row["model"]: {one["name"]: (one["value"], one["source"]) for one in row["parameters"]}
        for row in rows
    }
    file, request = str(server.config_file), "registration or scaling through the API"
    hidden = "default (the model has a configuration, so no other place counts)"
    expected: dict[str, dict[str, Any]] = {
        "broken": {
            "minWorkers": (1, f"{file} (default_workers_per_model)"),
            "maxWorkers": (2, f"{file} (models: maxWorkers)"),
            "batchSize": (3, f"{file} (models: batchSize)"),
            "responseTimeout": (66, f"{file} (default_response_timeout)"),
            "startupTimeout": (88, "environment (TS_DEFAULT_STARTUP_TIMEOUT)"),
            "retry_longest_trial_interval": (500, "environment (TS_RETRY_LONGEST_TRIAL_INTERVAL)"),
            "retry_on_fatal": ("hold", "default"),
        },
        "flaky": {"minWorkers": (1, f"{file} (default_workers_per_model)"), "maxWorkers": (3, request)},
        "sound": {
            "maxBatchDelay": (7, f"{file} (models: maxBatchDelay)"),
            "responseTimeout": (120, hidden),
            "maxRetryTimeoutInSec": (300, "default"),
            "useVenv": (False, "default"),
        },
    }  # fmt: skip
    for model, parameters in expected.items():
        assert {name: found[model][name] for name in parameters} == parameters
    value, source = found["sound"]["retry_max_hard_crashes"]
    assert (value, source.endswith("model-config.yaml (retry: maxHardCrashes)")) == (4, True)
    # Nothing that 0.12.0 reports is left without an explanation.
    sources = {source for parameters in found.values() for _, source in parameters.values()}
    assert not {source for source in sources if source.startswith(("unknown", "not reported"))}


def test_doctor_finds_everything_in_place(server: TorchServe) -> None:
    code, found = ask(server, "doctor")
    assert code == 0, found


def test_resume_without_a_repair_tells_that_the_model_does_not_serve(server: TorchServe) -> None:
    starts, before = server.process_starts("broken"), server.events("broken")
    done = server.command(
        "resume", "broken", "--pid", str(server.frontend().pid), "--timeout", "60"
    )
    assert done.returncode == 3, done.stdout + done.stderr
    assert "SyntaxError" in done.stdout + done.stderr
    assert server.is_held("broken")
    assert server.events("broken") == [*before, "trial", "tried"]
    assert server.process_starts("broken") == starts


def test_an_unknown_model_is_named_with_what_there_is(server: TorchServe) -> None:
    done = server.command("show", "brokne", "--pid", str(server.frontend().pid))
    assert done.returncode != 0
    assert "brokne" in done.stderr
    assert "broken" in done.stderr


def test_a_server_that_has_ended_still_tells_why(tmp_path: Path) -> None:
    pack(tmp_path / "store", "broken", "def handle(data, context)\n")
    with TorchServe(tmp_path, {"broken": "broken.mar"}) as ended:
        ended.wait_for(lambda: ended.is_held("broken"), "broken is held")
    done = ended.command("status", "--json", "--state-dir", str(ended.state_dir))
    status = json.loads(done.stdout)
    assert status["server"]["running"] is False
    assert [model["exception"]["type"] for model in status["models"]] == ["SyntaxError"]


def test_resume_of_a_model_that_recovers_retries_it_now(tmp_path: Path) -> None:
    """Also where the holder has left on its own and the window is over: nobody would retry it."""
    refused_until = tmp_path / "open"
    body = (
        "import os\n"
        f"if not os.path.exists({str(refused_until)!r}):\n"
        "    raise ConnectionRefusedError(111, 'refused')"
    )
    pack(tmp_path / "store", "flaky", initialize(body))
    with TorchServe(tmp_path, {"flaky": "flaky.mar"}) as server:
        server.wait_for(lambda: len(server.retry_waits("flaky")) >= 5, "the waits grow")
        refused_until.write_text("")
        done = server.command(
            "resume", "flaky", "--pid", str(server.frontend().pid), "--timeout", "60"
        )
        assert done.returncode == 0, done.stdout + done.stderr
        assert server.predict("flaky") == (200, "sound")
