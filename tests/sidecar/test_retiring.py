from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.frontend.api import described
from tests.snapshot.writing import START, failure, marker, record, write_journal
from ts_retry_ext.frontend.other_process import Deaths
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.sidecar.retiring import PATIENCE_SEC, STALE_SEC, Step, next_step
from ts_retry_ext.snapshot.join import status_of
from ts_retry_ext.snapshot.model import ModelStatus, WindowInForce
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.store.atomic import write_json
from ts_retry_ext.store.marker import write_marker
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_text

#: A process id that no process has.
NOBODY = 4_000_000
NOW = START + 1000


def status(
    folder: Path,
    *,
    action: str | None = "retire",
    workers: tuple[tuple[int, str], ...] = (),
    retired_sec_ago: float | None = None,
    holding: tuple[int, ...] = (),
) -> ModelStatus:
    """Return a model with these workers (process id, status), of which some hold."""
    first = (failure(0, NOBODY), record(Event.RELEASE, 1, NOBODY))
    holds = (record(Event.HOLD, 2, pid, f"/tmp/.ts.sock.{pid}") for pid in holding)
    write_journal(folder, *first, *holds)
    if action is not None:
        write_marker(str(folder), marker(action=action))
    if retired_sec_ago is not None:
        at = to_text(NOW - retired_sec_ago)
        kept = {"schema": 1, "min_workers": 2, "max_workers": 4, "at": at}
        write_json(str(folder / "retired.json"), kept)
    entries = [{"id": str(pid), "status": state, "pid": pid} for pid, state in workers]
    entry: dict[str, Any] = described(workers=entries, minWorkers=len(entries))
    model = running_model(entry, "1.0")
    return status_of(
        model,
        read_registration(str(folder)),
        WindowInForce(300, "default"),
        now=NOW,
        died_by=Deaths(),
    )


HELD = {"workers": ((11, "UNLOADING"), (12, "UNLOADING"))}

CASES: list[tuple[str, dict[str, Any], Step | None]] = [
    ("all workers hold", {**HELD, "holding": (11, 12)}, Step.RETIRE),
    ("one still loads", {**HELD, "holding": (11,)}, None),
    ("one serves", {"workers": ((11, "UNLOADING"), (12, "READY")), "holding": (11,)}, None),
    ("only to be held", {**HELD, "holding": (11, 12), "action": "hold"}, None),
    ("nothing wrong", {**HELD, "action": None}, None),
    ("killed before it was scaled down", {**HELD, "holding": (11, 12), "retired_sec_ago": 9}, Step.RETIRE),
    ("retired", {"retired_sec_ago": 1000}, None),
    ("retired, marker removed by hand", {"action": None, "retired_sec_ago": 1000}, Step.GIVE_BACK),
    ("somebody resumes it just now", {"action": None, "retired_sec_ago": PATIENCE_SEC - 1}, None),
    ("held, somebody scales it just now", {"action": "hold", "retired_sec_ago": 30}, None),
    ("held, that somebody was killed", {"action": "hold", "retired_sec_ago": STALE_SEC + 1}, Step.GIVE_BACK),
    ("given back late, the clock was set back", {"action": None, "retired_sec_ago": -86_400}, Step.GIVE_BACK),
    ("scaled to 0 by an operator", {"action": None}, None),
    ("resumed, that somebody was killed", {**HELD, "action": None, "retired_sec_ago": STALE_SEC + 1}, Step.FORGET),
]  # fmt: skip


@pytest.mark.parametrize(("name", "given", "expected"), CASES, ids=[case[0] for case in CASES])
def test_what_is_to_be_done_follows_from_files_and_numbers(
    tmp_path: Path, name: str, given: dict[str, Any], expected: Step | None
) -> None:
    assert next_step(status(tmp_path / "m", **given), NOW, Deaths()) is expected


def test_numbers_that_make_no_sense_are_not_given_back(tmp_path: Path) -> None:
    folder = tmp_path / "m"
    model = status(folder, action=None)
    write_json(str(folder / "retired.json"), {"schema": 1, "min_workers": -1, "max_workers": 4})
    assert read_registration(str(folder)).retired is None
    assert next_step(model, NOW, Deaths()) is None
