"""The layout of the state directory.

::

    <state directory>/                 one machine's, given by the settings
        server-<pid>-<start>/          one run of one TorchServe
            server.json                which run this was
            <model>-<crc>/             one registration of one model
                marker.json            why its workers hold, where they do
                journal.jsonl          what its workers did
                lock

A registration is what the frontend unpacked or linked for it, so the same archive registered
twice has two directories, and registering a repaired archive starts with a clean one.
"""

from __future__ import annotations

import binascii
import fcntl
import os
from typing import NamedTuple

from ts_retry_ext.store.atomic import (
    check_directory,
    make_directory,
    make_private_directory,
    trusted_content,
    write_json,
)
from ts_retry_ext.store.shape import spoilt_keys

SERVER_FILE = "server.json"
MARKER_FILE = "marker.json"
JOURNAL_FILE = "journal.jsonl"
LOCK_FILE = "lock"
#: Held by the process that waits with a model whose window is over.
WAITER_LOCK_FILE = "waiter.lock"
_SERVER_PREFIX = "server-"
_MAX_NAME = 60


class ServerRun(NamedTuple):
    """One run of one TorchServe, as ``server.json`` holds it.

    Attributes:
        pid: process id of the frontend.
        start: names its start for good, as `frontend.process.start_of` tells it.
        started_at: its start, seconds since the epoch.
        config_file: the configuration it read, or None.
        torchserve: its version, or None where it could not be told.
    """

    pid: int
    start: str
    started_at: float
    config_file: str | None
    cwd: str
    management_address: str
    torchserve: str | None


def server_directory(state_dir: str, pid: int, start: str) -> str:
    """Return the path for one run of a server."""
    return os.path.join(state_dir, f"{_SERVER_PREFIX}{pid}-{start}")


def model_directory(server_dir: str, name: str, registration: str) -> str:
    """Return the path for one registration of a model.

    The model's name, as far as it is known, is only there to be read by people.
    """
    safe = "".join(c if c.isascii() and (c.isalnum() or c in "._-") else "_" for c in name)
    crc = binascii.crc32(os.fsencode(registration))
    return os.path.join(server_dir, f"{safe[:_MAX_NAME].lstrip('.')}-{crc:08x}")


def create_server_directory(state_dir: str, run: ServerRun) -> str:
    """Create the directory of a server's run where it is missing, and return its path.

    Raises:
        OSError: it cannot be created or used, or belongs to another user.
    """
    _open_state_directory(state_dir)
    path = server_directory(state_dir, run.pid, run.start)
    make_private_directory(path)
    described = os.path.join(path, SERVER_FILE)
    if not os.path.exists(described):
        write_json(described, run._asdict())
    _check_locks(described)
    return path


def _check_locks(path: str) -> None:
    """Raise OSError where files cannot be locked: NFS without a lock daemon, Lustre without flock."""
    descriptor = os.open(path, os.O_RDWR | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        pass  # Somebody holds it, so it can be locked.
    finally:
        os.close(descriptor)


def _open_state_directory(path: str) -> None:
    """Create the state directory where it is missing, private; one that is there is left as it is.

    It may be a mounted volume or a directory that others use too, so its mode is not ours to
    change; what we make in it is private. A volume belongs to root.
    """
    owners = (os.geteuid(), 0)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    if not make_directory(path, owners):
        check_directory(path, owners)


def server_runs(state_dir: str) -> list[str]:
    """Return the paths of all runs under a state directory, the one that began last first."""
    try:
        names = [n for n in os.listdir(state_dir) if n.startswith(_SERVER_PREFIX)]
    except OSError:
        return []
    paths = [os.path.join(state_dir, name) for name in names]
    return sorted(filter(os.path.isdir, paths), key=_begun_at, reverse=True)


def why_unreadable(state_dir: str) -> str | None:
    """Return why runs under a state directory cannot be read, in a sentence; None where they can."""
    try:
        for name in os.listdir(state_dir):
            path = os.path.join(state_dir, name)
            if name.startswith(_SERVER_PREFIX) and os.path.isdir(path):
                os.listdir(path)
    except PermissionError as error:
        whose = _owner_of(error.filename)
        return (
            f"{error.filename} may not be read by user id {os.geteuid()}{whose}: "
            "run this as the server's user"
        )
    except OSError:
        return None
    return None


def _owner_of(path: str) -> str:
    try:
        return f", it belongs to {os.stat(path).st_uid}"
    except OSError:
        return ""  # A folder above it may not be looked into either.


def _begun_at(server_dir: str) -> float:
    """Return when a run's directory was made; what is written into it later changes its own time."""
    for path in (os.path.join(server_dir, SERVER_FILE), server_dir):
        try:
            return os.path.getmtime(path)
        except OSError:  # noqa: PERF203 - it may be gone by now
            pass
    return 0.0


def read_server_run(server_dir: str) -> ServerRun | None:
    """Return which run a directory belongs to, or None where that cannot be told."""
    content = trusted_content(os.path.join(server_dir, SERVER_FILE))
    if any(name not in content for name in ServerRun._fields) or spoilt_keys(content):
        return None
    return ServerRun(*(content[name] for name in ServerRun._fields))


def model_directories(server_dir: str) -> list[str]:
    """Return the paths of all registrations that a server's run knew, by name."""
    try:
        names = sorted(os.listdir(server_dir))
    except OSError:
        return []
    return [p for p in (os.path.join(server_dir, n) for n in names) if os.path.isdir(p)]


def marker_path(model_dir: str) -> str:
    """Return where the marker of the registration kept in `model_dir` lies."""
    return os.path.join(model_dir, MARKER_FILE)
