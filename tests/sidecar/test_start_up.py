from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.cli.servers import frontend
from tests.frontend.api import described
from tests.sidecar.sidecars import sidecar
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.sidecar.start_up import StartUp
from ts_retry_ext.snapshot.join import status_of
from ts_retry_ext.snapshot.model import ModelStatus, WindowInForce
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event, Record

LOADS = [{"id": "9000", "status": "UNLOADING", "pid": 1}]
READY = [{"id": "9000", "status": "READY", "pid": 1}]
SUMMARY = Record(Event.SUMMARY, "2020-09-13T12:26:40.000Z", counts={"loaded": 1})


def status(folder: Path, *records: Record, default: str = "1.0", **changes: Any) -> ModelStatus:
    registration = None
    if records:
        registration = read_registration(str(write_journal(folder, *records)))
    model = running_model(described(**{"workers": LOADS, **changes}), default)
    return status_of(
        model,
        registration,
        WindowInForce(300, "default"),
        now=START + 1,
        died_by=lambda pid, start: None,
    )


@pytest.mark.parametrize(
    ("records", "changes", "waits"),
    [
        ((), {}, True),
        ((record(Event.START, 0),), {}, True),
        ((failure(0),), {}, True),
        ((), {"workers": READY}, False),
        ((record(Event.LOADED, 0), failure(1)), {}, False),
        ((SUMMARY, failure(1)), {}, False),
        ((), {"loadedAtStartup": False}, False),
        ((), {"minWorkers": 0, "workers": []}, False),
        ((), {"default": "2.0"}, False),
    ],
    ids=["nothing yet", "loads", "failed", "ready", "served before", "served long before",
         "registered later", "no workers wanted", "not the default version"],
)  # fmt: skip
def test_start_is_over_when_each_model_of_it_has_served(
    tmp_path: Path, records: tuple[Record, ...], changes: dict[str, Any], waits: bool
) -> None:
    model = status(tmp_path / "m", *records, **changes)
    assert StartUp().waits_for([model]) == ((model,) if waits else ())


def test_what_loads_after_the_start_does_not_bring_it_back(tmp_path: Path) -> None:
    start_up = StartUp()
    assert start_up.waits_for([status(tmp_path / "m", workers=READY)]) == ()
    assert start_up.waits_for([status(tmp_path / "n")]) == ()


def test_model_that_is_halted_at_its_first_load_is_waited_for_after_it_was_resumed(
    tmp_path: Path,
) -> None:
    start_up = StartUp()
    write_journal(tmp_path / "m", failure(0))
    write_marker(str(tmp_path / "m"), marker(action="reject"))
    halted = status(tmp_path / "m", failure(0), record(Event.HOLD, 1), workers=READY)
    assert halted.is_down
    assert start_up.waits_for([halted]) == (halted,)
    (tmp_path / "m" / "marker.json").unlink()
    assert start_up.waits_for([status(tmp_path / "m", failure(0))])
    assert not start_up.waits_for([status(tmp_path / "m", failure(0), workers=READY)])


def test_server_that_starts_is_not_ready_and_says_for_which_model(tmp_path: Path) -> None:
    with frontend(tmp_path / "run") as server:
        server.api.answers["GET /ping"] = {"status": "Healthy"}
        server.register(described("m", workers=LOADS), described("n"))
        loads = record(Event.START, 0, os.getpid(), start=start_of(os.getpid()))
        folder = write_journal(server.kept / "m", loads)
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        with sidecar(tmp_path / "sidecar", *options) as observing:
            observing.wait_for(lambda: observing.ask("/ping").status == 200, "it is seen")
            answer = observing.ask("/readyz")
            assert (answer.status, answer.json()["status"]) == (503, "starting")
            assert [told["model"] for told in answer.json()["starting"]] == ["m"]
            assert observing.ask("/readyz?model=m").status == 503
            assert observing.ask("/readyz?model=n").status == 200
            server.register(described("m"), described("n"))
            observing.wait_for(lambda: observing.ask("/readyz").status == 200, "it is ready", 60)
            server.register(described("m", workers=LOADS), described("n"))
            # A word of one of its workers makes the sidecar ask for that model.
            write_journal(folder, loads, loads)
            observing.wait_for(lambda: observing.states()["m"] != "serving", "it loads anew", 60)
            assert observing.ask("/readyz").status == 200
