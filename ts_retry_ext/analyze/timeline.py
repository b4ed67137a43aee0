"""Counts along the time of a log, in a fixed number of bins that widen as it goes on."""

from __future__ import annotations

from dataclasses import dataclass, field

BINS = 240

EVENTS = ("started", "loaded", "failed", "died")


@dataclass
class Timeline:
    """Count events by time.

    Attributes:
        begin: where the first bin begins, milliseconds since the epoch.
        width_ms: how wide each bin is.
        counts: of each event, by bin.
    """

    begin: int
    width_ms: int = 1000
    counts: dict[str, list[int]] = field(
        default_factory=lambda: {event: [0] * BINS for event in EVENTS}
    )

    def add(self, event: str, at: int) -> None:
        """Count an event; one before the begin counts in the first bin."""
        position = max(0, at - self.begin) // self.width_ms
        while position >= BINS:
            self.widen(self.width_ms * 2)
            position = max(0, at - self.begin) // self.width_ms
        self.counts[event][position] += 1

    def widen(self, width_ms: int) -> None:
        """Make the bins wider; `width_ms` is the present width times a power of two."""
        while self.width_ms < width_ms:
            for counts in self.counts.values():
                pairs = [sum(counts[at : at + 2]) for at in range(0, BINS, 2)]
                counts[:] = pairs + [0] * (BINS - len(pairs))
            self.width_ms *= 2
