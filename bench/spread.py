"""Say how a handful of measurements spread."""

from __future__ import annotations

import math
import statistics
from typing import Dict, Sequence

#: ``median``, ``p99`` (nearest rank) and ``max``, in the unit of the measurements.
Spread = Dict[str, float]


def spread(values: Sequence[float]) -> Spread:
    """Return how `values`, at least one, spread."""
    return {
        "median": statistics.median(values),
        "p99": percentile(values, 0.99),
        "max": max(values),
    }


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of `values` that at least `share` (0 to 1) of them do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]
