"""How a resumption ended, in words: whether the model serves, where it failed again, and what is loaded."""

from __future__ import annotations

import os

from ts_retry_ext.frontend.registered import archive_of
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.plain_text import CAUSE_LENGTH, in_one_line
from ts_retry_ext.snapshot.down_in_words import what_ends_it
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.real_load import ResumeResult, Resumption
from ts_retry_ext.store.times import to_seconds


def outcome_in_words(
    done: Resumption, configuration: ServerConfiguration, *, timeout_sec: float, now: float
) -> str:
    """Return what came of a resumption, as a sentence whose subject is the model.

    Args:
        done: what came of it.
        configuration: the server's.
        timeout_sec: how long was waited.
        now: seconds since the epoch.
    """
    if done.result is ResumeResult.SERVES:
        return f"serves again, after {done.seconds:.0f} s"
    status = done.status
    if status is None:
        return "is not registered any more"
    cause = in_one_line(status.cause or "no cause known", CAUSE_LENGTH)
    if done.result is ResumeResult.NOT_YET:
        return f"does not serve after {timeout_sec:g} s: it is {status.state.value}, {cause}"
    place = status.failing_line
    where = "" if place is None else f" at {place.in_words()}"
    ends = what_ends_it(status, now)
    parts = (
        f"has failed again{where}: {cause}.",
        f"It is {status.state.value}. {ends}" if ends else f"It is {status.state.value}.",
        served_copy(status, configuration) or "",
    )
    return " ".join(part for part in parts if part)


def served_copy(status: ModelStatus, configuration: ServerConfiguration) -> str | None:
    """Return in a sentence which copy of an archive is loaded; None for a model in a folder.

    An archive is unpacked once, at registration (0.12.0 ModelArchive.downloadModel): what lies in
    the model store afterwards changes nothing.
    """
    running = status.running
    path = None if running is None else archive_of(running, configuration)
    if running is None or (path is not None and os.path.isdir(path)):
        return None
    name = os.path.basename(path or running.url)
    again = "It counts once it is registered again, or the server is started again."
    if path is not None and _is_newer(path, status):
        return (
            f"{name} in the model store has changed since it was registered, and TorchServe loads "
            f"the copy that it unpacked then. {again}"
        )
    return (
        f"What is loaded is the copy of {name} that TorchServe unpacked at registration. To pack the "
        f"archive again changes nothing by itself. {again}"
    )


def _is_newer(path: str, status: ModelStatus) -> bool:
    """Tell whether an archive has changed since the model's first worker wrote something."""
    records = status.registration.records if status.registration else ()
    try:
        return bool(records) and os.stat(path).st_mtime > to_seconds(records[0].at)
    except OSError:
        return False
