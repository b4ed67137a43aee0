from __future__ import annotations

from dataclasses import replace

from tests.snapshot.test_model import status
from tests.snapshot.writing import failure, marker
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.server_snapshot import causes_of, how_many_are_down
from ts_retry_ext.snapshot.state import State


def down(name: str, fingerprint: str) -> ModelStatus:
    stops = marker(fingerprint=fingerprint)
    return replace(status(failure(1), stops=stops, state=State.HALTED), model=name)


SOUND = replace(status(state=State.SERVING), model="sound")
ALIKE = [down(f"m{number}", "a" * 16) for number in range(7)]
OTHER = down("other", "b" * 16)


def test_models_of_one_fingerprint_have_one_cause_and_the_one_of_most_models_comes_first() -> None:
    first, second = causes_of([OTHER, *ALIKE, SOUND])
    assert first.models == tuple(ALIKE)
    assert first.names == "m0, m1, m2, m3, m4 and 2 more"
    assert second.names == "other"
    (versions,) = causes_of([OTHER, replace(OTHER, version="2.0")])
    assert versions.names == f"other {OTHER.version}, other 2.0"


def test_models_that_do_not_serve_are_counted_with_their_causes() -> None:
    assert how_many_are_down([SOUND]) is None
    assert how_many_are_down([OTHER, SOUND]) == "1 of 2 models does not serve: 1 cause"
    assert how_many_are_down([OTHER, *ALIKE]) == "8 of 8 models do not serve: 2 causes"
    retried = replace(status(failure(1), state=State.RECOVERING), model="retried")
    assert how_many_are_down([OTHER, SOUND, retried]) == (
        "1 of 3 models does not serve: 1 cause; 1 more is retried"
    )
