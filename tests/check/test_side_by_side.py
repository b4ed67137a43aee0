from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any

import pytest

from tests.check.models import options
from ts_retry_ext.check import side_by_side


@pytest.mark.parametrize(
    ("number", "raised"), [(signal.SIGINT, KeyboardInterrupt), (signal.SIGTERM, SystemExit)]
)
def test_a_signal_ends_the_run_but_not_in_the_middle_of_a_wait(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    number: signal.Signals,
    raised: type[BaseException],
) -> None:
    """Out of the middle of it, the lock of a future would stay taken, and its thread would hang."""
    whole = []

    def interrupted(waiting: Any, *_: object) -> tuple[set[Any], Any]:
        os.kill(os.getpid(), number)
        time.sleep(0.05)
        whole.append(number)
        return set(), waiting

    monkeypatch.setattr(side_by_side, "wait", interrupted)
    before = signal.getsignal(number)
    with pytest.raises(raised):
        side_by_side.check_all(["absent.mar"], options(tmp_path), 1, lambda _: None)
    assert whole == [number]
    assert signal.getsignal(number) == before
