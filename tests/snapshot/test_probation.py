"""When a version that is looked at serves, and what keeps it from that."""

from __future__ import annotations

from itertools import chain, repeat

import pytest

from tests.frontend.api import described
from ts_retry_ext.frontend.running_model import running_model
from ts_retry_ext.snapshot import probation
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.probation import Probation
from ts_retry_ext.snapshot.state import State


def status(state: State, *pids: int) -> ModelStatus:
    """Return a model whose workers are these processes, -1 for none."""
    workers = [
        {"id": f"900{number}", "status": "READY", "pid": pid} for number, pid in enumerate(pids)
    ]
    running = running_model(described("m", "2.0", workers=workers), "2.0")
    return ModelStatus("m", "2.0", state, running, None, 300, "default", gave_up=False)


UP, DOWN, AGAIN, THRICE = (
    status(State.SERVING, 11, 21),
    status(State.STARTING, -1, 21),
    status(State.SERVING, 12, 21),
    status(State.SERVING, 12, 22),
)


@pytest.mark.parametrize(
    ("seen", "why"),
    [
        ([UP, UP], None),
        ([UP, DOWN, AGAIN], None),
        ([UP, DOWN, DOWN, DOWN], "it is starting for more than 0 s"),
        ([UP, DOWN, status(State.WAITING, -1, 21), AGAIN], "it is waiting"),
        ([UP, status(State.HALTED, 12, 21)], "it is halted"),
        ([UP, status(State.UNKNOWN, -1, 21), AGAIN], None),
        ([UP, DOWN, AGAIN, THRICE], "its workers ended 2 times"),
        # One that is started besides has not ended.
        ([status(State.SERVING, 11), status(State.SERVING, 11, 21, 31)], None),
        ([UP, None], "it is not registered any more"),
    ],
    ids=lambda value: None if value is None or isinstance(value, str) else len(value),
)
def test_one_worker_that_ended_and_serves_again_keeps_the_version(
    monkeypatch: pytest.MonkeyPatch, seen: list[ModelStatus | None], why: str | None
) -> None:
    monkeypatch.setattr(probation, "POLL_SEC", 0.02)
    looks = chain(seen, repeat(seen[-1]))
    tried = Probation(lambda: next(looks), patience_sec=0.15, most_ends=1)
    assert tried.why_not() is None
    assert tried.why_not(0.1) == why
