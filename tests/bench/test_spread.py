from __future__ import annotations

from bench.spread import percentile, spread


def test_a_percentile_is_the_smallest_measurement_that_covers_the_share() -> None:
    assert percentile([4.0, 1.0, 3.0, 2.0], 0.5) == 2.0
    assert percentile([float(each) for each in range(1, 201)], 0.99) == 198.0
    assert percentile([1.0], 0.99) == 1.0


def test_a_spread_is_in_the_unit_of_the_measurements() -> None:
    assert spread([1.0, 2.0, 9.0]) == {"median": 2.0, "p99": 9.0, "max": 9.0}
