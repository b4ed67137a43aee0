"""The one table of all models on the start page: its rows, in which order, on which page of it. Pure."""

from __future__ import annotations

import re
from collections import Counter
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Sequence, Tuple

from ts_retry_ext.plain_text import in_one_line
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.sidecar.table_query import ANY, DOWN, ORDER, TableQuery
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus
from ts_retry_ext.store.times import to_seconds

#: Rows of one page: 1,000 models make ten of them.
ROWS = 100
_NOTE_LENGTH = 90
_NUMBER = re.compile(r"(\d{1,18})")
_Natural = Tuple[Tuple[str, int], ...]


class Row(NamedTuple):
    """One model in the table.

    Attributes:
        cause: names its cause where it is down, see `CauseCard.id`; else None.
        note: its cause in short, or what else is to be known.
        ready, workers: how many workers have loaded it, of how many; None where that is not known.
        loads: how often it was loaded, likewise.
        window: the retry window in force in seconds, likewise.
        problems: how many problems its retry settings have.
        since: since when it is in its state, ISO 8601 UTC, or None.
    """

    model: ModelStatus
    cause: str | None
    note: str
    ready: int | None
    workers: int | None
    loads: int | None
    window: int | None
    problems: int
    since: str | None


class ModelTable(NamedTuple):
    """The rows to show.

    Attributes:
        rows: those of this page.
        found: how many models the filters leave.
        page, pages: which page of how many.
        states: how many models are in each state, by its word, for the filter.
    """

    rows: Sequence[Row]
    found: int
    total: int
    page: int
    pages: int
    states: Mapping[str, int]

    @property
    def first(self) -> int:
        """Return the number of the first row shown, counted from 1."""
        return (self.page - 1) * ROWS + 1


def rows_of(
    picture: Picture, causes: Mapping[ModelKey, str], progress: Mapping[ModelKey, str]
) -> list[Row]:
    """Return a row for each model.

    Args:
        causes: by model that is down, what names its cause.
        progress: by model that is being resumed, the last step.
    """
    return [
        _row(model, picture, causes.get(model.key), progress.get(model.key))
        for model in picture.models
    ]


def table_of(rows: Iterable[Row], query: TableQuery) -> ModelTable:
    """Return the rows that a query asks for."""
    rows = list(rows)
    found = [row for row in rows if _is_wanted(row, query)]
    # Of those that are alike, the one that needs somebody first, then by name; what is unknown comes last.
    found.sort(key=_by_state)
    key = _KEYS[query.column]
    known = [row for row in found if key(row) is not None]
    known.sort(key=key, reverse=query.sort.startswith("-"))
    found = known + [row for row in found if key(row) is None]
    pages = max(1, -(-len(found) // ROWS))
    page = min(query.page, pages)
    shown = found[(page - 1) * ROWS : page * ROWS]
    states = Counter(row.model.state.value for row in rows)
    return ModelTable(shown, len(found), len(rows), page, pages, states)


def _by_state(row: Row) -> tuple[int, bool, _Natural, _Natural]:
    """Return where a row stands: a model that lost workers comes before those that lost none."""
    model = row.model
    is_whole = not model.can_be_resumed
    return ORDER.index(model.state), is_whole, _natural(model.model), _natural(model.version)


def _natural(text: str) -> _Natural:
    """Return what sorts names as people do: ``model-2`` before ``model-10``, ``9.0`` before ``10.0``."""
    parts = _NUMBER.split(text)
    return tuple(zip(parts[::2], [int(number) for number in parts[1::2]] + [-1]))


#: What each column sorts by. None is shown last, whichever way.
_KEYS: Mapping[str, Callable[[Row], Any]] = {
    "state": lambda row: _by_state(row)[:2],
    "model": lambda row: (_natural(row.model.model), _natural(row.model.version)),
    "version": lambda row: _natural(row.model.version),
    "workers": lambda row: None if row.ready is None else (row.ready, row.workers),
    "loads": lambda row: row.loads,
    "window": lambda row: row.window,
    "age": lambda row: None if row.since is None else -to_seconds(row.since),
}


def _is_wanted(row: Row, query: TableQuery) -> bool:
    state = row.model.state.value
    if query.state == DOWN and not row.model.is_down:
        return False
    if query.state not in (ANY, DOWN, state):
        return False
    if query.cause and query.cause != row.cause:
        return False
    text = f"{row.model.model} {row.model.version} {row.note}".lower()
    return all(word in text for word in query.q.lower().split())


def _row(model: ModelStatus, picture: Picture, cause: str | None, progress: str | None) -> Row:
    workers = model.running.workers if model.running else None
    history = model.registration.history if model.registration else None
    effective = picture.effective_of.get(model.key)
    return Row(
        model=model,
        cause=cause,
        note=in_one_line(_note(model, picture, progress), _NOTE_LENGTH),
        ready=None if workers is None else sum(worker.is_ready for worker in workers),
        workers=None if workers is None else len(workers),
        loads=history.loads if history else None,
        window=effective.max_retry_timeout_sec if effective else model.max_retry_timeout_sec,
        problems=len(effective.problems) if effective else 0,
        since=model.since,
    )


def _note(model: ModelStatus, picture: Picture, progress: str | None) -> str:
    """Return what is to be known of a model besides its state."""
    if progress is not None:
        return f"resuming: {progress}"
    if model.shortfall is not None:
        return model.shortfall
    if model.is_down and model.exception is not None:
        place = model.failing_line
        where = (
            "" if place is None else f" at {place.file}" + (f":{place.line}" if place.line else "")
        )
        return model.exception.type.rpartition(".")[2] + where
    if model.is_down:
        return model.short_cause or model.window_over or ""
    for recovery in picture.recoveries.get(model.key, ()):
        return f"{recovery.stops} failed, {recovery.elapsed_sec:.0f} s of the window have run"
    return picture.why_unknown.get(model.key) or ""
