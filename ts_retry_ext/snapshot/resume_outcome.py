"""How a resumption ended, in words: whether the model serves, where it failed again, and what is loaded."""

from __future__ import annotations

import os

from ts_retry_ext.frontend.registered import archive_of
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.snapshot.down_in_words import what_ends_it
from ts_retry_ext.snapshot.real_load import ResumeResult, Resumption


def outcome_in_words(done: Resumption, *, timeout_sec: float, now: float) -> str:
    """Return what came of a resumption, as a sentence whose subject is the model.

    Args:
        timeout_sec: how long was waited.
        now: seconds since the epoch.
    """
    if done.result is ResumeResult.SERVES:
        return f"serves again, after {done.seconds:.0f} s"
    status = done.status
    if status is None:
        return "is not registered any more"
    cause = status.short_cause or "no cause known"
    if done.result is ResumeResult.NOT_YET:
        return f"does not serve after {timeout_sec:g} s: it is {status.state.value}, {cause}"
    place = status.failing_line
    where = "" if place is None else f" at {place.in_words()}"
    ends = what_ends_it(status, now)
    state = f"It is {status.state.value}."
    return f"has failed again{where}: {cause}. {state}{f' {ends}' if ends else ''}"


def served_copy(done: Resumption, configuration: ServerConfiguration) -> str | None:
    """Return in a sentence which copy of an archive was loaded and failed; None where none did.

    An archive is unpacked once, at registration (0.12.0 ModelArchive.downloadModel): what lies in
    the model store afterwards changes nothing. A model in a folder is loaded as it is.
    """
    status = done.status
    if done.result is not ResumeResult.FAILED_AGAIN or status is None or status.running is None:
        return None
    path = archive_of(status.running, configuration)
    if path is not None and os.path.isdir(path):
        return None
    if status.packed_again is not None:
        return (
            f"{os.path.basename(status.packed_again)} in the model store has changed since it was registered. "
            "TorchServe loads the copy that it unpacked then. Register it again (ts-retry deploy), or "
            "restart the server."
        )
    return (
        "TorchServe unpacks an archive once, at registration. If the archive was packed again, register it "
        "again (ts-retry deploy), or restart the server."
    )
