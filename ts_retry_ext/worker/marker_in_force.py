"""The marker of this worker's registration, if it has one: whether it obeys, and when it is removed.

A worker imports this only where a marker is there.
"""

from __future__ import annotations

from ts_retry_ext.store.atomic import UntrustedFileError, set_aside
from ts_retry_ext.store.directory import marker_path
from ts_retry_ext.store.marker import Marker, read_marker, remove_marker
from ts_retry_ext.store.record import Event
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.session import Session


def applicable_marker(session: Session) -> Marker | None:
    """Return the marker that this process has to obey, or None.

    A marker that cannot be trusted is set aside. One that was made after the frontend's window
    says what the model waits for; a worker that somebody starts then is to load it.
    """
    marker = standing_marker(session)
    obeyed = marker is not None and marker.holds and marker.means(session.launch)
    return marker if obeyed else None


def standing_marker(session: Session) -> Marker | None:
    """Return the marker of this registration, whichever of its workers it means, or None."""
    try:
        marker = read_marker(session.directory)
    except (UntrustedFileError, OSError) as problem:
        kept = set_aside(marker_path(session.directory))
        say(f"marker ignored, kept as {kept}: {problem}")
        return None
    if marker is None:
        return None
    made_for = (marker.server.pid, marker.registration)
    return marker if made_for == (session.frontend.pid, session.registration) else None


def clear_own_marker(session: Session, why: str) -> None:
    """Remove the marker where it means this worker. Raises OSError."""
    marker = standing_marker(session)
    if marker is not None and marker.means(session.launch):
        clear_marker(session, why)


def clear_marker(session: Session, why: str) -> None:
    """Remove the marker and let counting start anew. Raises OSError."""
    if remove_marker(session.directory):
        session.record(Event.RESUME, reason=why)
        say(f"model {session.name!r} is loaded again: {why}")
