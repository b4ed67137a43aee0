"""One load as it looks from outside and from inside: what was seen of it, and what it wrote down."""

from __future__ import annotations

from ts_retry_ext.judge import Outcome, redact, secret_values
from ts_retry_ext.judge.judging import cause_printed
from ts_retry_ext.trial.child_processes import Children
from ts_retry_ext.trial.driven_worker import Place, judge_death
from ts_retry_ext.trial.findings import Findings, findings_in
from ts_retry_ext.trial.launch import Launch
from ts_retry_ext.trial.one_load import LoadOutcome, Order, load_once


def observe(
    place: Place, launch: Launch, order: Order, children: Children, *, hide: str | None = None
) -> tuple[LoadOutcome, Findings]:
    """Load the model once, and let a death that nobody wrote down be judged.

    Args:
        place: where.
        launch: how.
        order: what the worker is to do.
        children: the processes of this run.
        hide: the folder that paths in what was found are shown without, or None.

    Raises:
        AbortedError: the run was told to stop.
        OSError: the process that judges a death cannot be started.
    """
    outcome = load_once(place, launch, order, children)
    found = findings_in(place.state_dir, hide)
    if outcome.died and not found.failure:
        judge_death(place, launch, children)
        found = findings_in(place.state_dir, hide)
    output = redact(outcome.output, secret_values(place.environ))
    return outcome, _with_what_was_printed(found, output)


def _with_what_was_printed(found: Findings, output: str) -> Findings:
    """Add what the output says of the cause where the failure's own words settle nothing."""
    failure = found.failure
    if failure is None or failure.verdict != Outcome.UNKNOWN.value:
        return found
    said = cause_printed(output)
    if not said:
        return found
    return found._replace(failure=failure._replace(reason=f"{failure.reason or ''} {said}".strip()))
