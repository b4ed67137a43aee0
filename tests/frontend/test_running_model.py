from __future__ import annotations

import pytest

from tests.frontend.api import described
from ts_retry_ext.frontend.running_model import RunningModel, RunningWorker, running_model


def test_python_workers_are_in_reach() -> None:
    assert RunningModel("m", "1.0", "", 1, 1, (), None, True, True).out_of_reach is None


@pytest.mark.parametrize(
    ("socket", "expected"),
    [("/tmp/.ts.sock.9000", True), ("127.0.0.1:9000", True), ("/tmp/.ts.sock.19000", False)],
)
def test_worker_is_known_by_its_socket(socket: str, expected: bool) -> None:
    assert RunningWorker("9000", "READY", 1, None).listens_at(socket) is expected


def test_parameters_are_named_as_in_the_configuration_and_those_that_are_absent_are_left_out() -> (
    None
):
    entry = described(deviceIds=[0, 1], stateful=True, useVenv=False, jobQueueStatus={})

    assert dict(running_model(entry, "1.0").parameters) == {
        "minWorkers": 1,
        "maxWorkers": 2,
        "maxRetryTimeoutInSec": 300,
        "deviceIds": (0, 1),
        "sequenceBatching": True,
        "useVenv": False,
    }
