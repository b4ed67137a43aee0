"""Where a version is put in place: nobody else at it, and its archive in the model store."""

from __future__ import annotations

import fcntl
import filecmp
import os
import shutil
import tempfile
from contextlib import contextmanager
from typing import Iterator

from ts_retry_ext.snapshot.observed_server import ObservedServer


class DeploymentError(Exception):
    """The new version was not put in place, and the old one serves. The message is fit for people."""


@contextmanager
def alone(server: ObservedServer, name: str) -> Iterator[None]:
    """Keep others from putting a version of the same model in place meanwhile.

    Raises:
        DeploymentError: somebody does.
        OSError: the lock cannot be made.
    """
    folder = next(iter(server.run_dirs), tempfile.gettempdir())
    path = os.path.join(folder, f"deploy-{server.frontend.pid}-{_safe(name)}.lock")
    lock = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    try:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            msg = f"another ts-retry deploy of {name} runs"
            raise DeploymentError(msg) from error
        yield
    finally:
        os.close(lock)


@contextmanager
def stored(archive: str, store: str, name: str, version: str) -> Iterator[str]:
    """Have the archive in the model store, and take it out again where the block fails.

    Yields its file name there. One that lies there already is used as it is.

    Raises:
        DeploymentError: another archive has the name.
        OSError: it cannot be copied.
    """
    if os.path.realpath(os.path.dirname(os.path.abspath(archive))) == os.path.realpath(store):
        yield os.path.basename(archive)
        return
    ending = ".mar" if archive.endswith(".mar") else ".tar.gz"
    target = os.path.join(store, f"{_safe(name)}-{_safe(version)}{ending}")
    if os.path.exists(target):
        if not filecmp.cmp(archive, target, shallow=False):
            msg = f"{target} is another archive: remove it, or pack this one with another version"
            raise DeploymentError(msg)
        yield os.path.basename(target)
        return
    descriptor, part = tempfile.mkstemp(prefix=".deploy-", dir=store)
    os.close(descriptor)
    try:
        shutil.copyfile(archive, part)
        os.chmod(part, 0o644)
        os.rename(part, target)
    except BaseException:  # Ctrl-C, too: a copy takes its time.
        os.unlink(part)
        raise
    try:
        yield os.path.basename(target)
    except BaseException:
        os.unlink(target)
        raise


def _safe(text: str) -> str:
    """Return a name that an archive gave without what would lead out of a folder."""
    return "".join(c if c.isalnum() or c in "._-" else "_" for c in text).lstrip(".")
