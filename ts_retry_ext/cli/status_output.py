"""What ``ts-retry status`` prints: a table of the models, and what to do about each that is down."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Sequence

from ts_retry_ext.cli.printing import print_line, print_table, print_wrapped

if TYPE_CHECKING:
    from ts_retry_ext.snapshot.model import ModelStatus
    from ts_retry_ext.snapshot.server_snapshot import SharedCause, Snapshot

CAUSE_LENGTH = 160
#: With more models than this, those that serve are counted and not listed.
MOST_LISTED = 20


def print_models(snapshot: Snapshot, *, every: bool, wide: bool, hook_is_missing: bool) -> None:
    """Print the models of a snapshot, those that do not serve first, and what to do about them.

    Args:
        every: also list those that serve, however many there are.
        wide: also print the place in the code and the fingerprint.
        hook_is_missing: whether the package seems not to be active in the server's workers.
    """
    if snapshot.server is None:
        if not snapshot.problems:
            print_line("no TorchServe runs here, and none has left its state in ./logs")
        _point_to_doctor()
        return
    server = snapshot.server
    ended = "has ended, or runs in another container; this is what its workers left"
    runs = "runs" if server.running else ended
    print_wrapped(
        f"TorchServe {server.torchserve or 'of unknown version'}, process {server.pid}, {runs}; "
        f"management API {server.management}"
    )
    if not server.running:
        _point_to_doctor()
    if not snapshot.models:
        print_line("no model is registered")
        return
    from ts_retry_ext.snapshot.server_snapshot import how_many_are_down

    now = time.time()
    summary = how_many_are_down(snapshot.models)
    if summary is not None:
        print_line(summary)
    columns = (
        *("MODEL", "VERSION", "STATE", "AGE", "STARTS", "LOADS", "TRIAL"),
        *("WINDOW", "VERDICT", "CAUSE"),
        *(("AT", "FINGERPRINT") if wide else ()),
    )
    shown = _shown(snapshot.models, every)
    rows = [_cells(model, now, runs=server.running, wide=wide) for model in shown]
    print_table(
        columns, rows, aside=("VERDICT", "CAUSE", "AT", "FINGERPRINT"), spare=("WINDOW", "STARTS")
    )
    if len(shown) < len(snapshot.models):
        print_line(
            f"{len(snapshot.models) - len(shown)} more serve; ts-retry status --all lists them"
        )
    _print_advice(snapshot, now)
    if server.running and hook_is_missing:
        print_wrapped(
            "No worker of this server has written anything: ts-retry-ext may be switched off or not active in it, or "
            "was installed after its start. Look with: ts-retry doctor"
        )


def _shown(models: Sequence[ModelStatus], every: bool) -> list[ModelStatus]:
    """Return the models to list: those that do not serve first, and of many no others."""
    from ts_retry_ext.snapshot.state import State

    ordered = sorted(models, key=lambda model: not model.is_down)
    if every or len(models) <= MOST_LISTED:
        return ordered
    return [model for model in ordered if model.state is not State.SERVING or model.can_be_resumed]


def _print_advice(snapshot: Snapshot, now: float) -> None:
    """Say what to do about each model, once where several have the same cause."""
    from ts_retry_ext.snapshot.server_snapshot import causes_of

    shared = {
        model.key: cause
        for cause in causes_of(snapshot.models)
        if len(cause.models) > 1
        for model in cause.models
    }
    for model in snapshot.models:
        cause = shared.get(model.key)
        if cause is not None:
            if model is cause.models[0]:
                print_wrapped(_advice_for_all(cause, snapshot, now))
        elif model.not_registered is not None:
            words = f"{model.to_json()['reason']}. {model.not_registered.remedy}"
            print_wrapped(f"{model.model}: {words}")
        elif model.can_be_resumed:
            advice = _advice((model,), snapshot, now, snapshot.resume_command(model))
            print_wrapped(f"{model.model}: {advice}")


def _advice_for_all(cause: SharedCause, snapshot: Snapshot, now: float) -> str:
    from ts_retry_ext.plain_text import in_one_line

    advice = _advice(cause.models, snapshot, now, cause.resume_command)
    why = in_one_line(cause.models[0].short_cause or "no cause is known", CAUSE_LENGTH)
    return f"{len(cause.models)} models ({cause.names}): {_sentence(why)} {advice[:1].upper()}{advice[1:]}"


def _point_to_doctor() -> None:
    """Name a start in this folder that failed."""
    import os

    from ts_retry_ext.logs.server_log import failed_start

    failed = failed_start(os.environ.get("LOG_LOCATION", "logs"))
    if failed is not None:
        print_wrapped(f"The last start here failed, at {failed.at}. See why with: ts-retry doctor")


def is_hook_missing(snapshot: Snapshot) -> bool:
    """Tell whether there are workers, and none of them is known from the state directory."""
    reached = [m for m in snapshot.models if m.running and m.running.workers and not m.out_of_reach]
    return bool(reached) and all(model.registration is None for model in reached)


def _cells(model: ModelStatus, now: float, *, runs: bool, wide: bool) -> tuple[object, ...]:
    from ts_retry_ext.snapshot.down_in_words import age, next_trial

    content = model.to_json()
    window = content["max_retry_timeout_sec"]
    return (
        model.model,
        model.version,
        model.state.value,
        age(model, now) if runs else None,
        content["worker_starts"],
        content["loads"],
        next_trial(model, now) if runs else None,
        None if window is None else f"{window} s ({content['max_retry_timeout_source']})",
        None if model.repaired_at else model.judged,
        _cause(model, now),
        *((_place(model), content["fingerprint"]) if wide else ()),
    )


def _cause(model: ModelStatus, now: float) -> str | None:
    from ts_retry_ext.plain_text import in_one_line
    from ts_retry_ext.snapshot.down_in_words import local_time

    if model.short_cause is None:
        scaled_down = model.running is not None and not model.running.workers
        return "no workers: min_workers is 0" if scaled_down else model.out_of_reach
    cause = in_one_line(model.short_cause, CAUSE_LENGTH)
    repaired = model.repaired_at
    return (
        cause
        if repaired is None
        else f"last failure, repaired {local_time(repaired, now)}: {cause}"
    )


def _place(model: ModelStatus) -> str | None:
    return model.failing_line.in_words() if model.failing_line else None


def _advice(models: Sequence[ModelStatus], snapshot: Snapshot, now: float, command: str) -> str:
    """Say what to do about models with one cause: since when the first is down, when the next is tried."""
    from ts_retry_ext.snapshot.down_in_words import commands_to_try, state_since, what_ends_it
    from ts_retry_ext.store.trial_schedule import RESUME

    model = models[0]
    content = model.to_json()
    runs = snapshot.server is not None and snapshot.server.running
    longest_down = min(models, key=lambda one: one.since or "~")
    tried_next = min(models, key=lambda one: one.next_trial_at or "~")
    parts = [
        state_since(longest_down, now) if model.is_down else "",
        str(content["reason"] or ""),
        f"It failed at {model.failing_line.in_words()}" if model.failing_line else "",
        str(content["remedy"] or ""),
    ]
    if runs and RESUME not in content["waits_for"]:  # Else the remedy says it.
        parts.append(what_ends_it(tried_next, now) or "")
        if model.packed_again is not None:
            parts.append(
                f"{model.packed_again} has changed since TorchServe unpacked it, and a trial load does not see that"
            )
        parts.append(f"To try it now: {commands_to_try(model, command)}")
    *sentences, last = (part for part in parts if part)
    return " ".join([*map(_sentence, sentences), last])


def _sentence(text: str) -> str:
    """Return `text`, which a handler may have written, with its full stop."""
    return text if not text or text.endswith((".", "!", "?", ":", "…")) else text + "."
