"""What the retries in a log tell of the `maxRetryTimeoutInSec` that was in force."""

from __future__ import annotations

from dataclasses import dataclass

from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC


@dataclass
class WindowBounds:
    """Between which values the window must lie.

    The frontend writes the value nowhere. But at each stop it compares the time since the first
    one with the window, and retries or not (TorchServe 0.12.0 WorkerThread.retry, .isHealthy).

    Attributes:
        more_than_ms: longest time after which it still retried, or None.
        at_most_ms: shortest time after which it retried no more, or None.
        ignored: the value of the configuration that it refused, as it logged it, or None.
    """

    more_than_ms: int | None = None
    at_most_ms: int | None = None
    ignored: str | None = None

    def retried(self, elapsed_ms: int) -> None:
        """Take note of a stop that was retried, `elapsed_ms` after the first one."""
        self.more_than_ms = max(self.more_than_ms or 0, elapsed_ms)

    def gave_up(self, elapsed_ms: int) -> None:
        """Take note of a stop that was not retried any more."""
        if self.at_most_ms is None or elapsed_ms < self.at_most_ms:
            self.at_most_ms = max(0, elapsed_ms)

    def add(self, other: WindowBounds) -> None:
        """Take over what another worker of the same registration tells."""
        if other.more_than_ms is not None:
            self.retried(other.more_than_ms)
        if other.at_most_ms is not None:
            self.gave_up(other.at_most_ms)

    @property
    def default_fits(self) -> bool:
        """Tell whether the default window would have made the same log."""
        window = DEFAULT_WINDOW_SEC * 1000
        return (self.more_than_ms is None or self.more_than_ms < window) and (
            self.at_most_ms is None or window <= self.at_most_ms
        )

    def to_json(self) -> dict[str, object]:
        """Return the JSON form, in seconds."""
        low, high = self.more_than_ms, self.at_most_ms
        return {
            "more_than": None if low is None else low / 1000,
            "at_most": None if high is None else high / 1000,
            "default_fits": self.default_fits,
            "ignored_value": self.ignored,
        }

    def describe(self) -> str | None:
        """Say it in a few words, or return None where the log tells nothing."""
        if self.ignored is not None:
            return f"{DEFAULT_WINDOW_SEC} s ({self.ignored!r} was ignored)"
        low, high = self.more_than_ms, self.at_most_ms
        if high == 0 or (high is not None and low is None and high < 1000):
            return "0 s: no retry"
        if low is None:
            return None if high is None else f"at most {high / 1000:.0f} s"
        told = f"more than {low / 1000:.0f} s"
        if high is not None:
            told = f"{low / 1000:.0f} to {high / 1000:.0f} s"
        return f"{told} (default {DEFAULT_WINDOW_SEC} s fits)" if self.default_fits else told
