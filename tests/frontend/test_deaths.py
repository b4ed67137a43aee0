from __future__ import annotations

import subprocess
import time

import pytest

from ts_retry_ext.frontend import deaths
from ts_retry_ext.frontend.deaths import Deaths
from ts_retry_ext.frontend.process import start_of


def test_a_process_has_died_by_the_first_time_it_was_seen_dead() -> None:
    with subprocess.Popen(["sleep", "60"]) as process:
        start = start_of(process.pid) or ""
        seen = Deaths()
        assert seen(process.pid, start) is None
        process.kill()
    first = seen(process.pid, start)
    assert first == pytest.approx(time.time(), abs=5)
    time.sleep(0.3)
    assert seen(process.pid, start) == pytest.approx(first, abs=0.1)
    # One that looks for the first time knows no more than that it is dead now.
    assert Deaths()(process.pid, start) == pytest.approx(time.time(), abs=0.1)


def test_the_oldest_deaths_give_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deaths, "MANY", 2)
    seen = Deaths()
    for pid in (4_000_001, 4_000_002, 4_000_003):
        seen(pid, "")
    time.sleep(0.3)
    assert seen(4_000_003, "") == pytest.approx(time.time() - 0.3, abs=0.2)
    assert len(seen._seen) == 2
