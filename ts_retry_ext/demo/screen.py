"""Show how far the demo is: lines as things happen, for whatever is no terminal."""

from __future__ import annotations

import time
from typing import IO, Protocol, Sequence

from ts_retry_ext.demo.model_progress import ModelProgress
from ts_retry_ext.plain_text import visible
from ts_retry_ext.snapshot.state import State

#: A line comes at least so often.
QUIET_SEC = 10.0


class Screen(Protocol):
    """Where the demo shows how far it is."""

    def step(self, text: str) -> None:
        """Say what begins now."""

    def show(self, models: Sequence[ModelProgress]) -> None:
        """Show how the models do."""

    def tick(self) -> None:
        """Be told that the demo still lives; called some times a second."""

    def close(self) -> None:
        """Take down what is not to stay."""


class PlainScreen:
    """Print a line for each thing that happens."""

    def __init__(self, stream: IO[str]) -> None:
        self._stream = stream
        self._begun = self._last = time.monotonic()
        self._step = ""
        self._said: dict[str, tuple[str, str]] = {}
        self._waits_for: list[str] = []

    def step(self, text: str) -> None:
        """Print it."""
        self._step = text
        self._print(text)

    def show(self, models: Sequence[ModelProgress]) -> None:
        """Print what is new; that a worker starts or loads is left out, for there are many."""
        for model in models:
            if model.state in (State.UNKNOWN, State.STARTING):
                continue
            said, cause = self._said.get(model.model, ("", ""))
            if said != model.said:
                # Told once is enough: what holds a model is what failed just before.
                news = "" if model.cause in ("", cause) else f": {model.cause}"
                self._print(f"{model.model}: {model.said}{news}")
                self._said[model.model] = (model.said, model.cause)
        self._waits_for = [model.model for model in models if not model.is_settled]

    def tick(self) -> None:
        """Print that it goes on where nothing was printed for a while."""
        if time.monotonic() - self._last > QUIET_SEC:
            names = ", ".join(self._waits_for)
            self._print(f"still waiting for {names}" if names else f"still {self._step}")

    def close(self) -> None:
        """Do nothing: every line stays."""

    def _print(self, text: str) -> None:
        self._last = time.monotonic()
        elapsed = self._last - self._begun
        print(f"{elapsed:6.1f} s  {visible(text)}", file=self._stream, flush=True)
