"""A worker whose load fails four times, beside another one; run by `test_recorder`.

The command line names the frontend's main class: this process is the frontend.
"""

from __future__ import annotations

import os
import sys

from tests.faults.killing import fail_to_load, in_child, lay_out, open_worker
from ts_retry_ext.store.marker import read_marker
from ts_retry_ext.store.record import Event

CAUSES = {
    "unknown": RuntimeError("the frobnicator said no"),
    "known": ModuleNotFoundError("No module named 'acme'", name="acme"),
}


def main(folder: str, cause: str, beside: str) -> None:
    """Print ``halted`` or ``goes on`` after failures of `cause`, ``unknown`` or ``known``.

    The other worker has written `beside`, an event, or nothing.
    """
    model_dir = lay_out(folder)
    os.chdir(folder)
    ready, opened = os.pipe()
    over, end = os.pipe()
    if os.fork() == 0:
        os.close(end)
        session = open_worker(model_dir, number=1)
        if beside:
            session.record(Event(beside))
        os.write(opened, session.directory.encode())
        os.read(over, 1)
        os._exit(0)
    directory = os.read(ready, 4096).decode()
    for _ in range(4):
        assert in_child(lambda: _fail(model_dir, CAUSES[cause])) == 0
    print("halted" if read_marker(directory) else "goes on")


def _fail(model_dir: str, cause: BaseException) -> None:
    fail_to_load(open_worker(model_dir), cause)


if __name__ == "__main__":
    main(*sys.argv[1:4])
