"""What the trial loads of one server may cost: one at a time, and a share of one core.

The budget is a bucket of processor seconds that fills slowly and that each trial is taken out of. It
lies beside the server's registrations, and its times are those of the system's own clock since boot,
which nobody sets.

Models that wait for the same thing are a group. What one of them finds is true for all of them, so
their trials are spread over time as those of one model that is more urgent the more they are.
"""

from __future__ import annotations

import os
import time
from typing import Any, Mapping

from ts_retry_ext.store.atomic import trusted_content, write_json

BUDGET_FILE = "trials.json"
LOCK_FILE = "trial.lock"
#: Together at most a tenth of one core over any half an hour; `docs/decisions.md` 48 says how they were chosen.
CAPACITY_SEC = 25.0
REFILL_PER_SEC = 1 / 12
#: What has to be left for a trial whose time has just come. It is less for one that is overdue, and
#: nothing after `OVERDUE_SEC`.
RESERVE_SEC, OVERDUE_SEC = 2.0, 3600.0
#: Groups that the file remembers, those that had a trial last.
MAX_GROUPS = 50


def lock_path(directory: str) -> str:
    """Return the lock of trials in a server's or a registration's `directory`."""
    return os.path.join(directory, LOCK_FILE)


def credit(server_dir: str) -> float:
    """Return the processor seconds that trials may take now; one needs more than `least_credit`.

    A file that cannot be read, or is not ours, counts as a full bucket.
    """
    return _credit_in(trusted_content(_path(server_dir)))


def least_credit(overdue_sec: float) -> float:
    """Return the credit that a trial waits for, which is less the longer it has been waiting.

    So models that wait for different things have their turns in order. If the first one to look had
    the trial, one of 50 models would wait for an hour where each could have one in twenty minutes.
    """
    return RESERVE_SEC * (1.0 - min(max(overdue_sec, 0.0), OVERDUE_SEC) / OVERDUE_SEC)


def is_its_turn(server_dir: str, fingerprint: str, overdue_sec: float) -> bool:
    """Tell whether a trial that is due since `overdue_sec` may begin, of a model with such a fingerprint."""
    content = trusted_content(_path(server_dir))
    group = _groups(content).get(fingerprint)
    if group is not None:
        since_last = max(0.0, time.monotonic() - group["at"])
        overdue_sec = since_last * group["models"]
    return _credit_in(content) > least_credit(overdue_sec)


def charge(server_dir: str, processor_sec: float, fingerprint: str = "", models: int = 1) -> None:
    """Take what a trial has cost out of the bucket; the caller holds the server's lock of trials.

    `models` of the server wait with the failure that has this fingerprint. Raises OSError.
    """
    content, now = trusted_content(_path(server_dir)), time.monotonic()
    groups = {name: group for name, group in _groups(content).items() if name != fingerprint}
    if models > 1:
        groups[fingerprint] = {"at": now, "models": models}
    kept = sorted(groups, key=lambda name: float(groups[name]["at"]))[-MAX_GROUPS:]
    write_json(
        _path(server_dir),
        {
            "level": _credit_in(content) - max(0.0, processor_sec),
            "at": now,
            "groups": {name: groups[name] for name in kept},
        },
    )


def _credit_in(content: Mapping[str, Any]) -> float:
    level, at = content.get("level"), content.get("at")
    if not isinstance(level, (int, float)) or not isinstance(at, (int, float)):
        return CAPACITY_SEC
    filled = level + max(0.0, time.monotonic() - at) * REFILL_PER_SEC
    return min(CAPACITY_SEC, filled)


def _groups(content: Mapping[str, Any]) -> dict[str, Mapping[str, float]]:
    """Return the groups that have numbers: time of their last trial, and how many models they have."""
    groups = content.get("groups")
    if not isinstance(groups, dict):
        return {}
    return {
        name: group
        for name, group in groups.items()
        if isinstance(group, dict)
        and all(isinstance(group.get(key), (int, float)) for key in ("at", "models"))
    }


def _path(server_dir: str) -> str:
    return os.path.join(server_dir, BUDGET_FILE)
