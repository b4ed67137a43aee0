"""Words of a model's own that look like those of a library halt nothing."""

from __future__ import annotations

import pytest

from ts_retry_ext.judge import Outcome, failure_from_record, judge

FRAMES = [
    ["/x/site-packages/ts/model_loader.py", "load"],
    ["/tmp/models/0123456789abcdef0123456789abcdef/handler.py", "initialize"],
]


@pytest.mark.parametrize(
    "message",
    [
        "planner: unknown task 'replan' after the shift",
        "schema not found: registry has no orders.v4",
        "no such index for Sunday, the indexer runs at noon",
        "model 'churn' not found, publisher is behind",
        "cannot import name days from the calendar service",
        "shape mismatch of the price table, the vendor sends it again",
        "catalog not fully written, 7 of 9 parts",
        "gateway: invalid signature of partner 12",
        "permission denied for database, the owner is asleep",
        "customer account not found in region south",
        "user does not have permission today",
        "cache of bad credentials is full",
        "unsupported architecture of the old plant",
        "volume must be divisible by the lot",
        "engine is not compatible with the winter fuel",
        "please install window blinds in room 4",
        "seat heater is not installed in this trim",
        "stack underflow in formula 9",
        "cannot pickle cucumbers in plant 2",
        "unexpected end of data from sensor 8",
        "central directory has no such person",
        "authentication required by the door of room 4",
        "weights of the parcels are truncated to grams, import is running",
        "file is not a zip file until the upload job has finished",
    ],
)
def test_a_model_that_talks_like_a_library_is_not_halted(message: str) -> None:
    record = {"exc_type": "RuntimeError", "message": message, "frames": FRAMES}
    assert judge(failure_from_record(record)).verdict is not Outcome.NON_RECOVERABLE
