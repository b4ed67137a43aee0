"""Read from a journal which processes took a worker's place instead of loading the model."""

from __future__ import annotations

from typing import Sequence

from ts_retry_ext.store import journal
from ts_retry_ext.store.journal import Record


def holders_of(records: Sequence[Record], *, released: bool = True) -> set[int]:
    """Return the process ids of the holders.

    Args:
        records: a journal.
        released: whether those that said they stop holding count as well.
    """
    held: set[int] = set()
    for record in records:
        if "pid" not in record:
            continue
        if record["event"] == journal.HOLD:
            held.add(int(record["pid"]))
        elif record["event"] == journal.RELEASE and not released:
            held.discard(int(record["pid"]))
    return held
