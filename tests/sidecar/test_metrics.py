from __future__ import annotations

import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.frontend.api import described
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.sidecar.metrics import Metrics
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.sidecar.recovery import recovery_of, starts_saved
from ts_retry_ext.snapshot.effective import OUT_OF_REACH, Effective
from ts_retry_ext.snapshot.join import status_of
from ts_retry_ext.snapshot.model import ModelStatus, WindowInForce
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.snapshot.server_snapshot import Snapshot
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.journal_totals import summary_of
from ts_retry_ext.store.marker import MarkedWorker, write_marker
from ts_retry_ext.store.record import Event, Record, TrialResult
from ts_retry_ext.store.times import to_text

ALIVE = lambda pid, start: None  # noqa: E731 - a name for a constant answer


def status(folder: Path, now: float = START + 5, **changes: Any) -> ModelStatus:
    entry = described(**{"workers": [{"id": "9000", "status": "UNLOADING", "pid": 1}], **changes})
    registration = read_registration(str(folder))
    return status_of(
        running_model(entry, "1.0"),
        registration,
        WindowInForce(300, "default"),
        now=now,
        died_by=ALIVE,
    )


def text(
    metrics: Metrics, number: int, *models: ModelStatus, rows: tuple[Effective, ...] = ()
) -> str:
    snapshot = Snapshot(None, models)
    picture = Picture(number, START + 5, snapshot, rows, FrontendHealth(Condition.OK))
    return metrics.text(picture).decode()


def test_failures_are_counted_by_verdict_and_rule(tmp_path: Path) -> None:
    unknown: dict[str, Any] = {"verdict": "unknown", "rule": None}
    write_journal(tmp_path / "m", failure(0), failure(1), failure(2, **unknown))
    lines = text(Metrics(), 1, status(tmp_path / "m")).splitlines()
    assert (
        'ts_retry_load_failures_total{model="m",rule="connection-errno",verdict="recoverable",version="1.0"} 2.0'
        in lines
    )
    assert (
        'ts_retry_load_failures_total{model="m",rule="",verdict="unknown",version="1.0"} 1.0'
        in lines
    )


def test_no_counter_falls_when_a_journal_gives_up_old_records(tmp_path: Path) -> None:
    metrics = Metrics()
    folder = write_journal(tmp_path / "m", failure(0), failure(1), failure(2))
    before = _failures(text(metrics, 1, status(folder)))
    summary = Record(Event.SUMMARY, "2020-09-13T12:26:40.000Z", counts={"failure": 2})
    write_journal(folder, summary, failure(2), failure(3))
    after = _failures(text(metrics, 2, status(folder)))
    assert all(after[labels] >= count for labels, count in before.items())
    assert sum(after.values()) == 4


def test_recovering_model_shows_how_far_its_window_has_run(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "m", record(Event.START, 0), failure(2))
    model = status(folder)
    (recovery,) = recovery_of(model, START + 5)
    assert recovery.to_json() == {
        "stops": 1,
        "first_stop_at": "2020-09-13T12:26:42.000Z",
        "next_retry_at": "2020-09-13T12:26:43.000Z",
        "window_ends_at": "2020-09-13T12:31:42.000Z",
    }
    assert 'ts_retry_window_elapsed_seconds{model="m",version="1.0"} 3.0' in text(
        Metrics(), 1, model
    )


@pytest.mark.parametrize(
    ("seconds", "saved"), [(0, 0), (1.5, 0), (10, 3), (1000, 11)], ids=lambda value: str(value)
)
def test_saved_starts_are_those_of_torchserves_own_schedule(
    tmp_path: Path, seconds: float, saved: int
) -> None:
    """13 starts in all with failures that take no time, of which one loaded and one holds."""
    folder = write_journal(
        tmp_path / "m", record(Event.START, 0), failure(0), record(Event.HOLD, 1, 2)
    )
    write_marker(str(folder), marker())
    assert starts_saved(status(folder), START + seconds) == saved


def test_workers_lost_to_one_device_are_counted_and_the_model_is_not_halted(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "m", record(Event.START, 0), failure(0))
    one = MarkedWorker(1, "/tmp/.ts.sock.9000", ("/tmp/.ts.sock.9000",))
    write_marker(str(folder), marker(scope="device", worker=one))
    ready = {"id": "9001", "status": "READY", "pid": 2}
    workers = [{"id": "9000", "status": "UNLOADING", "pid": 3}, ready]
    told = text(Metrics(), 1, status(folder, workers=workers, minWorkers=2)).splitlines()
    assert 'ts_retry_workers_lost{model="m",version="1.0"} 1.0' in told
    assert 'ts_retry_model_halted{fingerprint="",model="m",rule="",version="1.0"} 0.0' in told


def test_what_is_out_of_reach_is_neither_a_missing_hook_nor_a_problem_of_the_configuration(
    tmp_path: Path,
) -> None:
    row = Effective("m", "1.0", None, 300, "default", None, 300, ((OUT_OF_REACH, "x"),), (12, 376))
    told = text(Metrics(), 1, status(tmp_path / "m", runtime="LSP"), rows=(row,)).splitlines()
    assert 'ts_retry_config_problems{model="m",version="1.0"} 0.0' in told
    assert not [line for line in told if line.startswith("ts_retry_hook_active{")]


def test_labels_are_escaped_and_promtool_finds_no_fault(tmp_path: Path) -> None:
    name = 'a"b\\c\nd'
    folder = write_journal(tmp_path / "m", failure(0, model=name))
    write_marker(str(folder), marker(model=name))
    row = Effective(name, "1.0", None, 300, "default", None, 300, (("code", "message"),), (12, 376))
    told = text(Metrics(), 1, status(folder, modelName=name), rows=(row,))
    assert 'model="a\\"b\\\\c\\nd"' in told
    promtool = shutil.which("promtool")
    if promtool is None:
        pytest.skip("no promtool on this machine")
    done = subprocess.run(
        [promtool, "check", "metrics"], input=told, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_text_of_a_picture_is_made_once(tmp_path: Path) -> None:
    metrics = Metrics()
    picture = Picture(1, 0.0, Snapshot(None, ()), (), FrontendHealth(Condition.OK))
    assert metrics.text(picture) is metrics.text(picture)


def _failures(told: str) -> dict[str, float]:
    lines = (line for line in told.splitlines() if line.startswith("ts_retry_load_failures_total{"))
    return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}


def test_waiting_model_is_not_counted_as_halted_and_tells_when_it_is_tried_next(
    tmp_path: Path,
) -> None:
    tried = failure(3)._replace(event=Event.TRIED, result=TrialResult.FAILED)
    folder = write_journal(
        tmp_path / "m", record(Event.LOADED, 0), failure(1), record(Event.HOLD, 2), tried
    )
    planned = to_text(START + 60)
    write_marker(str(folder), marker(rule=None, waits_for=("files", "time"), next_trial_at=planned))
    lines = text(Metrics(), 1, status(folder)).splitlines()
    key = 'model="m",version="1.0"'
    for line in (
        'ts_retry_model_halted{fingerprint="",model="m",rule="",version="1.0"} 0.0',
        'ts_retry_model_waiting{fingerprint="fedcba9876543210",model="m",rule="",version="1.0"} 1.0',
        'ts_retry_trials_total{model="m",result="failed",version="1.0"} 1.0',
        'ts_retry_trials_total{model="m",result="loaded",version="1.0"} 0.0',
    ):
        assert line in lines
    assert _value(lines, f"ts_retry_next_trial_timestamp_seconds{{{key}}}") == START + 60
    assert _value(lines, f"ts_retry_model_down_since_timestamp_seconds{{{key}}}") == START + 1


@pytest.mark.parametrize(("waits_for", "halted"), [(("files",), 1.0), (("files", "time"), 0.0)])
def test_retired_model_is_halted_or_waiting_all_the_same(
    tmp_path: Path, waits_for: tuple[str, ...], halted: float
) -> None:
    folder = write_journal(tmp_path / "m", failure(1), record(Event.HOLD, 2))
    write_marker(str(folder), marker(action="retire", waits_for=waits_for))
    model = status(folder, minWorkers=0, workers=[])
    assert model.state is State.RETIRED
    lines = text(Metrics(), 1, model).splitlines()
    (is_halted,) = (x for x in lines if x.startswith("ts_retry_model_halted{"))
    (is_waiting,) = (x for x in lines if x.startswith("ts_retry_model_waiting{"))
    values = [float(line.rpartition(" ")[2]) for line in (is_halted, is_waiting)]
    assert values == [halted, 1.0 - halted]


def test_trials_whose_records_gave_way_are_still_counted(tmp_path: Path) -> None:
    tried = failure(3)._replace(event=Event.TRIED, result=TrialResult.LATE)
    summary = summary_of([tried, tried._replace(result=TrialResult.FAILED)])
    folder = write_journal(tmp_path / "m", summary._replace(at=to_text(START)), tried)
    lines = text(Metrics(), 1, status(folder)).splitlines()
    assert 'ts_retry_trials_total{model="m",result="late",version="1.0"} 2.0' in lines
    assert 'ts_retry_trials_total{model="m",result="failed",version="1.0"} 1.0' in lines


def _value(lines: list[str], name: str) -> float:
    (found,) = (line for line in lines if line.startswith(name + " "))
    return float(found.rpartition(" ")[2])


def test_cause_of_a_model_that_is_down_has_one_series_without_a_message(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "m", failure(1), record(Event.HOLD, 2))
    write_marker(str(folder), marker())
    lines = text(Metrics(), 1, status(folder)).splitlines()
    assert [line for line in lines if line.startswith("ts_retry_failure_info{")] == [
        (
            'ts_retry_failure_info{at="h.py:1",exception="SyntaxError",fingerprint="fedcba9876543210",'
            'model="m",rule="syntax-error",version="1.0"} 1.0'
        )
    ]


def test_model_that_is_not_down_has_no_cause(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "m", record(Event.START, 0), failure(2))
    assert "ts_retry_failure_info{" not in text(Metrics(), 1, status(folder))


def test_version_that_runs_is_told() -> None:
    told = text(Metrics(), 1).splitlines()
    assert f'ts_retry_build_info{{version="{version("ts-retry-ext")}"}} 1.0' in told


def test_half_a_character_in_a_name_is_spelled_out(tmp_path: Path) -> None:
    """JSON and a user's rules in YAML can hold it, and no encoding; every metric was answered with 500."""
    write_journal(tmp_path / "m-1", failure(1, rule="\ud800"))
    shown = text(Metrics(), 1, status(tmp_path / "m-1", modelName="m\ud800"))
    assert 'model="m\\\\ud800"' in shown
    assert 'rule="\\\\ud800"' in shown
