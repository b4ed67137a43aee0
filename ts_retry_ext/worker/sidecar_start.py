"""Start the sidecar of this worker's server, where ``retry_sidecar=true`` and none runs."""

from __future__ import annotations

import os
import sys

from ts_retry_ext.store.lock import try_lock
from ts_retry_ext.worker.output import say

TYPE_CHECKING = False  # not from typing, see worker/isolation.py
if TYPE_CHECKING:
    from ts_retry_ext.worker.session import Session

LOCK_FILE = "sidecar.lock"
LOG_FILE = "sidecar.log"

#: Neither the model's directory, which is this process's, nor the current one is to be imported from.
_PROGRAM = """\
import sys
sys.path[:] = [path for path in sys.path if path]
from ts_retry_ext.cli.main import main
sys.exit(main())
"""


def start_sidecar(session: Session) -> None:
    """Start the sidecar in a session of its own, so that it outlives this worker.

    It inherits a lock on a file of this run of the server and keeps it as long as it lives: of all
    the workers that start at once, exactly one starts it, and where it died the next one does.
    It ends with the server. Never raises: a worker is not to fail for want of a sidecar.
    """
    try:
        _start(session)
    except Exception as error:
        say(f"cannot start the sidecar: {error!r}")


def _start(session: Session) -> None:
    folder = os.path.dirname(session.directory)
    lock = try_lock(os.path.join(folder, LOCK_FILE))
    if lock is None:
        return  # It runs.
    try:
        _spawn(session, folder, lock)
    finally:
        os.close(lock)


def _spawn(session: Session, folder: str, lock: int) -> None:
    import subprocess
    from importlib.util import find_spec

    if find_spec("aiohttp") is None:
        say(
            "retry_sidecar is true, but its libraries are missing: pip install 'ts-retry-ext[sidecar]'"
        )
        return
    address = str(session.settings.sidecar_address.value)
    taken = _why_taken(address)
    if taken is not None:
        say(
            f"cannot start the sidecar at {address}: {taken}; give this server a "
            "retry_sidecar_address of its own"
        )
        return
    configuration = session.configuration
    # The frontend puts the model's directory first on the path of its workers.
    environ = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    if "PYTHONPATH" in configuration.environ:
        environ["PYTHONPATH"] = configuration.environ["PYTHONPATH"]
    command = [sys.executable, "-c", _PROGRAM, "sidecar", "--pid", str(session.frontend.pid)]
    command += ["--exit-with-server", "--log-file", os.path.join(folder, LOG_FILE)]
    log_flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
    log = os.open(os.path.join(folder, LOG_FILE), log_flags, 0o600)
    try:
        started = subprocess.Popen(
            command,
            cwd=configuration.cwd,
            env=environ,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            pass_fds=(lock,),
            start_new_session=True,
        )
    finally:
        os.close(log)
    say(f"started the sidecar, process {started.pid}, at {address}")
    started.returncode = 0  # It is not waited for, and that is no mistake to be warned of.


def _why_taken(address: str) -> str | None:
    """Return why nobody can listen at ``http://HOST:PORT``, or None where somebody can."""
    import socket

    host, _, port = address.partition("://")[2].rpartition(":")
    try:
        kind, *_, where = socket.getaddrinfo(host.strip("[]"), int(port), type=socket.SOCK_STREAM)[
            0
        ]
        with socket.socket(kind, socket.SOCK_STREAM) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            tried.bind(where)
    except OSError as error:
        return error.strerror or str(error)
    return None
