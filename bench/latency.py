"""Tell from a series of predictions when they were as fast as before again."""

from __future__ import annotations

import statistics
from typing import NamedTuple, Sequence

#: Predictions are compared in spans of so many seconds: one slow answer is not the server's state.
SPAN_SEC = 5.0


class Prediction(NamedTuple):
    """One prediction.

    Attributes:
        at_sec: when it was asked for, in seconds.
        took_ms: until it was answered, in milliseconds.
    """

    at_sec: float
    took_ms: float


def slower(predictions: Sequence[Prediction], limit_ms: float) -> int:
    """Count the predictions that took longer than `limit_ms`."""
    return sum(each.took_ms > limit_ms for each in predictions)


def settled_at(predictions: Sequence[Prediction], limit_ms: float) -> float:
    """Return the end of the last span whose median is above `limit_ms`, in seconds; 0 for none."""
    spans: dict[int, list[float]] = {}
    for each in predictions:
        spans.setdefault(int(each.at_sec / SPAN_SEC), []).append(each.took_ms)
    slow = [span for span, times in spans.items() if statistics.median(times) > limit_ms]
    return (max(slow) + 1) * SPAN_SEC if slow else 0.0
