"""What the start page shows of each cause that models are down for. Pure: it reads nothing."""

from __future__ import annotations

import binascii
from collections import Counter
from typing import Iterable, Mapping, NamedTuple, Sequence
from urllib.parse import quote

from ts_retry_ext.sidecar.picture import Picture, cause_json
from ts_retry_ext.sidecar.resumptions import ResumeProgress
from ts_retry_ext.snapshot.down_in_words import deploy_command, trial_runs_since, waits_for
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus
from ts_retry_ext.snapshot.server_snapshot import SharedCause
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.times import to_text

#: Models of a cause that are named on the start page; the table has all of them.
MOST_NAMED = 12


class CauseCard(NamedTuple):
    """One cause.

    Attributes:
        id: names it in addresses: its fingerprint, or what takes the place of one.
        title: the exception, in one line, or why the server could not register the models.
        place: where in the model's own code it was raised, or None.
        places: how many other places there are among the models.
        states: how many of its models are in which state.
        models: the models, the first ones named.
        since: when the first of them failed since it last served, ISO 8601 UTC, or None.
        last: when one of them failed last, likewise.
        failures, loads: how often, all of them together; None where nobody wrote it down.
        next_trial_at: when the next of their trial loads comes, likewise, or None.
        trial_runs_since: since when a trial load of one of them runs, likewise, or None.
        waits_for: what they wait for, in words, or None.
        reason, remedy: why, as far as the title does not say it, and what to do.
        to_resume: the models that can be resumed; none where the server does not run.
        deploy: the command that serves an archive that was packed again, or None.
        progress: how far a resumption of them is, in words, or None.
        is_resuming: whether one runs.
    """

    id: str
    fingerprint: str | None
    title: str
    place: str | None
    places: int
    states: Sequence[tuple[State, int]]
    models: Sequence[ModelStatus]
    since: str | None
    last: str | None
    failures: int | None
    loads: int | None
    next_trial_at: str | None
    trial_runs_since: str | None
    waits_for: str | None
    reason: str | None
    remedy: str | None
    rule: str | None
    decided_by: str | None
    to_resume: Sequence[ModelStatus]
    command: str
    deploy: str | None
    progress: str | None
    is_resuming: bool

    @property
    def named(self) -> Sequence[ModelStatus]:
        """Return the models to name."""
        return self.models[:MOST_NAMED]

    @property
    def is_retired(self) -> bool:
        """Tell whether a model of it was scaled to 0."""
        return any(state is State.RETIRED for state, _ in self.states)


def page_of(model: ModelStatus) -> str:
    """Return the path of a model's page."""
    return f"/model/{quoted(model.model)}/{quoted(model.version)}"


def quoted(name: str) -> str:
    """Return a name as a part of an address; what no encoding holds does not lead there."""
    return quote(name, safe="", errors="replace")


def cause_id(cause: SharedCause) -> str:
    """Return what names a cause in addresses."""
    key = cause.models[0].key
    return cause.fingerprint or f"{binascii.crc32(repr(key).encode('utf-8', 'replace')):08x}"


def card_of(
    cause: SharedCause, picture: Picture, progress: Mapping[ModelKey, ResumeProgress]
) -> CauseCard:
    """Return what to show of a cause.

    Args:
        progress: resumptions by model, those that have ended included.
    """
    models, first = cause.models, cause.models[0]
    told = cause_json(first)
    reports = [model.registration.history for model in models if model.registration]
    server = picture.snapshot.server
    runs = server is not None and server.running
    places = {model.failing_line.in_words() for model in models if model.failing_line}
    since = [model.down_since for model in models if model.down_since is not None]
    last = [h.last_failure.at for h in reports if h.last_failure is not None]
    trials = [model.next_trial_at for model in models if model.next_trial_at] if runs else []
    running = [s for s in map(trial_runs_since, models) if s is not None] if runs else []
    own = [progress[model.key] for model in models if model.key in progress]
    to_resume = [model for model in models if model.can_be_resumed] if runs else []
    states = Counter(model.state for model in models)
    title, reason = told["cause"] or "no cause is known", told["reason"]
    if first.not_registered is not None:
        title, reason = f"Not registered: {title}", None
    return CauseCard(
        id=cause_id(cause),
        fingerprint=told["fingerprint"],
        title=title,
        place=first.failing_line.in_words() if first.failing_line else None,
        places=max(0, len(places) - 1),
        states=states.most_common(),
        models=models,
        since=to_text(min(since)) if since else None,
        last=max(last, default=None),
        failures=sum(h.failures for h in reports) if reports else None,
        loads=sum(h.loads for h in reports) if reports else None,
        next_trial_at=min(trials, default=None),
        trial_runs_since=min(running, default=None),
        waits_for=waits_for(first),
        reason=reason,
        remedy=told["remedy"],
        rule=told["rule"],
        decided_by=first.decided_by,
        to_resume=to_resume,
        command=picture.snapshot.resume_command(to_resume[0])
        if len(to_resume) == 1
        else cause.resume_command,
        deploy=deploy_command(first),
        progress=progress_in_words(own),
        is_resuming=any(one.is_running for one in own),
    )


def progress_in_words(found: Iterable[ResumeProgress]) -> str | None:
    """Return how far resumptions are: ``of 3 models, 2 serve again, 1 is being resumed``; None for none."""
    found = list(found)
    if len(found) < 2:
        return found[0].in_words() if found else None
    counts = Counter(one.result for one in found)
    parts = [
        f"{counts[result]} {one if counts[result] == 1 else more}"
        for result, one, more in _RESULTS
        if counts[result]
    ]
    running = [one for one in found if one.is_running]
    latest = max(running, key=lambda one: one.at, default=None)
    return f"of {len(found)} models, {', '.join(parts)}" + (
        f". {latest.in_words()}" if latest else ""
    )


_RESULTS = (
    ("serves", "serves again", "serve again"),
    ("failed-again", "failed again", "failed again"),
    ("not-yet", "does not serve yet", "do not serve yet"),
    ("failed", "could not be resumed", "could not be resumed"),
    ("resuming", "is being resumed", "are being resumed"),
)
