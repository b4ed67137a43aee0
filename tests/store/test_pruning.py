from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.snapshot.writing import marker, record
from tests.store.aged import aged_runs
from ts_retry_ext.store import journal, pruning
from ts_retry_ext.store.directory import ServerRun, server_runs
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.pruning import (
    KEPT_REGISTRATIONS,
    KEPT_RUNS,
    KEPT_SEC,
    prune,
    prune_registrations,
)
from ts_retry_ext.store.record import Event


def nobody(_: ServerRun) -> bool:
    return False


def test_the_oldest_runs_give_way_once_there_are_many(tmp_path: Path) -> None:
    made = aged_runs(tmp_path, KEPT_RUNS + 3)
    removed = prune(str(tmp_path), nobody)
    assert sorted(removed) == sorted(map(str, made[:3]))
    assert sorted(server_runs(str(tmp_path))) == sorted(map(str, made[3:]))
    assert prune(str(tmp_path), nobody) == []


def test_a_run_whose_server_lives_is_kept(tmp_path: Path) -> None:
    made = aged_runs(tmp_path, KEPT_RUNS + 3)
    prune(str(tmp_path), lambda run: run.pid == 2)
    assert [path.exists() for path in made[:3]] == [False, True, False]


@pytest.mark.parametrize("written", ["digits-0a0b0c0d/journal.jsonl", "server.json", "."])
def test_a_run_that_was_written_to_lately_is_kept(tmp_path: Path, written: str) -> None:
    """Its server may live where its processes cannot be seen: in another container."""
    made = aged_runs(tmp_path, KEPT_RUNS + 3)
    now = time.time() - KEPT_SEC / 2
    os.utime(made[0] / written, (now, now))
    prune(str(tmp_path), nobody)
    survived = [made[0].exists(), made[1].exists()]
    # Written to itself, a run is among the newest, and another one is the oldest.
    assert survived == [True, False]


def test_what_is_no_run_of_ours_is_kept(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    (target,) = aged_runs(elsewhere, 1)
    state_dir = tmp_path / "state"
    aged_runs(state_dir, KEPT_RUNS + 1)
    link = state_dir / "server-9999-0c0ffee0-0"
    link.symlink_to(target)
    other = state_dir / "backup"
    other.mkdir()
    old = time.time() - 3 * KEPT_SEC
    os.utime(other, (old, old))
    prune(str(state_dir), nobody)
    assert link.is_symlink()
    assert target.exists()
    assert other.exists()


def test_a_start_of_a_server_removes_a_few_at_a_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pruning, "_MOST_AT_ONCE", 2)
    made = aged_runs(tmp_path, KEPT_RUNS + 3)
    assert sorted(prune(str(tmp_path), nobody)) == sorted(map(str, made[:2]))


def test_a_state_directory_that_is_not_there_is_no_problem(tmp_path: Path) -> None:
    assert prune(str(tmp_path / "none"), nobody) == []


def registrations(folder: Path, count: int) -> list[Path]:
    """Make registrations of a run, the first written to longest ago; their workers have ended."""
    made = []
    for number in range(count):
        path = folder / f"m-{number:08x}"
        path.mkdir()
        journal.append(str(path), record(Event.START, 0, pid=number + 1))
        os.utime(path / "journal.jsonl", (1_600_000_000 + number,) * 2)
        made.append(path)
    return made


def no_process(pid: int, start: str) -> bool:
    return False


def test_registrations_that_are_gone_give_way_once_there_are_many(tmp_path: Path) -> None:
    made = registrations(tmp_path, KEPT_REGISTRATIONS + 3)
    assert prune_registrations(str(tmp_path), no_process) == list(map(str, made[:3]))
    assert sorted(tmp_path.iterdir()) == made[3:]
    assert prune_registrations(str(tmp_path), no_process) == []


def test_a_registration_with_a_process_or_with_files_that_a_marker_names_is_kept(
    tmp_path: Path,
) -> None:
    made = registrations(tmp_path, KEPT_REGISTRATIONS + 4)
    write_marker(str(made[1]), marker(registration=f"{tmp_path}#9000"))
    write_marker(str(made[2]), marker(registration=str(tmp_path / "unregistered")))
    (made[3] / "marker.json").write_text("no marker")
    for path in made:
        os.utime(path / "journal.jsonl", (1_600_000_000 + made.index(path),) * 2)
    removed = prune_registrations(str(tmp_path), lambda pid, start: pid == 1)
    assert str(made[0]) not in removed
    assert str(made[1]) not in removed
    assert str(made[2]) in removed
