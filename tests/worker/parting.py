"""A worker with processes of its own that can serve no more, between requests; run by `test_poisoned_worker`.

The command line names the frontend's main class: this process is the frontend.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import socket
import sys
import time
import types

from tests.faults.killing import lay_out, open_worker
from ts_retry_ext.worker.poisoned_worker import SERVICE_MODULE, watch_requests

LONG_SEC = 60.0


def main(folder: str) -> None:
    """Serve a connection, meet a lasting error, read on; print what the frontend sees and when."""
    model_dir = lay_out(folder)
    os.chdir(folder)
    listener = socket.create_server(("127.0.0.1", 0))
    address = listener.getsockname()
    frontend = socket.create_connection(address)
    frontend.settimeout(LONG_SEC)
    started = time.monotonic()
    pid = os.fork()
    if pid == 0:
        _serve(model_dir, listener)
    listener.close()
    process_ids = frontend.recv(100).decode()  # One was forked, one is multiprocessing's.
    end = frontend.recv(100)
    os.waitpid(pid, 0)
    again = socket.create_server(address)  # As the fresh worker does.
    forked, child = map(int, process_ids.split())
    time.sleep(0.2)
    print(
        end, time.monotonic() - started < LONG_SEC / 4, bool(again), _lives(forked), _lives(child)
    )
    os.kill(forked, 9)


def _serve(model_dir: str, listener: socket.socket) -> None:
    session = open_worker(model_dir)
    service = types.ModuleType(SERVICE_MODULE)
    service.logger = logging.getLogger(SERVICE_MODULE)  # type: ignore[attr-defined]
    sys.modules[SERVICE_MODULE] = service
    script = sys.modules["__main__"]
    script.retrieve_msg = lambda _: None  # type: ignore[attr-defined]
    script.worker = types.SimpleNamespace(sock=listener)  # type: ignore[attr-defined]
    connection, _ = listener.accept()
    forked = os.fork()
    if forked == 0:
        time.sleep(LONG_SEC)
        os._exit(0)
    child = multiprocessing.get_context("fork").Process(target=time.sleep, args=(LONG_SEC,))
    child.start()
    watch_requests(session)
    try:
        raise RuntimeError("CUDA error: device-side assert triggered")
    except RuntimeError:
        service.logger.warning("Invoking custom service failed.", exc_info=True)
    connection.sendall(f"{forked} {child.pid}".encode())
    script.retrieve_msg(connection)
    os._exit(5)


def _lives(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


if __name__ == "__main__":
    main(sys.argv[1])
