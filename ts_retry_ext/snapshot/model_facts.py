"""What is known of a model, as labeled facts for people: ``ts-retry show`` and the page list the same."""

from __future__ import annotations

from ts_retry_ext.plain_text import outcome_word
from ts_retry_ext.snapshot.down_in_words import ago, next_trial_in_full, trials_in_words, waits_for
from ts_retry_ext.snapshot.model import ModelStatus


def facts_of(model: ModelStatus, now: float, *, server_runs: bool = True) -> dict[str, str]:
    """Return label and text of everything that is known of a model, in the order to show it.

    Args:
        now: seconds since the epoch.
        server_runs: whether its server does; else nothing is tried any more.
    """
    content = model.to_json()
    marker = model.marker
    retired = model.registration.retired if model.registration else None
    window = content["max_retry_timeout_sec"]
    times = {
        name: None if content[name] is None else ago(content[name], now)
        for name in ("since", "first_failure", "last_failure", "repaired_at")
    }
    known = {
        "since": times["since"],
        "next trial": next_trial_in_full(model, now) if server_runs else None,
        "waits for": waits_for(model),
        "trials": trials_in_words(model, now),
        "verdict": outcome_word(content["verdict"], content["basis"] or "")
        if content["verdict"]
        else None,
        "decided by": model.decided_by,
        "reason": content["reason"],
        "remedy": content["remedy"],
        "at": None if model.failing_line is None else model.failing_line.in_words(),
        "phase": content["phase"],
        "scope": content["scope"],
        "fingerprint": content["fingerprint"],
        "action": content["action"],
        "handler": marker.handler if marker else None,
        "files": marker.model_dir if marker else None,
        "worker starts": content["worker_starts"],
        "loads": content["loads"],
        "failures": content["failures"],
        "first failure": times["first_failure"],
        "last failure": times["last_failure"],
        "repaired": times["repaired_at"],
        "window": None if window is None else f"{window} s ({content['max_retry_timeout_source']})",
        "workers before": f"{retired.min_workers} to {retired.max_workers}" if retired else None,
        "state directory": model.directory,
    }
    return {label: str(value) for label, value in known.items() if value is not None}
