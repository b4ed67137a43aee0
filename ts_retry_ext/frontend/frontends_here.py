"""The frontends that run here: those that can be looked into, and why the others cannot."""

from __future__ import annotations

import os
import sys
from typing import Iterable, NamedTuple

from ts_retry_ext.frontend.other_process import has_other_root
from ts_retry_ext.frontend.process import Frontend, frontend_at, is_frontend, user_id_of


def running_frontends() -> list[Frontend]:
    """Return every frontend that can be looked into from here, oldest first."""
    import psutil

    found = (frontend_at(pid) for pid in psutil.pids() if not has_other_root(pid))
    return sorted((f for f in found if f is not None), key=lambda f: f.started_at)


class Unseen(NamedTuple):
    """A frontend that cannot be looked into.

    Attributes:
        why: whose it is and what to do, to follow "a TorchServe".
    """

    pid: int
    why: str


def unseen_frontends() -> list[Unseen]:
    """Return the frontends that run here and cannot be looked into from here.

    Those of another user, whose working directory may not be read, and those of another container,
    whose paths and process ids mean something else. macOS does not tell of either.
    """
    if sys.platform != "linux":
        return []
    import psutil

    found = ((pid, _why_unseen(pid)) for pid in psutil.pids() if is_frontend(pid))
    return [Unseen(pid, why) for pid, why in found if why is not None]


def in_words(unseen: Iterable[Unseen]) -> list[str]:
    """Return a sentence for those that cannot be looked into for the same reason."""
    reasons: dict[str, list[str]] = {}
    for frontend in unseen:
        reasons.setdefault(frontend.why, []).append(str(frontend.pid))
    return [
        f"process {pids[0]} is a TorchServe {why}"
        if len(pids) == 1
        else f"processes {', '.join(pids)} are each a TorchServe {why}"
        for why, pids in reasons.items()
    ]


def _why_unseen(pid: int) -> str | None:
    try:
        os.readlink(f"/proc/{pid}/cwd")
    except PermissionError:
        user = _user_of(pid)
        return f"of user {user}, which this user cannot look into: run this as {user}"
    except OSError:
        return None  # It has ended.
    other = "in another container, whose files and processes are not these: run this in there"
    return other if has_other_root(pid) else None


def _user_of(pid: int) -> str:
    import pwd

    owner = user_id_of(pid)
    try:
        return pwd.getpwuid(owner).pw_name
    except KeyError:
        return f"id {owner}"
