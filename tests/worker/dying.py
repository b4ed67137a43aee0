"""Workers of one model that are killed one after the other; run by `test_deaths`.

The command line names the frontend's main class: this process is the frontend.
"""

from __future__ import annotations

import json
import os
import signal
import sys

from tests.faults.killing import in_child, lay_out, left, open_worker
from ts_retry_ext.store.record import Event
from ts_retry_ext.worker import guard, startup

WORKERS = 4


def main(folder: str, phase: str) -> None:
    """End workers in ``startup`` or ``load``, ``scaled`` away there, or by a failure that is ``unjudged``.

    With ``twice`` the journal says that each started again in its load, which cannot be.

    Prints which of them held, and what is left.
    """
    model_dir = lay_out(folder)
    os.chdir(folder)
    held = []
    for number in range(WORKERS):
        own = number if phase == "scaled" else 0  # A worker that is scaled up has a new socket.
        held.append(in_child(lambda: _be_killed(model_dir, phase, own)) == 0)  # noqa: B023
    print(json.dumps({"held": held, **left(folder)}))


def _be_killed(model_dir: str, phase: str, number: int) -> None:
    session = open_worker(model_dir, number)
    if startup._judge_crashes(session) is not None:
        return
    watch = guard.LoadGuard(session)
    watch.install()
    if phase != "startup":
        watch._begin(session.name)
    if phase == "unjudged":
        sys.modules["ts_retry_ext.worker.recorder"] = None  # type: ignore[assignment]
        watch.failed(ConnectionRefusedError(111, "refused"))
    if phase == "twice":  # Somebody wrote into the journal.
        session.record(Event.START)
    os.kill(os.getpid(), signal.SIGKILL)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
