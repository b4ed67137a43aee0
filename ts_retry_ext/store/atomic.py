"""Write files that are either whole or absent, private to their owner."""

from __future__ import annotations

import json
import os
import stat
import time
from typing import Any

SCHEMA = 1
FILE_MODE = 0o600
DIRECTORY_MODE = 0o700
#: No file of ours is larger; a reader refuses what is, so that a foreign file costs nothing.
MAX_FILE_BYTES = 256 * 1024
#: A temporary file that is older was left by a writer that was killed; in seconds.
LEFTOVER_SEC = 60.0


class UntrustedFileError(Exception):
    """A file is there, but is torn, too large, or from another program or a newer version."""


def write_json(path: str, content: dict[str, Any]) -> None:
    """Write `content`, with our schema, to `path`: to a temporary name beside it, synced, then renamed.

    Raises:
        OSError: the directory is gone, not writable, or the disk is full.
        ValueError: the text would be larger than `MAX_FILE_BYTES`.
    """
    whole = {"schema": SCHEMA, **content}
    data = json.dumps(whole, ensure_ascii=True).encode("ascii") + b"\n"
    if len(data) > MAX_FILE_BYTES:
        msg = f"{path}: {len(data)} bytes, at most {MAX_FILE_BYTES} are written"
        raise ValueError(msg)
    write_bytes(path, data)


def write_bytes(path: str, data: bytes) -> None:
    """Put `data` at `path` in one step: a reader sees the old file or the new one, whole.

    Raises:
        OSError: the directory is gone, not writable, or the disk is full.
    """
    temporary = f"{path}.{os.getpid()}.tmp"
    try:
        with open(temporary, "wb", opener=private) as stream:
            stream.write(data)
            stream.flush()
            os.fchmod(
                stream.fileno(), FILE_MODE
            )  # A handler may have set a umask that bars its owner.
            _give_to_server(stream.fileno(), os.path.dirname(path))
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        remove_quietly(temporary)
        raise
    _sync_directory(os.path.dirname(path))
    _sweep(path)


def read_json(path: str, max_bytes: int = MAX_FILE_BYTES) -> dict[str, Any] | None:
    """Return what `path` holds, or None when there is no such file.

    Raises:
        UntrustedFileError: it is not a whole file of ours in a schema we know.
        OSError: it cannot be read.
    """
    try:
        with open(path, "rb") as stream:
            data = stream.read(max_bytes + 1)
    except FileNotFoundError:
        return None
    if len(data) > max_bytes:
        msg = f"{path} is larger than {max_bytes} bytes"
        raise UntrustedFileError(msg)
    try:
        content = json.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        msg = f"{path} is torn or not JSON: {error}"
        raise UntrustedFileError(msg) from None
    schema = content.get("schema") if isinstance(content, dict) else None
    if schema != SCHEMA:
        msg = f"{path} has schema {schema!r}, this version of ts-retry-ext reads {SCHEMA}"
        raise UntrustedFileError(msg)
    return dict(content)


def trusted_content(path: str) -> dict[str, Any]:
    """Return what `read_json` does, nothing where that cannot be read or trusted. Never raises."""
    try:
        return read_json(path) or {}
    except (OSError, UntrustedFileError):
        return {}


def set_aside(path: str) -> str:
    """Rename an untrusted file out of the way and return its new path; nothing is lost. Raises OSError."""
    aside = path + ".rejected"
    os.replace(path, aside)
    return aside


def make_private_directory(path: str) -> None:
    """Create `path` with mode 0700 where it is missing; its parent is there.

    Raises:
        OSError: it cannot be created or used, or belongs to another user.
    """
    if not make_directory(path, owners=(os.geteuid(),)):
        if os.path.islink(path):
            msg = f"{path} is a symbolic link"
            raise NotADirectoryError(msg)
        if check_directory(path, owners=(os.geteuid(),)) & 0o077:
            os.chmod(path, DIRECTORY_MODE)


def make_directory(path: str, owners: tuple[int, ...]) -> bool:
    """Create `path` with mode 0700; return False where it is there already.

    On some network file systems what we make belongs to somebody else (NFS with root_squash). The
    next process would refuse it, so this one does.

    Raises:
        OSError: it cannot be created, or belongs to none of `owners` (user ids) once it is.
    """
    try:
        os.mkdir(path, DIRECTORY_MODE)
    except FileExistsError:
        return False
    try:
        check_directory(path, owners)
    except OSError:
        os.rmdir(path)
        raise
    return True


def check_directory(path: str, owners: tuple[int, ...]) -> int:
    """Return the mode of the directory `path`, which this process may write.

    Raises:
        OSError: it is no directory, belongs to none of `owners` (user ids), or is not writable.
    """
    status = os.stat(path)
    if not stat.S_ISDIR(status.st_mode):
        msg = f"{path} is not a directory"
        raise NotADirectoryError(msg)
    for owner in (status.st_uid, os.lstat(path).st_uid):  # A link can be somebody else's.
        if owner not in owners:
            msg = f"{path} belongs to user id {owner}, not {os.geteuid()}"
            raise PermissionError(msg)
    if not os.access(path, os.W_OK | os.X_OK):
        msg = f"{path} is not writable"
        raise PermissionError(msg)
    return status.st_mode


def file_identity(path: str) -> tuple[int, int] | None:
    """Return what differs once a file was replaced or written, None where it cannot be looked at."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return (status.st_ino, status.st_mtime_ns)


def private(path: str, flags: int) -> int:
    """Open a file of ours; an `opener` of ``open``."""
    return os.open(path, flags | os.O_NOFOLLOW, FILE_MODE)


def _give_to_server(descriptor: int, folder: str) -> None:
    """Give a file that root writes (``sudo ts-retry resume``) to the server's user, as its folder is."""
    if os.geteuid() == 0:
        status = os.stat(folder)
        if status.st_uid != 0:
            os.fchown(descriptor, status.st_uid, status.st_gid)


def _sync_directory(path: str) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError:
        pass  # Some file systems cannot sync a directory; the rename itself has happened.
    finally:
        os.close(descriptor)


def _sweep(path: str) -> None:
    """Remove what writers of `path` left that were killed before they could rename it."""
    folder, name = os.path.split(path)
    try:
        found = [n for n in os.listdir(folder) if n.startswith(name + ".") and n.endswith(".tmp")]
        for leftover in (os.path.join(folder, other) for other in found):
            if time.time() - os.lstat(leftover).st_mtime > LEFTOVER_SEC:
                os.remove(leftover)
    except OSError:
        pass  # Somebody else has removed it, or it stays.


def remove_quietly(path: str) -> None:
    """Remove a file where that can be. Never raises."""
    try:
        os.remove(path)
    except OSError:
        pass
