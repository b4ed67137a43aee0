from __future__ import annotations

import calendar
from datetime import datetime, timezone

import pytest

from ts_retry_ext.store.times import is_time, now_text, to_seconds, to_text


@pytest.mark.parametrize("seconds", [0.0, 1.5, 1795448245.678, 4102444800.0, -0.5, -3600.25])
def test_a_time_is_iso_8601_in_utc_and_comes_back(seconds: float) -> None:
    text = to_text(seconds)
    assert text.endswith("Z")
    told = datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%fZ").replace(tzinfo=timezone.utc)
    assert abs(told.timestamp() - seconds) < 0.001
    assert abs(to_seconds(text) - seconds) < 0.001


def test_every_month_begins_when_the_calendar_says() -> None:
    for year in (1000, 1600, 1900, *range(1970, 2110), 9999):
        for month in range(1, 13):
            begins = calendar.timegm((year, month, 1, 0, 0, 0))
            assert to_seconds(f"{year}-{month:02}-01T00:00:00.000Z") == begins


def test_now_is_now() -> None:
    assert abs(to_seconds(now_text()) - datetime.now(timezone.utc).timestamp()) < 5


@pytest.mark.parametrize(
    "text", ["yesterday", "", "2026-13-01T00:00:00.000Z", "2026-11-23T16:00:00Z", "0000-01-01T00:00:00.000Z"]
)  # fmt: skip
def test_what_is_no_time_is_refused(text: str) -> None:
    assert not is_time(text)
    with pytest.raises(ValueError, match="is no time such as"):
        to_seconds(text)


def test_a_time_in_digits_of_another_script_or_with_more_behind_it_is_none() -> None:
    """Python takes many characters for digits."""
    text = "2026-11-23T15:04:05.678Z"
    assert is_time(text)
    for at, char in enumerate(text):
        for other in ("٣", "²", " ", "-" if char.isdigit() else "0"):
            assert not is_time(text[:at] + other + text[at + 1 :])
    assert not is_time(text + "\n")
    assert not is_time(text[:-1])
    assert not is_time(None)


@pytest.mark.parametrize(
    "text",
    [
        "2026-00-23T15:04:05.678Z", "2026-11-32T15:04:05.678Z", "2026-11-23T24:04:05.678Z",
        "2026-11-23T15:60:05.678Z", "2026-11-23T15:04:60.678Z",
    ],
)  # fmt: skip
def test_what_no_clock_shows_is_no_time(text: str) -> None:
    assert not is_time(text)
