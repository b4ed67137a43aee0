from __future__ import annotations

from datetime import datetime, timezone

import pytest

from ts_retry_ext.store.times import now_text, to_seconds, to_text


@pytest.mark.parametrize("seconds", [0.0, 1.5, 1795448245.678, 4102444800.0])
def test_a_time_is_iso_8601_in_utc_and_comes_back(seconds: float) -> None:
    text = to_text(seconds)
    assert text.endswith("Z")
    told = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    assert abs(told.timestamp() - seconds) < 0.001
    assert abs(to_seconds(text) - seconds) < 0.001


def test_now_is_now() -> None:
    assert abs(to_seconds(now_text()) - datetime.now(timezone.utc).timestamp()) < 5


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValueError):
        to_seconds("yesterday")
