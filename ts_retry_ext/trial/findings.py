"""One load as it looks from outside and from inside: what was seen of it, and what it wrote down."""

from __future__ import annotations

import glob
import json
import os
from typing import Any, NamedTuple

from ts_retry_ext.judge import Outcome, redact, secret_values
from ts_retry_ext.judge.judging import cause_printed
from ts_retry_ext.store import journal
from ts_retry_ext.store.record import FAILURES, Record, record_from_json, record_to_json
from ts_retry_ext.trial.bootstrap import EPILOGUE
from ts_retry_ext.trial.child_processes import Children
from ts_retry_ext.trial.driven_worker import Place, judge_death
from ts_retry_ext.trial.launch import Launch
from ts_retry_ext.trial.one_load import LoadOutcome, Order, load_once


class Findings(NamedTuple):
    """What a worker has written down: its journal, and what it told of itself at its end.

    Attributes:
        failure: the record of the failure that came first, or None.
        peak_memory_bytes: of all ranks together, 0 where none told.
        peak_gpu_memory_bytes: likewise, None where no GPU was used.
        undeclared: packages that no requirement of the archive brings.
    """

    failure: Record | None
    peak_memory_bytes: int
    peak_gpu_memory_bytes: int | None
    undeclared: tuple[str, ...]


def observe(
    place: Place, launch: Launch, order: Order, children: Children, *, hide: str | None = None
) -> tuple[LoadOutcome, Findings]:
    """Load the model once, and let a death that nobody wrote down be judged.

    Paths in what was found are shown without the folder `hide`.

    Raises:
        AbortedError: the run was told to stop.
        OSError: the process that judges a death cannot be started.
    """
    outcome = load_once(place, launch, order, children)
    found = _findings_in(place.state_dir, hide)
    if outcome.died and not found.failure:
        judge_death(place, launch, children)
        found = _findings_in(place.state_dir, hide)
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


def _findings_in(state_dir: str, hide: str | None) -> Findings:
    """Return what the worker's processes have left in `state_dir`.

    Paths are shown without the folder `hide`: a temporary one tells a reader nothing.
    """
    failures = [record for record in journal.read(state_dir) if record.event in FAILURES]
    told = [_content(path) for path in glob.glob(os.path.join(state_dir, EPILOGUE.format("*")))]
    gpu = [e["peak_gpu_memory_bytes"] for e in told if e.get("peak_gpu_memory_bytes") is not None]
    return Findings(
        failure=_without(hide, failures[0]) if failures else None,
        peak_memory_bytes=sum(int(e.get("peak_memory_bytes") or 0) for e in told),
        peak_gpu_memory_bytes=sum(gpu) if gpu else None,
        undeclared=tuple(sorted({name for e in told for name in e.get("undeclared", ())})),
    )


def _without(folder: str | None, record: Record) -> Record | None:
    """Return `record` with `folder` taken out of every path in it."""
    if folder is None:
        return record
    prefix = os.path.realpath(folder) + os.sep
    return record_from_json(_replaced(prefix, record_to_json(record)))


def _replaced(prefix: str, value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _replaced(prefix, item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_replaced(prefix, item) for item in value]
    return value.replace(prefix, "") if isinstance(value, str) else value


def _content(path: str) -> dict[str, Any]:
    """Return what a process has told, nothing where it died in the middle of it."""
    try:
        with open(path, encoding="utf-8") as stream:
            content = json.load(stream)
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
