"""What is known of a model, as labelled facts for people: ``ts-retry show`` and the page list the same."""

from __future__ import annotations

from ts_retry_ext.snapshot.model import ModelStatus


def facts_of(model: ModelStatus) -> dict[str, str]:
    """Return label and text of everything that is known of a model, in the order to show it."""
    content = model.to_json()
    registration = model.registration
    marker = registration.marker if registration else None
    retired = registration.retired if registration else None
    window = content["max_retry_timeout_sec"]
    known = {
        "verdict": content["verdict"],
        "decided by": model.decided_by,
        "reason": content["reason"],
        "remedy": content["remedy"],
        "phase": content["phase"],
        "scope": content["scope"],
        "fingerprint": content["fingerprint"],
        "action": content["action"],
        "since": content["since"],
        "waits for": ", ".join(content["waits_for"]) or None,
        "next trial": content["next_trial_at"],
        "trials": content["trials"] or None,
        "handler": marker.handler if marker else None,
        "files": marker.model_dir if marker else None,
        "worker starts": content["worker_starts"],
        "loads": content["loads"],
        "failures": content["failures"],
        "first failure": content["first_failure"],
        "last failure": content["last_failure"],
        "window": None if window is None else f"{window} s ({content['max_retry_timeout_source']})",
        "workers before": f"{retired.min_workers} to {retired.max_workers}" if retired else None,
        "state directory": registration.directory if registration else None,
    }
    return {label: str(value) for label, value in known.items() if value is not None}
