from __future__ import annotations

import json
import os
import time
from dataclasses import replace
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.cli.servers import Frontend, described, frontend
from tests.sidecar.sidecars import AT_ONCE_SEC, Sidecar, sidecar
from tests.sidecar.test_own_log import picture
from tests.snapshot.test_model import status
from tests.snapshot.writing import failure, hold, marker, record, write_journal
from ts_retry_ext.cli.main import main
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.sidecar.service import awaited, in_the_way
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.marker import MarkedWorker, remove_marker, write_marker
from ts_retry_ext.store.record import Event, Record

PIDS = {"good": 501, "bad": 502}
READY = {"id": "9000", "startTime": "2026-01-01T00:00:00.000Z", "status": "READY", "memoryUsage": 0,
         "gpu": False, "gpuUsage": "N/A"}  # fmt: skip


def entry(name: str, **changes: Any) -> dict[str, Any]:
    return described(name, workers=[dict(READY, pid=PIDS[name])], **changes)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    with frontend(tmp_path_factory.mktemp("server") / "run") as running:
        running.register(entry("good"), entry("bad", maxRetryTimeoutInSec=7))
        running.api.answers["GET /ping"] = {"status": "Healthy"}
        for name in PIDS:
            write_journal(running.kept / name, *loaded(name))
        yield running


@pytest.fixture(scope="module")
def observing(server: Frontend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    options = ("--pid", str(server.pid), "--inference", server.api.address)
    environ = {"TS_RETRY_READY_WHEN": "all"}
    with sidecar(tmp_path_factory.mktemp("sidecar"), *options, environ=environ) as running:
        running.wait_for(lambda: running.ask("/ping").status == 200, "all is well")
        yield running


@pytest.fixture
def halted(server: Frontend, observing: Sidecar) -> Iterator[None]:
    folder = server.kept / "bad"
    hold(folder, PIDS["bad"], model="bad")
    observing.wait_for(lambda: observing.ask("/ping").status == 500, "the halt is seen")
    yield
    remove_marker(str(folder))
    write_journal(folder, *loaded("bad"))
    observing.wait_for(lambda: observing.ask("/ping").status == 200, "the marker is gone")


def loaded(name: str) -> list[Record]:
    pid = PIDS[name]
    return [
        record(Event.START, 0, pid=pid, model=name),
        failure(1, pid=pid, model=name),
        record(Event.LOADED, 2, pid=pid, model=name),
    ]


def test_healthy_server_is_healthy_in_torchserves_form(observing: Sidecar) -> None:
    answer = observing.ask("/ping")
    assert (answer.status, answer.json()) == (200, {"status": "Healthy"})
    assert observing.ask("/readyz").status == 200
    assert observing.ask("/livez").status == 200


def test_halt_is_on_every_endpoint_at_once(server: Frontend, observing: Sidecar) -> None:
    folder = server.kept / "bad"
    hold(folder, PIDS["bad"], model="bad")

    def told() -> bool:
        return (
            observing.ask("/ping").status == 500
            and observing.ask("/readyz").status == 503
            and 'ts_retry_model_halted{fingerprint="fedcba9876543210",model="bad"'
            in observing.ask("/metrics").text
            and observing.states()["bad"] == "halted"
            and "1 of 2 models does not serve: 1 cause" in observing.ask("/").text
        )

    took = observing.wait_for(told, "the halt is everywhere")
    remove_marker(str(folder))
    write_journal(folder, *loaded("bad"))
    observing.wait_for(lambda: observing.ask("/ping").status == 200, "the marker is gone")
    assert took < AT_ONCE_SEC


def test_ping_and_readyz_name_the_halted_model_and_the_cause(
    observing: Sidecar, halted: None
) -> None:
    answer = observing.ask("/ping").json()
    assert answer["status"] == "Unhealthy"
    (told,) = answer["halted"]
    assert (told["model"], told["rule"]) == ("bad", "syntax-error")
    assert told["cause"] == "SyntaxError: invalid syntax (h.py, line 1)"
    assert observing.ask("/readyz").json()["halted"] == [told]


def test_model_that_lost_one_device_is_named_and_does_not_take_the_server_down(
    server: Frontend, observing: Sidecar
) -> None:
    workers = [dict(READY, pid=PIDS["bad"]), dict(READY, id="9001", status="UNLOADING", pid=9)]
    changed = described("bad", workers=workers, minWorkers=2, maxRetryTimeoutInSec=7)
    server.register(entry("good"), changed)
    one = MarkedWorker(9, "/tmp/.ts.sock.9001", ("/tmp/.ts.sock.9001",))
    folder = str(server.kept / "bad")
    write_marker(folder, marker(model="bad", scope="device", worker=one))
    observing.wait_for(lambda: "impaired" in observing.ask("/ping").json(), "it is seen")

    answer = observing.ask("/ping")
    assert answer.status == 200
    (told,) = answer.json()["impaired"]
    assert (told["state"], told["rule"]) == ("serving", "syntax-error")
    assert told["reason"].startswith("1 of 2 workers is held: 9001.")
    assert observing.ask("/readyz?model=bad").status == 200
    for path in ("/", "/model/bad/1.0"):
        assert "1 of 2 workers is held: 9001" in observing.ask(path).text
    assert 'action="/models/bad/resume"' in observing.ask("/model/bad/1.0").text

    server.register(entry("good"), entry("bad", maxRetryTimeoutInSec=7))
    remove_marker(folder)
    observing.wait_for(lambda: "impaired" not in observing.ask("/ping").json(), "it is gone")


def test_page_says_that_the_window_of_a_model_is_over(tmp_path: Path) -> None:
    with frontend(tmp_path / "run") as server:
        waiting = dict(READY, status="UNLOADING", pid=2**22 + 1)
        server.register(described("m", workers=[waiting]))
        write_journal(server.kept / "m-0", record(Event.START, -1e8), failure(-1e8))
        with sidecar(tmp_path / "sidecar", "--pid", str(server.pid)) as observing:
            observing.wait_for(lambda: observing.states().get("m") == "waiting", "it is seen")
            for path in ("/", "/model/m/1.0"):
                told = "the frontend&#39;s retry window is over, it starts no worker any more"
                assert told in observing.ask(path).text


@pytest.mark.parametrize(("model", "status"), [("good", 200), ("bad", 503), ("none", 404)])
def test_readyz_can_be_asked_for_one_model(
    observing: Sidecar, halted: None, model: str, status: int
) -> None:
    assert observing.ask(f"/readyz?model={model}").status == status


def test_models_have_the_keys_of_status_json(observing: Sidecar, server: Frontend) -> None:
    from ts_retry_ext.frontend.process import frontend_at
    from ts_retry_ext.frontend.server_configuration import server_of
    from ts_retry_ext.snapshot.observed_server import observed
    from ts_retry_ext.snapshot.take import take_snapshot

    found = frontend_at(server.pid)
    assert found is not None
    expected = json.loads(json.dumps(take_snapshot(observed(server_of(found))).to_json()))
    # What an earlier test changed at the frontend is seen at the next look.
    told = {**expected, "problems": []}
    observing.wait_for(lambda: observing.ask("/models").json() == told, "it is the same")
    one = observing.ask("/models/bad").json()
    assert one["models"] == [m for m in expected["models"] if m["model"] == "bad"]


def test_function_of_a_workflow_is_observed_though_the_frontend_does_not_list_it(
    tmp_path: Path,
) -> None:
    with frontend(tmp_path / "run") as own:
        own.register()
        path = "GET /models/w__f"
        own.api.answers[path] = own.api.answers[path + "/all"] = [described("w__f")]
        write_journal(own.kept / "w__f", record(Event.START, 0, pid=77, model="w__f"))
        with sidecar(tmp_path, "--pid", str(own.pid)) as running:
            running.wait_for(lambda: running.states().get("w__f") == "serving", "it is seen")


def test_config_has_the_rows_of_config_json(observing: Sidecar) -> None:
    rows = {row["model"]: row for row in observing.ask("/config").json()}
    assert rows["bad"]["max_retry_timeout_sec"] == 7
    assert rows["good"]["schedule"] == {"retries": 12, "last_retry_at_sec": 376.0}
    assert rows["good"]["problems"][0]["code"] == "archive-not-found"
    assert rows["good"]["recovery"] == []


def test_effective_settings_are_in_the_state_directory_and_the_log(
    observing: Sidecar, server: Frontend
) -> None:
    path = server.kept.parent / "effective-config.json"
    observing.wait_for(path.exists, "it is written")

    def models() -> object:
        return json.loads(path.read_text())["models"]

    observing.wait_for(lambda: models() == observing.ask("/config").json(), "it is up to date")
    assert json.loads(path.read_text())["schema"] == 1
    assert path.stat().st_mode & 0o777 == 0o600
    assert (server.kept / path.name).read_bytes() == path.read_bytes()
    assert observing.log().count("bad 1.0: maxRetryTimeoutInSec 7 (frontend)") == 1


def test_changed_window_is_told_again(observing: Sidecar, server: Frontend) -> None:
    path = server.kept.parent / "effective-config.json"
    server.register(entry("good", maxRetryTimeoutInSec=9), entry("bad", maxRetryTimeoutInSec=7))
    # A word of one of its workers makes the sidecar ask for that model.
    os.utime(server.kept / "good" / "journal.jsonl")
    observing.wait_for(
        lambda: json.loads(path.read_text())["models"][1]["max_retry_timeout_sec"] == 9,
        "it is told",
    )
    assert "good 1.0: maxRetryTimeoutInSec 9" in observing.log()
    server.register(entry("good"), entry("bad", maxRetryTimeoutInSec=7))


def test_servers_that_share_a_state_directory_have_a_file_of_effective_settings_each(
    tmp_path: Path,
) -> None:
    with frontend(tmp_path / "one") as one, frontend(tmp_path / "two") as two:
        (tmp_path / "two" / "logs" / "ts_retry").rename(tmp_path / "own")
        shared = one.kept.parent
        (tmp_path / "own" / two.kept.name).rename(shared / two.kept.name)
        for server, model in ((one, "m"), (two, "n")):
            server.register(described(model))
        state = ("--state-dir", str(shared))
        with sidecar(tmp_path / "a", "--pid", str(one.pid), *state) as first, sidecar(
            tmp_path / "b", "--pid", str(two.pid), *state
        ) as second:
            for observing, server, model in ((first, one, "m"), (second, two, "n")):
                path = shared / server.kept.name / "effective-config.json"
                observing.wait_for(path.exists, "it is written")
                content = json.loads(path.read_text())
                assert content["server"]["pid"] == server.pid
                assert [row["model"] for row in content["models"]] == [model]
            first.wait_for((shared / "effective-config.json").exists, "it is written")
            last = json.loads((shared / "effective-config.json").read_text())
            assert last["server"]["pid"] in (one.pid, two.pid)


def test_no_probe_waits_for_a_slow_disk(tmp_path: Path) -> None:
    slow = tmp_path / "slow"
    slow.mkdir()
    (slow / "sitecustomize.py").write_text(
        "import os, time\nfsync = os.fsync\nos.fsync = lambda fd: (time.sleep(1.5), fsync(fd))\n"
    )
    with frontend(tmp_path / "run") as server:
        server.register(described("m"))
        environ = {"PYTHONPATH": str(slow)}
        with sidecar(tmp_path / "sidecar", "--pid", str(server.pid), environ=environ) as observing:
            path = server.kept.parent / "effective-config.json"
            longest, begun = 0.0, time.monotonic()
            while not path.exists():
                asked = time.monotonic()
                assert observing.ask("/livez").status == 200
                longest = max(longest, time.monotonic() - asked)
                assert asked - begun < 30
                time.sleep(0.02)
            assert longest < 1.0


def test_model_that_was_unregistered_is_no_longer_among_the_effective_settings(
    tmp_path: Path,
) -> None:
    with frontend(tmp_path / "run") as server:
        server.register(described("m"))
        path = server.kept.parent / "effective-config.json"
        with sidecar(tmp_path / "sidecar", "--pid", str(server.pid)) as observing:
            observing.wait_for(path.exists, "it is written")
            server.api.answers["GET /models"] = {"models": []}
            observing.wait_for(
                lambda: json.loads(path.read_text())["models"] == [], "it is gone", 70
            )


def test_counts_are_in_the_metrics(observing: Sidecar) -> None:
    text = observing.ask("/metrics").text
    for line in (
        'ts_retry_max_retry_timeout_seconds{model="bad",source="frontend",version="1.0"} 7.0',
        'ts_retry_worker_starts_total{model="bad",version="1.0"} 1.0',
        'ts_retry_load_failures_total{model="bad",rule="connection-errno",verdict="recoverable",version="1.0"} 1.0',
        'ts_retry_hook_active{model="bad",version="1.0"} 1.0',
        'ts_retry_model_halted{fingerprint="",model="good",rule="",version="1.0"} 0.0',
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nowhere", 404),
        ("GET", "/models/none", 404),
        ("GET", "/models/bad?version=9", 404),
        ("POST", "/ping", 405),
        ("GET", "/models/bad/resume", 405),
        ("POST", "/models/none/resume", 404),
        ("POST", "/models/good/resume", 409),
        ("POST", "/models/bad/resume?wait=for-ever", 400),
    ],
)
def test_bad_requests_get_an_error_in_torchserves_form(
    observing: Sidecar, method: str, path: str, status: int
) -> None:
    answer = observing.ask(path, method, headers={"Content-Length": "0"})
    content = answer.json()
    assert answer.status == status
    assert content["code"] == status
    assert content["type"].endswith("Exception")
    assert content["message"]


@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "evil.example"},
        {"Host": ""},
        {"Origin": "http://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
    ],
    ids=str,
)
def test_foreign_post_is_refused(observing: Sidecar, halted: None, headers: dict[str, str]) -> None:
    assert observing.ask("/models/bad/resume", "POST", b"", headers).status in (400, 403)
    assert observing.ask("/ping").status == 500


def test_a_rule_is_shown_as_the_command_shows_it(
    observing: Sidecar, capsys: pytest.CaptureFixture[str]
) -> None:
    answer = observing.ask("/rules/licence-does-not-allow")
    assert answer.status == 200
    assert answer.text.startswith("rule     licence-does-not-allow (asked as number ")
    assert main(["rules", "licence-does-not-allow"]) == 0
    assert " ".join(answer.text.split()) == " ".join(capsys.readouterr().out.split())
    unknown = observing.ask("/rules/no-such-rule")
    assert unknown.status == 404
    assert "there is no built-in rule no-such-rule" in unknown.text


@pytest.mark.parametrize("path", ["/", "/models", "/models/bad", "/config"])
def test_a_page_under_a_foreign_name_reads_nothing(
    observing: Sidecar, halted: None, path: str
) -> None:
    """A web page can point a name of its own at this machine (DNS rebinding)."""
    refused = observing.ask(path, headers={"Host": "evil.example"})
    assert refused.status == 403
    assert "retry_sidecar_hosts" in refused.json()["message"]
    assert observing.ask(path, headers={"Host": "10.0.0.7:8083"}).status == 200


@pytest.mark.parametrize(("path", "status"), [("/ping", 500), ("/readyz", 503)])
def test_a_probe_under_any_name_gets_the_status_and_no_cause(
    observing: Sidecar, halted: None, path: str, status: int
) -> None:
    answer = observing.ask(path, headers={"Host": "models.example.com"})
    assert (answer.status, list(answer.json())) == (status, ["status"])


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--management", "foo"], "--management foo: is no address such as"),
        (["--inference", "foo"], "--inference foo: is no address such as"),
        (
            ["--management", "http://me:pw@h"],
            "--management: an address with a login, and none is sent",
        ),
        (["--pid", "1"], "--pid 1: this process is no frontend of TorchServe"),
        (["--ts-config", "absent"], "--ts-config absent: there is no such file"),
        (["--own-key-file", "absent"], "--own-key-file absent: there is no such file"),
        (["--log-file", "/proc/nobody/x.log"], "--log-file /proc/nobody/x.log: "),
    ],
)
def test_an_option_that_can_never_come_right_is_a_usage_error(
    capsys: pytest.CaptureFixture[str], options: list[str], said: str
) -> None:
    assert main(["sidecar", *options]) == 2
    assert said in capsys.readouterr().err


def test_body_that_is_no_json_is_refused(observing: Sidecar, halted: None) -> None:
    headers = {"Content-Type": "application/json"}
    answer = observing.ask("/models/bad/resume", "POST", b"[1", headers)
    assert (answer.status, answer.json()["message"]) == (400, "the body is no JSON")


@pytest.mark.parametrize(
    ("content_type", "body"),
    [
        ("application/json", b"[" * 50_000),
        ("application/x-www-form-urlencoded; charset=nope", b"key=x"),
        ("multipart/form-data", b"x"),
    ],
)
def test_body_that_cannot_be_read_is_refused_and_no_bug_of_the_sidecar(
    observing: Sidecar, content_type: str, body: bytes
) -> None:
    answer = observing.ask("/models/bad/resume", "POST", body, {"Content-Type": content_type})
    assert answer.status == 400


def test_nothing_is_cached_and_no_foreign_script_runs(observing: Sidecar) -> None:
    answer = observing.ask("/")
    assert answer.headers["Cache-Control"] == "no-store"
    assert "script-src 'self'" in answer.headers["Content-Security-Policy"]


def test_sigterm_ends_it_in_an_orderly_way(server: Frontend, tmp_path: Path) -> None:
    with sidecar(tmp_path, "--pid", str(server.pid)) as running:
        assert running.stop() == 0
        assert "Traceback" not in running.log()


def test_address_in_use_is_a_clear_error(observing: Sidecar, tmp_path: Path) -> None:
    import subprocess
    import sys

    command = [sys.executable, "-m", "ts_retry_ext.cli.main", "sidecar"]
    command += ["--address", observing.address]
    done = subprocess.run(command, capture_output=True, text=True, timeout=90, check=False)
    assert done.returncode == 1
    assert f"cannot listen at {observing.address}: Address already in use" in done.stderr
    assert "--address or retry_sidecar_address" in done.stderr
    assert "Traceback" not in done.stderr


def model(name: str, state: State) -> ModelStatus:
    stops = marker() if state is State.HALTED else None
    return replace(status(failure(1), stops=stops, state=state), model=name)


BROKEN, SOUND = model("broken", State.HALTED), model("sound", State.SERVING)
LATE = model("late", State.STARTING)
ONE_OF_TWO, NONE_LEFT = picture(BROKEN, SOUND), picture(BROKEN)
AT_START = replace(ONE_OF_TWO, starting=(BROKEN, LATE))


@pytest.mark.parametrize(
    ("seen", "ready_when", "names"),
    [
        (ONE_OF_TWO, "all", ["broken"]),
        (ONE_OF_TWO, "any", []),
        (NONE_LEFT, "any", ["broken"]),
        (AT_START, "any", ["broken"]),
        (ONE_OF_TWO, "sound", []),
        (ONE_OF_TWO, " sound , broken", ["broken"]),
        (AT_START, "sound", []),
    ],
)
def test_which_models_take_a_server_out_of_rotation(
    seen: Picture, ready_when: str, names: list[str]
) -> None:
    assert [found.model for found in in_the_way(seen, ready_when)] == names


def test_only_models_that_are_named_are_awaited_at_the_start() -> None:
    assert awaited(AT_START, "any") == awaited(AT_START, "all") == (BROKEN, LATE)
    assert awaited(AT_START, "late,sound") == (LATE,)
