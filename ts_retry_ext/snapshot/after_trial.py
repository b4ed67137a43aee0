"""What a trial load changes: the marker after a failed one, and who else is to come next."""

from __future__ import annotations

from typing import Iterable, Sequence

from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.times import to_seconds, to_text
from ts_retry_ext.store.trial_schedule import ADDRESS, ELSEWHERE, PATH, RESUME, TIME, next_interval

NON_RECOVERABLE, REPEATED, CRASHED = "non_recoverable", "repeated", "crashed"
#: What two models can wait for together. A module may have come with the files of one of them alone,
#: and what is installed for all is watched by each.
_NAMED = (PATH, ADDRESS)


def marker_after_failure(marker: Marker, failure: Record | None) -> Marker:
    """Return the marker once a trial load has failed, its next trial not yet planned.

    The failure is judged by itself: another one than before can turn weak evidence into strong, and
    back. One that came before, and that nobody knows, goes on being counted.

    Args:
        failure: the trial's failure; None where the trial says nothing about the model.
    """
    counted = marker._replace(trials=marker.trials + 1)
    if failure is None or failure.exception is None:
        return counted
    failures = marker.failures + 1
    same = failure.fingerprint == marker.fingerprint
    if same and failure.verdict != NON_RECOVERABLE and marker.basis in (REPEATED, CRASHED):
        return counted._replace(failures=failures, reason=_repeated(marker, failure, failures))
    return counted._replace(
        failures=failures if same else 1,
        verdict=failure.verdict or marker.verdict,
        basis=failure.basis or marker.basis,
        rule=failure.rule,
        scope=failure.scope or marker.scope,
        reason=failure.reason or "",
        remedy=failure.remedy or "",
        phase=failure.phase or marker.phase,
        fingerprint=failure.fingerprint or marker.fingerprint,
        fingerprint_version=failure.fingerprint_version or marker.fingerprint_version,
        exception=failure.exception,
        waits_for=failure.waits_for or marker.waits_for,
    )


def _repeated(marker: Marker, failure: Record, failures: int) -> str:
    if marker.basis == CRASHED:
        return f"The worker died {failures} times in a row without an exception."
    from ts_retry_ext.judge.verdict import NO_RULE_REASON  # Here: a command needs no rules.

    hints = (failure.reason or "").replace(NO_RULE_REASON, "").strip()
    return f"It failed the same way {failures} times in a row. {hints}".strip()


def with_next_trial(
    marker: Marker,
    *,
    now: float,
    down_since: float,
    took_sec: float,
    first_sec: float,
    longest_sec: float,
    spread: float,
) -> Marker:
    """Return the marker with the time of its next trial load.

    Args:
        marker: with its trials counted.
        down_since: when the model first failed since it last served, seconds since the epoch.
        first_sec: the setting ``first_trial``.
        longest_sec: the setting ``longest_trial_interval``.
        spread: a random number from -1 to 1.
    """
    interval = next_interval(
        marker.waits_for,
        trials=marker.trials,
        took_sec=took_sec,
        down_sec=now - down_since,
        first_sec=first_sec,
        longest_sec=longest_sec,
        spread=spread,
    )
    planned = None if interval is None else to_text(now + interval)
    return marker._replace(next_trial_at=planned)


def marker_to_be_resumed(marker: Marker, why_not: str, at: str, *, tried: bool = True) -> Marker:
    """Return the marker of a model whose workers may load it again, and whom nobody may start.

    Args:
        why_not: why the frontend cannot be asked to start workers.
        at: the present time, ISO 8601 UTC.
        tried: whether a trial load has succeeded; torchrun's ranks get none.
    """
    shown = (
        f"A trial load succeeded at {at}: the cause is gone."
        if tried
        else f"It was to be loaded again at {at}: {marker.reason}"
    )
    return marker._replace(
        waits_for=(RESUME,),
        next_trial_at=None,
        reason=f"{shown} The frontend starts no worker "
        f"by itself any more, and ts-retry cannot ask it to: {why_not}.",
        remedy=f"Run ts-retry resume {marker.model} as a user who may use the management API.",
    )


def down_since(records: Sequence[Record], otherwise: float) -> float:
    """Return when a model first failed since it last served, in seconds since the epoch.

    Args:
        otherwise: the answer where the journal does not say.
    """
    since: float | None = None
    for record in records:
        if record.event is Event.LOADED:
            since = None
        elif since is None and record.is_failure:
            since = to_seconds(record.at)
        elif since is None and record.event is Event.SUMMARY and record.first_failure:
            since = to_seconds(record.first_failure)
    return otherwise if since is None else since


def wait_for_the_same(
    marker: Marker, others: Iterable[tuple[str, Marker]]
) -> list[tuple[str, str]]:
    """Return who waits for what `marker` waited for: directory, and what both have in common.

    A failure that only a change of the model's own files can cure says nothing about another model,
    be its fingerprint the same.
    """
    named = {entry for entry in marker.waits_for if entry.startswith(_NAMED)}
    found = []
    for directory, other in others:
        common = sorted(named.intersection(other.waits_for))
        waits = TIME in other.waits_for or ELSEWHERE in other.waits_for
        if common:
            found.append((directory, common[0].partition(":")[2]))
        elif waits and other.fingerprint == marker.fingerprint:
            found.append((directory, f"failure {marker.fingerprint}"))
    return found
