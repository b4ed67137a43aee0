from __future__ import annotations

import pytest

from bench.latency import Prediction, settled_at, slower

LIMIT_MS = 10.0


def _predictions(*spans: float) -> list[Prediction]:
    """Return ten predictions in each span of 5 s, all of which take what `spans` says."""
    return [
        Prediction(5.0 * number + each / 2, took)
        for number, took in enumerate(spans)
        for each in range(10)
    ]


@pytest.mark.parametrize(
    ("spans", "expected"),
    [((5, 5), 0.0), ((50, 5, 5), 5.0), ((50, 5, 50, 5), 15.0), ((5, 5, 50), 15.0)],
)
def test_as_before_is_what_follows_the_last_slow_span(
    spans: tuple[float, ...], expected: float
) -> None:
    assert settled_at(_predictions(*spans), LIMIT_MS) == expected


def test_one_slow_answer_does_not_make_a_slow_span() -> None:
    predictions = [*_predictions(5, 5), Prediction(7.0, 900.0)]
    assert settled_at(predictions, LIMIT_MS) == 0.0
    assert slower(predictions, LIMIT_MS) == 1
