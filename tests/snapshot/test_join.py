"""The join of what the frontend says with what workers wrote, as a table of data in and states out."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.frontend.api import described
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.frontend.running_model import RunningModel, running_model
from ts_retry_ext.snapshot.join import confirmed_models, unconfirmed_models, why_unknown
from ts_retry_ext.snapshot.model import ModelStatus, WindowInForce
from ts_retry_ext.snapshot.registration import Registration, Registrations
from ts_retry_ext.snapshot.registration_files import read_registrations
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event

WINDOWS = {("m", "1.0"): WindowInForce(20, "model-config")}
STARTS = [record(Event.START, 0, 1), failure(0.5, 1), record(Event.START, 1.5, 2)]


def waiting(**changes: Any) -> RunningModel:
    workers = [{"id": "9000", "status": "UNLOADING", "pid": 2}]
    return running_model(described("m", workers=workers, **changes), "1.0")


def written(folder: Path, *records: Any, halted: bool = False) -> list[Registration]:
    kept = write_journal(folder / "m-1", *records)
    if halted:
        write_marker(str(kept), marker())
    return read_registrations([str(folder)])


def joined(
    found: list[Registration], at: float, *, alive: bool | None = False
) -> tuple[ModelStatus, ...]:
    return confirmed_models(
        [waiting()],
        Registrations(found),
        WINDOWS,
        now=START + at,
        died_by=None if alive is None else lambda pid, start: None if alive else START + at,
    )


@pytest.mark.parametrize(
    ("at", "alive", "state", "gave_up"),
    [
        (2, True, State.RECOVERING, False),
        (100, True, State.RECOVERING, False),
        (2, False, State.RECOVERING, False),
        (100, False, State.WAITING, True),
        (100, None, State.RECOVERING, False),
    ],
    ids=["runs", "runs-long", "just-ended", "retry-did-not-come", "cannot-be-seen"],
)
def test_worker_that_is_retried_no_more_halts_the_model_where_its_process_is_known_to_be_gone(
    tmp_path: Path, at: float, alive: bool | None, state: State, gave_up: bool
) -> None:
    (model,) = joined(written(tmp_path, *STARTS), at, alive=alive)
    assert (model.state, model.gave_up) == (state, gave_up)
    window = (model.max_retry_timeout_sec, model.max_retry_timeout_source)
    assert window == (20, "model-config")


def test_models_are_told_by_name_and_version_each_with_its_own_window(tmp_path: Path) -> None:
    running = [waiting(modelName=name, modelVersion=version)
               for name, version in (("m", "2.0"), ("b", "1.0"), ("m", "1.0"))]  # fmt: skip
    found = confirmed_models(running, Registrations([]), WINDOWS, now=START, died_by=None)
    assert [(m.model, m.version, m.max_retry_timeout_sec) for m in found] == [
        ("b", "1.0", None),
        ("m", "1.0", 20),
        ("m", "2.0", None),
    ]


@pytest.mark.parametrize(
    ("records", "halted", "server_runs", "state"),
    [
        ((*STARTS, failure(15, 2)), False, True, State.RECOVERING),
        ((*STARTS, failure(25, 2)), False, True, State.WAITING),
        ((*STARTS, failure(25, 2)), False, False, State.UNKNOWN),
        ((*STARTS, failure(15, 2)), True, True, State.HALTED),
        ((*STARTS, failure(15, 2)), True, False, State.HALTED),
        ((*STARTS, record(Event.LOADED, 5, 2)), False, True, State.SERVING),
    ],
)
def test_what_workers_wrote_counts_while_the_frontend_does_not_answer(
    tmp_path: Path, records: Any, halted: bool, server_runs: bool, state: State
) -> None:
    (model,) = unconfirmed_models(
        written(tmp_path, *records, halted=halted),
        server_runs=server_runs,
        died_by=lambda pid, start: START + 100,
        windows=WINDOWS,
    )
    assert (model.state, model.running) == (state, None)


def test_models_that_the_frontend_last_had_are_told_and_no_others(tmp_path: Path) -> None:
    found = unconfirmed_models(
        written(tmp_path, *STARTS),
        server_runs=True,
        died_by=None,
        last_known=[("other", "1.0")],
    )
    assert [(model.key, model.state) for model in found] == [(("other", "1.0"), State.UNKNOWN)]
    why = why_unknown(found[0], server_runs=True, has_state_dir=True)
    assert why is not None
    assert "its workers wrote nothing" in why


def test_joining_reads_and_asks_nothing() -> None:
    """Nothing that could is even imported."""
    code = (
        "import sys, ts_retry_ext.snapshot.join\n"
        "print([name for name in ('psutil', 'http.client', 'ssl', 'aiohttp', 'subprocess',"
        " 'ts_retry_ext.frontend.process', 'ts_retry_ext.frontend.management',"
        " 'ts_retry_ext.archive.model_archive') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
