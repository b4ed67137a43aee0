"""Read from a journal which processes took a worker's place instead of loading the model."""

from __future__ import annotations

from typing import Sequence

from ts_retry_ext.store.record import HOLDING, Event, Record


def holders_of(records: Sequence[Record], *, released: bool = True) -> set[int]:
    """Return the process ids of the holders.

    Args:
        records: a journal.
        released: whether those that said they stop holding count as well.
    """
    held: set[int] = set()
    for record in records:
        if record.pid is None:
            continue
        if record.event in HOLDING:
            held.add(record.pid)
        elif record.event is Event.RELEASE and not released:
            held.discard(record.pid)
    return held
