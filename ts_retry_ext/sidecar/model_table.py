"""The one table of all models on the start page: which rows, in which order, on which page of it.

All of it is asked for with the query of the address, so that it works without JavaScript and a view can be
sent to somebody else. Pure: it reads nothing.
"""

from __future__ import annotations

from collections import Counter
from typing import Any, Callable, Iterable, Mapping, NamedTuple, Sequence
from urllib.parse import urlencode

from ts_retry_ext.plain_text import in_one_line
from ts_retry_ext.sidecar.picture import Picture
from ts_retry_ext.snapshot.model import ModelKey, ModelStatus
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.times import to_seconds, to_text

#: Rows of one page: 1,000 models make ten of them.
ROWS = 100
#: Every state, the ones that need somebody first.
ORDER = (
    State.HALTED,
    State.NOT_REGISTERED,
    State.WAITING,
    State.RETIRED,
    State.RECOVERING,
    State.STARTING,
    State.UNKNOWN,
    State.SERVING,
)
#: Filters that stand for several states.
ANY, DOWN = "any", "down"
_STATES = (ANY, DOWN, *(state.value for state in ORDER))
_LONGEST = 200
_NOTE_LENGTH = 90


class Row(NamedTuple):
    """One model in the table.

    Attributes:
        model: the model.
        cause: names its cause where it is down, see `CauseCard.id`; else None.
        note: its cause in short, or what else is to be known.
        ready, workers: how many workers have loaded it, of how many; None where that is not known.
        loads: how often it was loaded, likewise.
        window: the retry window in force in seconds, likewise.
        problems: how many problems its retry settings have.
        since: since when it is in its state, seconds since the epoch, or None.
    """

    model: ModelStatus
    cause: str | None
    note: str
    ready: int | None
    workers: int | None
    loads: int | None
    window: int | None
    problems: int
    since: float | None

    @property
    def since_text(self) -> str | None:
        """Return `since`, ISO 8601 UTC."""
        return None if self.since is None else to_text(self.since)


class TableQuery(NamedTuple):
    """What the address asks of the table.

    Attributes:
        q: text that name, version or note have; empty for all.
        state: one of the states, ``any`` or ``down``.
        cause: a cause that the models are down for, see `CauseCard.id`; empty for all.
        sort: a column; with a dash before it, the largest first.
        page: which page, from 1.
        reload: ``off`` where the page is not to be asked for again by itself.
        problems: what the address asked in vain, one sentence each.
    """

    q: str = ""
    state: str = ANY
    cause: str = ""
    sort: str = "state"
    page: int = 1
    reload: str = ""
    problems: tuple[str, ...] = ()

    @property
    def filters(self) -> bool:
        """Tell whether models are left out."""
        return bool(self.q or self.cause or self.state != ANY)

    def address(self, **changes: Any) -> str:
        """Return the address of the same table with changes."""
        asked = self._replace(problems=(), **changes)
        known = asked._asdict().items()
        defaults = self._field_defaults
        query = urlencode({k: v for k, v in known if k != "problems" and v != defaults[k]})
        return f"/?{query}#models" if query else "/#models"

    def sorted_by(self, column: str) -> str:
        """Return the address of the table sorted by a column, the other way round if it is already."""
        return self.address(sort=f"-{column}" if self.sort == column else column, page=1)


class ModelTable(NamedTuple):
    """The rows to show.

    Attributes:
        rows: those of this page.
        found: how many models the filters leave.
        total: how many there are.
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


def table_query(query: Mapping[str, str]) -> TableQuery:
    """Return what an address asks; what it asks in vain is named and left out."""
    problems = []
    state, sort, page = query.get("state", ANY), query.get("sort", "state"), query.get("page", "1")
    if state not in _STATES:
        problems.append(f"state is {state[:40]!r}, allowed are {', '.join(_STATES)}")
        state = ANY
    if _column(sort) not in COLUMNS:
        columns = ", ".join(COLUMNS)
        problems.append(
            f"sort is {sort[:40]!r}, allowed are {columns}, with - before it the other way"
        )
        sort = "state"
    if not (page.isascii() and page.isdigit() and int(page[:9]) > 0):
        problems.append(f"page is {page[:40]!r}, allowed are numbers from 1")
        page = "1"
    return TableQuery(
        q=query.get("q", "").strip()[:_LONGEST],
        state=state,
        cause=query.get("cause", "")[:_LONGEST],
        sort=sort,
        page=int(page[:9]),
        reload="off" if query.get("reload") == "off" else "",
        problems=tuple(problems),
    )


def rows_of(
    picture: Picture, causes: Mapping[ModelKey, str], progress: Mapping[ModelKey, str]
) -> list[Row]:
    """Return a row for each model.

    Args:
        picture: what is known.
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
    key = COLUMNS[_column(query.sort)]
    known = [row for row in found if key(row) is not None]
    known.sort(key=key, reverse=query.sort.startswith("-"))
    found = known + [row for row in found if key(row) is None]
    pages = max(1, -(-len(found) // ROWS))
    page = min(query.page, pages)
    shown = found[(page - 1) * ROWS : page * ROWS]
    states = Counter(row.model.state.value for row in rows)
    return ModelTable(shown, len(found), len(rows), page, pages, states)


def _column(sort: str) -> str:
    return sort[1:] if sort.startswith("-") else sort


def _by_state(row: Row) -> tuple[int, bool, str, str]:
    """Return where a row stands: a model that lost workers comes before those that lost none."""
    model = row.model
    return ORDER.index(model.state), not model.can_be_resumed, model.model, model.version


#: What the table can be sorted by. None is shown last, whichever way.
COLUMNS: Mapping[str, Callable[[Row], Any]] = {
    "state": lambda row: _by_state(row)[:2],
    "model": lambda row: (row.model.model, row.model.version),
    "version": lambda row: row.model.version,
    "workers": lambda row: None if row.ready is None else (row.ready, row.workers),
    "loads": lambda row: row.loads,
    "window": lambda row: row.window,
    "age": lambda row: None if row.since is None else -row.since,
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
        since=_since(model),
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


def _since(model: ModelStatus) -> float | None:
    """Return since when a model is in its state: for one that serves, since a worker last loaded it."""
    since = model.down_since
    if since is not None or model.registration is None:
        return since
    loaded = model.state is State.SERVING
    for record in reversed(model.registration.records):
        if record.at and (record.event is Event.LOADED or not loaded):
            return to_seconds(record.at)
    return None
