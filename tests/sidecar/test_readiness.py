from __future__ import annotations

from dataclasses import replace

import pytest

from tests.sidecar.test_story import picture
from tests.snapshot.test_model import status
from tests.snapshot.writing import failure, marker
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.sidecar.readiness import awaited, in_the_way
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State


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
