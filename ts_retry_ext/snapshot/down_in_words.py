"""What a person asks about a model that is down: since when, what it waits for, when it is tried next.

And all that is known of a model as labeled facts, for ``ts-retry show`` and for its page.
"""

from __future__ import annotations

import time

from ts_retry_ext.plain_text import duration_in_words, outcome_word
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.snapshot.model import ModelStatus
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.halt_in_words import how_it_ends, until, waits_for_in_words
from ts_retry_ext.store.record import Event, TrialResult
from ts_retry_ext.store.times import to_seconds
from ts_retry_ext.store.trial_schedule import TIME

#: What ends a trial load in the journal, or takes its place.
_AFTER_TRIAL = (Event.TRIED, Event.RESUME, Event.START, Event.LOADED)


def local_time(at: str, now: float) -> str:
    """Return a time on the clock of this machine, with its zone, and the day if that is another one.

    Args:
        at: the time, ISO 8601 UTC.
    """
    moment, today = time.localtime(to_seconds(at)), time.localtime(now)
    is_today = moment[:3] == today[:3]
    return time.strftime("%H:%M:%S %Z" if is_today else "%Y-%m-%d %H:%M:%S %Z", moment)


def ago(at: str, now: float) -> str:
    """Return a time that has passed, and how long ago that is: ``14:03:02 CET, 2 min ago``."""
    return f"{local_time(at, now)}, {duration_in_words(now - to_seconds(at))} ago"


def trial_runs_since(model: ModelStatus) -> str | None:
    """Return since when a trial load runs, ISO 8601 UTC; None where none does."""
    for record in reversed(model.records):
        if record.event is Event.TRIAL:
            return record.at
        if record.event in _AFTER_TRIAL:
            return None
    return None


def next_trial(model: ModelStatus, now: float) -> str | None:
    """Return when the next trial load comes: ``running``, ``now``, ``in 23 s``; None for not by time."""
    marker = model.marker
    if marker is None or not model.can_be_resumed:
        return None
    if trial_runs_since(model) is not None:
        return "running"
    return None if marker.next_trial_at is None else until(marker.next_trial_at, now)


def next_trial_in_full(model: ModelStatus, now: float) -> str | None:
    """Return the same with the time of the day: ``at 14:05:10 CET, in 23 s``."""
    marker, words = model.marker, next_trial(model, now)
    running = trial_runs_since(model)
    if marker is None or words is None:
        return None
    if running is not None:
        return f"running since {local_time(running, now)}"
    return f"at {local_time(marker.next_trial_at or '', now)}, {words}"


def waits_for(model: ModelStatus) -> str | None:
    """Return what the model waits for, beside its next trial load; None where it is not known."""
    marker = model.marker
    if marker is None:
        return None
    return ", ".join(waits_for_in_words([e for e in marker.waits_for if e != TIME])) or None


def trials_in_words(model: ModelStatus, now: float) -> str | None:
    """Return how many trial loads there were and how the last one ended; None for none."""
    registration = model.registration
    if registration is None or not registration.history.trials:
        return None
    count = registration.history.trials
    last = next((r for r in reversed(registration.records) if r.event is Event.TRIED), None)
    if last is None or last.result is None:
        return str(count)
    how = {TrialResult.LOADED: "succeeded", TrialResult.ERROR: "could not be made"}
    one = ", which" if count == 1 else ", the last one"
    return f"{count}{one} {how.get(last.result, 'failed')} at {ago(last.at, now)}"


def age(model: ModelStatus, now: float) -> str | None:
    """Return for how long a model is in its state: ``91 s``; None where that is not known."""
    return None if model.since is None else duration_in_words(now - to_seconds(model.since))


def state_since(model: ModelStatus, now: float) -> str:
    """Return the state, and since when: ``waiting since 14:03:02 CET, 2 min ago``."""
    marker = model.marker
    if marker is None or not model.is_down:
        return model.state.value
    return f"{model.state.value} since {ago(marker.created_at, now)}"


def what_ends_it(model: ModelStatus, now: float) -> str | None:
    """Return in a sentence what the model waits for and when it is tried; None where that is not known."""
    marker = model.marker
    if model.gave_up and (marker is None or marker.action == OnFatal.OBSERVE):
        return how_it_ends((), None)  # As with TorchServe alone: nobody tries it.
    if marker is None:
        return None
    return how_it_ends(marker.waits_for, next_trial_in_full(model, now))


def deploy_command(model: ModelStatus) -> str | None:
    """Return the command that puts an archive that was packed again in place of the copy that TorchServe unpacked.

    None where no such copy is served, or where time alone may cure the model.
    """
    if model.packed_again is not None:
        return f"ts-retry deploy {model.packed_again}"
    is_copy = model.running is not None and model.running.url.endswith((".mar", ".tar.gz"))
    is_halted = model.can_be_resumed and model.down_as is not State.WAITING
    return "ts-retry deploy ARCHIVE" if is_copy and is_halted else None


def commands_to_try(model: ModelStatus, resume: str) -> str:
    """Return what to run once a model is repaired: the command `resume`, and another one if it was packed again."""
    deploy = deploy_command(model)
    if deploy is None:
        return resume
    if model.packed_again is not None:
        return f"{resume}, or, if it has a version of its own, {deploy}"
    return f"{resume}, or {deploy} if you packed it again"


def facts_of(model: ModelStatus, now: float, *, server_runs: bool = True) -> dict[str, str]:
    """Return label and text of everything that is known of a model, in the order to show it.

    Args:
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
