from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.frontend.api import described
from tests.sidecar.test_metrics import ALIVE
from tests.snapshot.writing import START, failure, hold, write_journal
from ts_retry_ext.frontend.condition import Condition
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.sidecar.picture import FrontendHealth, Picture
from ts_retry_ext.snapshot.join import status_of
from ts_retry_ext.snapshot.model import ModelStatus, WindowInForce
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.snapshot.server_snapshot import Snapshot
from ts_retry_ext.store.times import to_text

HELD = [{"id": "9000", "status": "UNLOADING", "pid": 3}]


def down(folder: Path, name: str, version: str, *waits_for: str, **changes: Any) -> ModelStatus:
    """Return a version of a model that is down; 1.0 is the default one."""
    write_journal(folder / f"{name}-{version}", failure(1, model=name, version=version))
    changes["next_trial_at"] = to_text(START + 60) if "time" in waits_for else None
    place = folder / f"{name}-{version}"
    hold(place, 3, model=name, version=version, waits_for=waits_for, **changes)
    return status_of(
        running_model(described(name, version, workers=HELD), "1.0"),
        read_registration(str(place)),
        WindowInForce(300, "default"),
        now=START + 5,
        died_by=ALIVE,
    )


def picture(*models: ModelStatus) -> Picture:
    return Picture(1, START + 5, Snapshot(None, models), (), FrontendHealth(Condition.OK))


def test_ping_tells_halted_and_waiting_models_apart(tmp_path: Path) -> None:
    halted = down(tmp_path, "broken", "1.0", "files")
    waiting = down(tmp_path, "weak", "1.0", "files", "time")
    well, content = picture(halted, waiting).ping()

    assert (well, content["status"]) == (False, "Unhealthy")
    assert [told["model"] for told in content["halted"]] == ["broken"]
    (told,) = content["waiting"]
    assert (told["model"], told["state"]) == ("weak", "waiting")
    assert told["next_trial_at"] == to_text(START + 60)
    assert told["waits_for"] == ["files", "time"]


def test_version_that_is_not_the_default_one_is_named_and_changes_nothing(tmp_path: Path) -> None:
    """Nobody asks for it unless he names it: the pod stays in rotation."""
    well, content = picture(down(tmp_path, "m", "2.0", "files")).ping()

    assert (well, content["status"]) == (True, "Healthy")
    (told,) = content["other_versions"]
    assert (told["model"], told["version"], told["state"]) == ("m", "2.0", "halted")
    assert "halted" not in content
