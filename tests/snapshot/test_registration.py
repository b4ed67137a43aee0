from __future__ import annotations

from pathlib import Path

from tests.snapshot.writing import failure, marker, record, write_journal
from ts_retry_ext.frontend.running_model import RunningModel, RunningWorker
from ts_retry_ext.snapshot.registration import Registrations
from ts_retry_ext.snapshot.registration_files import read_registrations
from ts_retry_ext.store.directory import marker_path
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event


def running(pid: int | None = None, name: str = "m", version: str = "1.0") -> RunningModel:
    workers = (RunningWorker("9000", "UNLOADING", pid, None),)
    return RunningModel(name, version, f"{name}.mar", 1, 1, workers, 300, True, True)


def test_journal_and_marker_of_each_registration_are_read(tmp_path: Path) -> None:
    write_journal(tmp_path / "a", record(Event.START, 0), failure(1))
    write_marker(str(write_journal(tmp_path / "b", record(Event.START, 0))), marker(model="b"))

    first, second = read_registrations([str(tmp_path)])

    assert (first.model, first.version, first.marker) == ("m", "1.0", None)
    assert (first.history.worker_starts, first.history.failures) == (1, 1)
    assert (second.model, second.problem) == ("b", None)
    assert second.marker is not None


def test_torn_marker_is_a_problem_and_no_marker(tmp_path: Path) -> None:
    folder = write_journal(tmp_path / "a", record(Event.START, 0))
    Path(marker_path(str(folder))).write_text('{"schema": 1, "mod')

    (found,) = read_registrations([str(tmp_path)])

    assert found.marker is None
    assert found.problem is not None
    assert "torn" in found.problem
    assert found.history.worker_starts == 1


def test_missing_directory_holds_nothing(tmp_path: Path) -> None:
    assert read_registrations([str(tmp_path / "nope")]) == []


def test_process_id_of_a_worker_beats_a_name(tmp_path: Path) -> None:
    write_journal(tmp_path / "a", record(Event.START, 0, 7, model="name-in-manifest"))
    write_journal(tmp_path / "b", record(Event.START, 50, 8, model="m"))
    found = read_registrations([str(tmp_path)])

    assert Registrations(found).of(running(7)) is found[0]
    assert Registrations(found).of(running(8)) is found[1]


def test_newest_registration_of_the_name_and_version_counts_without_a_process(
    tmp_path: Path,
) -> None:
    write_journal(tmp_path / "a", record(Event.START, 0, 1))
    write_journal(tmp_path / "b", record(Event.START, 50, 2))
    write_journal(tmp_path / "c", record(Event.START, 90, 3, version="2.0"))
    found = read_registrations([str(tmp_path)])

    assert Registrations(found).of(running()) is found[1]
    assert Registrations(found).of(running(version="2.0")) is found[2]
    assert Registrations(found).of(running(name="other")) is None


def test_model_with_cpp_workers_is_no_earlier_registration_of_its_name(tmp_path: Path) -> None:
    write_journal(tmp_path / "a", record(Event.START, 0), failure(1))

    found = read_registrations([str(tmp_path)])

    assert Registrations(found).of(running()._replace(runtime="LSP")) is None
