from __future__ import annotations

import pytest

from ts_retry_ext.archive.schedule import Schedule
from ts_retry_ext.demo.demo_outcome import RETRYING, result_of, stock_schedule
from ts_retry_ext.demo.model_progress import ModelProgress
from ts_retry_ext.demo.models import MODELS, DemoModel
from ts_retry_ext.snapshot.state import State

SOUND = DemoModel("sound", "sound.py", State.SERVING)
BROKEN = DemoModel("broken", "broken.py", State.HALTED)


@pytest.mark.parametrize(
    ("window", "outcome", "loads", "expected"),
    [
        (300, "halted", 1, Schedule(12, 376)),
        (300, RETRYING, 5, Schedule(12, 376)),
        (0, "halted", 1, Schedule(0, None)),
        (300, "serving", 1, Schedule(0, None)),
        (300, "serving", 4, Schedule(3, 4)),
        (300, "recovering", 2, None),
    ],
)
def test_stock_retries_follow_from_window_and_outcome(
    window: float, outcome: str, loads: int, expected: Schedule | None
) -> None:
    assert stock_schedule(window, outcome, loads) == expected


@pytest.mark.parametrize(
    ("model", "state", "prediction", "switched_off", "outcome", "as_expected"),
    [
        (SOUND, State.SERVING, "7", False, "serving", True),
        (SOUND, State.SERVING, None, False, "serving", False),
        (SOUND, State.HALTED, None, False, "halted", False),
        (SOUND, State.SERVING, "7", True, "serving", True),
        (SOUND, State.RECOVERING, None, True, RETRYING, False),
        (BROKEN, State.HALTED, None, False, "halted", True),
        (BROKEN, State.RECOVERING, None, False, "recovering", False),
        (BROKEN, State.STARTING, None, True, RETRYING, True),
        (BROKEN, State.SERVING, "7", True, "serving", False),
    ],
)
def test_what_must_become_of_a_model_is_compared_with_what_did(
    model: DemoModel,
    state: State,
    prediction: str | None,
    switched_off: bool,
    outcome: str,
    as_expected: bool,
) -> None:
    seen = ModelProgress(model.name, state, 2, 1)
    found = result_of(model, seen, None, None, prediction, switched_off=switched_off)
    assert (found.outcome, found.as_expected) == (outcome, as_expected)
    assert found.to_json()["stock"] is None


def test_every_model_has_a_name_of_its_own() -> None:
    assert len({model.name for model in MODELS}) == len(MODELS)
