"""A worker that holds, until what the command line says happens; run by `test_holder`.

The command line names the frontend's main class: this process is the frontend.
"""

from __future__ import annotations

import os
import socket
import sys
import threading

from tests.faults.killing import fail_to_load, in_child, lay_out, open_worker
from ts_retry_ext.store.marker import remove_marker
from ts_retry_ext.worker import holder, holding, startup
from ts_retry_ext.worker.command_line import WorkerAddress
from ts_retry_ext.worker.holder import hold, hold_connection
from ts_retry_ext.worker.marker_in_force import applicable_marker


def main(folder: str, end: str) -> None:
    """Print with which status a holder ended after ``closed``, ``resumed``, ``replaced`` or ``unregistered``.

    With ``faulty`` it meets a bug of ours; afterwards the next worker may load the model.
    With ``unheard`` nobody connects to it, and it prints its process id before it waits.
    """
    model_dir = lay_out(folder)
    os.chdir(folder)
    in_child(lambda: fail_to_load(open_worker(model_dir)))
    hold_on = {"unheard": _unheard, "faulty": _faulty}.get(end, _heard)
    print(in_child(lambda: os._exit(hold_on(model_dir, end))))
    if end == "faulty":
        assert applicable_marker(open_worker(model_dir)) is None


def _unheard(model_dir: str, _: str) -> int:
    session = open_worker(model_dir)
    session.address = WorkerAddress(os.path.join(model_dir, "socket"), "", 0)
    marker = applicable_marker(session)
    assert marker is not None
    os.write(1, f"{os.getpid()}\n".encode())
    return hold(session, marker)


def _faulty(model_dir: str, _: str) -> int:
    session = open_worker(model_dir)
    marker = applicable_marker(session)
    assert marker is not None
    holder.hold = None  # type: ignore[assignment]
    startup._hold_from_start(session, marker)
    return 0


def _heard(model_dir: str, end: str) -> int:
    session = open_worker(model_dir)
    marker = applicable_marker(session)
    assert marker is not None
    ours, theirs = socket.socketpair()
    package = holding._PACKAGE = model_dir + ".package"
    open(package, "w").close()

    def frontend() -> None:
        theirs.recv(4)
        if end == "closed":
            theirs.close()
        elif end == "replaced":  # As pip does: another file of the same name.
            open(package + ".new", "w").close()
            os.replace(package + ".new", package)
        elif (
            end == "unregistered"
        ):  # As the frontend does, which knows nothing of a worker it scaled down.
            os.rename(model_dir, model_dir + ".gone")
        else:
            remove_marker(session.directory)

    threading.Thread(target=frontend).start()
    return hold_connection(session, marker, ours)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
