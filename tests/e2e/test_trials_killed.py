"""Somebody is killed in the middle of a trial load: nothing is lost, and nobody is left behind."""

from __future__ import annotations

import os
import signal
import time
from typing import Iterator

import psutil
import pytest

from tests.e2e.archives import initialize, pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.store.record import Event, TrialResult

pytestmark = pytest.mark.xdist_group("trials_killed")

#: Fails as nobody knows while there is an outage; a load says who makes it and takes a while, so that it can be caught.
SLOW = initialize(
    """
    import os, time
    where = os.path.join(os.environ["TEMP"], "{}-" + context.model_name)
    with open(where.format("loads"), "w") as file:
        file.write(str(os.getpid()))
    time.sleep(4)
    if os.path.exists(where.format("outage")):
        raise RuntimeError("the frobnicator said no")
    """
)
HELD = "maxRetryTimeoutInSec: 300\nretry: {firstTrial: 3, longestTrialInterval: 6}\n"
OVER = "maxRetryTimeoutInSec: 15\nretry: {firstTrial: 3, longestTrialInterval: 6, maxIdenticalFailures: 1}\n"
PAST = "maxRetryTimeoutInSec: 1\nretry: {firstTrial: 3, longestTrialInterval: 6}\n"


@pytest.fixture
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("killed")
    models = {
        "held": pack(root / "store", "held", SLOW, config="minWorkers: 1\nmaxWorkers: 1\n" + HELD),
        "over": pack(root / "store", "over", SLOW, config="minWorkers: 1\nmaxWorkers: 1\n" + OVER),
        "past": pack(root / "store", "past", SLOW, config="minWorkers: 1\nmaxWorkers: 1\n" + PAST),
    }
    running = TorchServe(root, models)
    running.temp.mkdir(parents=True)
    for name in models:
        (running.temp / f"outage-{name}").touch()
    with running:
        yield running


def of_trial(server: TorchServe) -> list[psutil.Process]:
    """Return every process that a trial load of this server has started."""
    found = []
    for process in psutil.process_iter():
        try:
            environ = process.environ()
            if "_TS_RETRY_TRIAL" in environ and environ.get("TEMP") == str(server.temp):
                found.append(process)
        except (psutil.Error, OSError):  # noqa: PERF203 - it ended just now
            continue
    return found


def waiters(server: TorchServe, model: str) -> list[psutil.Process]:
    """Return the processes that wait with a model, the one that watches over the other first."""
    sockets = {record.socket for record in server.journal_of(model) if record.socket}
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if "ts_retry_ext.worker.waiter" in " ".join(command) and sockets & set(command):
                found.append(process)
        except (psutil.Error, OSError):  # noqa: PERF203
            continue
    return found


def shells(server: TorchServe, model: str) -> list[psutil.Process]:
    """Return the shells that watch over the holders of a model once its window is over."""
    return [process for process in waiters(server, model) if process.name() == "sh"]


def is_trying(server: TorchServe, model: str) -> bool:
    """Tell whether a trial load is in the handler: one killed before says nothing of the model."""
    loads = server.temp / f"loads-{model}"
    pid = loads.read_text() if loads.exists() else None
    return pid in [str(process.pid) for process in of_trial(server)]


def end_outage(server: TorchServe, model: str) -> None:
    (server.temp / f"outage-{model}").unlink()


def never_two_at_a_time(server: TorchServe) -> bool:
    """Tell whether no trial of the server began before the one before had ended."""
    steps = [r for name in server.models for r in server.journal_of(name)
             if r.event in (Event.TRIAL, Event.TRIED)]  # fmt: skip
    steps.sort(key=lambda record: record.at)
    begun = [record.event for record in steps]
    return all(not (a is b is Event.TRIAL) for a, b in zip(begun, begun[1:]))


@pytest.mark.nightly
def test_a_holder_that_is_killed_takes_its_trial_along(server: TorchServe) -> None:
    server.wait_for(lambda: is_trying(server, "held"), "a trial load runs", 120)
    holder = next(r.pid for r in reversed(server.journal_of("held")) if r.event is Event.HOLD)
    assert holder is not None
    os.kill(holder, signal.SIGKILL)
    server.wait_for(
        lambda: server.journal_of("held")[-1].event is not Event.TRIAL, "it is written down", 30
    )
    assert server.marker_of("held") is not None
    end_outage(server, "held")
    server.wait_for(lambda: server.is_ready("held"), "it serves by itself", 90)
    assert server.predict("held") == (200, "sound")


@pytest.mark.nightly
def test_after_the_window_a_process_that_waits_and_is_killed_is_replaced(
    server: TorchServe,
) -> None:
    server.wait_for(lambda: server.marker_of("past"), "the window is over", 120)
    marker = server.marker_of("past")
    assert marker is not None
    assert not marker.holds
    server.wait_for(lambda: len(waiters(server, "past")) > 1, "somebody waits", 60)
    guard, *others = sorted(waiters(server, "past"), key=lambda process: process.create_time())
    for process in others:
        process.kill()
    psutil.wait_procs(others, timeout=60)
    server.wait_for(lambda: len(waiters(server, "past")) > 1, "another one waits", 60)
    assert guard.is_running()
    end_outage(server, "past")
    server.wait_for(lambda: server.is_ready("past"), "it serves by itself", 90)
    server.wait_for(lambda: not waiters(server, "past"), "nobody waits any more", 60)


def test_a_holder_that_is_killed_after_the_window_leaves_somebody_who_waits(
    server: TorchServe,
) -> None:
    """The frontend starts none any more."""
    server.wait_for(lambda: shells(server, "over"), "the window is over, the holder is watched", 60)
    holder = next(r.pid for r in reversed(server.journal_of("over")) if r.event is Event.HOLD)
    assert holder is not None
    os.kill(holder, signal.SIGKILL)
    server.wait_for(lambda: len(waiters(server, "over")) > 1, "somebody waits", 60)
    end_outage(server, "over")
    server.wait_for(lambda: server.is_ready("over"), "it serves by itself", 90)
    server.wait_for(lambda: not waiters(server, "over"), "nobody waits any more", 60)


def test_a_load_that_is_killed_is_a_trial_that_failed_and_the_next_one_comes(
    server: TorchServe,
) -> None:
    server.wait_for(lambda: is_trying(server, "held"), "a trial load runs", 120)
    for process in of_trial(server):
        process.kill()
    server.wait_for(
        lambda: any(r.result is TrialResult.FAILED for r in server.journal_of("held")),
        "it is written down",
        90,
    )
    end_outage(server, "held")
    server.wait_for(lambda: server.is_ready("held"), "it serves by itself", 90)
    assert never_two_at_a_time(server)


def test_nobody_is_left_once_the_frontend_is_killed(server: TorchServe) -> None:
    server.wait_for(lambda: is_trying(server, "held"), "a trial load runs", 120)
    server.wait_for(lambda: waiters(server, "past"), "somebody waits", 60)
    server.frontend().kill()
    until = time.monotonic() + 60

    def left() -> list[psutil.Process]:
        return [*of_trial(server), *waiters(server, "past"), *waiters(server, "over")]

    while left() and time.monotonic() < until:
        time.sleep(0.2)
    assert left() == []
