"""Show how far the demo is: a table that follows what happens on a terminal, lines for whatever is none."""

from __future__ import annotations

import time
from typing import IO, Protocol, Sequence

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.spinner import Spinner
from rich.table import Table
from rich.text import Text

from ts_retry_ext.demo.model_progress import ModelProgress
from ts_retry_ext.plain_text import visible
from ts_retry_ext.snapshot.state import State

REFRESH_PER_SEC = 5
STYLES = {
    State.SERVING: "green",
    State.HALTED: "bold red",
    State.WAITING: "yellow",
    State.RECOVERING: "yellow",
    State.STARTING: "cyan",
    State.UNKNOWN: "dim",
}
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


class LiveScreen:
    """Keep a table of the models at the bottom of the terminal."""

    def __init__(self, console: Console) -> None:
        self._begun = time.monotonic()
        self._spinner = Spinner("dots")
        self._step = ""
        self._models: Sequence[ModelProgress] = ()
        self._live = Live(
            console=console,
            get_renderable=self._render,
            refresh_per_second=REFRESH_PER_SEC,
            transient=True,
        )
        self._live.start()

    def step(self, text: str) -> None:
        """Leave a line for the step that ends, and show the one that begins beside a spinner."""
        self._leave_line()
        self._step = f"{self._elapsed()}  {visible(text)}"

    def show(self, models: Sequence[ModelProgress]) -> None:
        """Show the models from now on."""
        self._models = models

    def tick(self) -> None:
        """Do nothing: the display refreshes itself."""

    def close(self) -> None:
        """Take the display down, and leave a line for the last step."""
        self._live.stop()
        self._leave_line()

    def _leave_line(self) -> None:
        if self._step:
            self._live.console.print(Text(self._step, "dim"))

    def _elapsed(self) -> str:
        return f"{time.monotonic() - self._begun:5.1f} s"

    def _render(self) -> RenderableType:
        self._spinner.update(text=Text(f"{self._step} ... {self._elapsed().strip()}"))
        return Group(self._spinner, self._table()) if self._models else self._spinner

    def _table(self) -> Table:
        table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), expand=True)
        table.add_column("MODEL", no_wrap=True)
        table.add_column("STARTS", no_wrap=True, justify="right")
        table.add_column("LOADS", no_wrap=True, justify="right")
        table.add_column("WHAT HAPPENS", no_wrap=True, overflow="ellipsis", ratio=1)
        for model in self._models:
            style = STYLES.get(model.state, "")
            counts = [str(count) if count else "-" for count in (model.starts, model.loads)]
            table.add_row(model.model, *counts, Text(_said(model), style))
        return table


def _said(model: ModelProgress) -> str:
    """Return what happens in one line, with the seconds to the next retry counted down."""
    said = {State.HALTED: "held" if model.is_settled else "failed for good"}.get(
        model.state, model.said
    )
    if model.retry_at is not None:
        what = "trial load" if model.state is State.WAITING else "retry"
        said = f"{what} in {max(0.0, model.retry_at - time.time()):.0f} s"
    return visible(f"{said}: {model.cause}" if model.cause else said)
