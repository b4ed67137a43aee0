"""What the address of the start page asks of the table of models.

All of it stands in the address, so that it works without JavaScript and a view can be sent to somebody else.
"""

from __future__ import annotations

from typing import Any, Mapping, NamedTuple
from urllib.parse import urlencode

from ts_retry_ext.snapshot.state import State

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
#: What the table can be sorted by.
COLUMNS = ("state", "model", "version", "workers", "loads", "window", "age")
_LONGEST = 200


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
    def column(self) -> str:
        """Return the column that is sorted by."""
        return self.sort[1:] if self.sort.startswith("-") else self.sort

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


def table_query(query: Mapping[str, str]) -> TableQuery:
    """Return what an address asks; what it asks in vain is named and left out."""
    problems = []
    state, sort, page = query.get("state", ANY), query.get("sort", "state"), query.get("page", "1")
    if state not in _STATES:
        problems.append(f"state is {state[:40]!r}, allowed are {', '.join(_STATES)}")
        state = ANY
    if sort[sort.startswith("-") :] not in COLUMNS:
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
