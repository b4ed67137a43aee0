"""The end of the demo for people: a table, and what it comes to in a few sentences."""

from __future__ import annotations

import textwrap
from typing import Iterator, Sequence

from rich.text import Text

from ts_retry_ext.demo.demo_outcome import RETRYING, DemoOutcome
from ts_retry_ext.plain_text import verdict_line, visible
from ts_retry_ext.snapshot.state import State

COLUMNS = ("MODEL", "OUTCOME", "LOADS", "STARTS", "WINDOW", "STOCK RETRIES")
#: Columns of numbers.
RIGHT = (2, 3, 4)
INDENT = "    "
STYLES = {State.SERVING.value: "green", State.HALTED.value: "bold red", RETRYING: "yellow"}
LEGEND = (
    "STARTS: worker processes, the one that holds included. WINDOW: the effective "
    "maxRetryTimeoutInSec. STOCK RETRIES: what TorchServe alone does in that window, computed from "
    "its schedule for loads that take no time."
)


def table_lines(results: Sequence[DemoOutcome], width: int) -> Iterator[Text]:
    """Yield the lines of the table, no wider than `width`.

    Each model has a line of figures, and below it the cause: eight columns side by side would leave
    no room for words.
    """
    rows = [_figures(result) for result in results]
    widths = [max(map(len, column)) for column in zip(COLUMNS, *rows)]
    yield Text(_aligned(COLUMNS, widths), "bold")
    for result, row in zip(results, rows):
        line = Text(_aligned(row, widths))
        begin = widths[0] + 2
        line.stylize(STYLES.get(result.outcome, ""), begin, begin + len(result.outcome))
        yield line
        for text in _wrapped(visible(_words(result)), width, INDENT):
            yield Text(text, "dim")


def closing_lines(
    results: Sequence[DemoOutcome], *, seconds: float, watched_sec: float | None, width: int
) -> Iterator[Text]:
    """Yield what it comes to.

    Args:
        watched_sec: how long TorchServe alone was watched, or None where the package was active.
    """
    summary = _with_package(results) if watched_sec is None else _stock(results, watched_sec)
    wrong = [result.model for result in results if not result.as_expected]
    end = f"It took {seconds:.0f} s."
    if wrong:
        end += f" NOT AS EXPECTED: {', '.join(wrong)}."
    for text in ("", *_wrapped(LEGEND, width), ""):
        yield Text(text, "dim")
    for text in _wrapped(f"{summary} {end}", width):
        yield Text(text, "bold" if wrong else "")


def _with_package(results: Sequence[DemoOutcome]) -> str:
    halted = [result for result in results if result.outcome == State.HALTED.value]
    waiting = [result for result in results if result.outcome == State.WAITING.value]
    down = [*halted, *waiting]
    loads = sum(result.loads for result in down)
    stock_loads = sum(1 + result.stock.retries for result in down if result.stock)
    text = (
        f"{len(down)} of {len(results)} models do not load. They were loaded {loads} times in all; "
        f"TorchServe alone would load them {stock_loads} times, the last time {_last_retry(down)} s "
        f"or more after they first failed. {len(halted)} wait for a change, {len(waiting)} for their "
        "next trial load, because nobody knows their cause."
    )
    for result in results:
        if result.outcome == State.SERVING.value and result.loads > 1:
            text += f" {result.model} {_came_back(result)}, and serves after {result.loads} loads."
    return text


def _came_back(result: DemoOutcome) -> str:
    if not result.outlasts_window:
        return "was left to TorchServe's own retries"
    return f"was tried after TorchServe's window of {result.max_retry_timeout_sec} s"


def _stock(results: Sequence[DemoOutcome], watched_sec: float) -> str:
    failing = [result for result in results if result.outcome == RETRYING]
    starts = sum(result.worker_starts for result in failing)
    return (
        f"The package was switched off. In the {watched_sec:.0f} s that were watched TorchServe "
        f"started {starts} workers for {len(failing)} models that cannot load. It would have gone on "
        f"until {_last_retry(failing)} s or more after they first failed. The causes are "
        "what the last tracebacks in its log end with. With the package: ts-retry demo."
    )


def _last_retry(results: Sequence[DemoOutcome]) -> str:
    """Return when the last retry of all begins, in seconds after a first failure."""
    times = [r.stock.last_retry_at_sec for r in results if r.stock and r.stock.last_retry_at_sec]
    return f"{max(times, default=0.0):.0f}"


def _figures(result: DemoOutcome) -> tuple[str, ...]:
    window = result.max_retry_timeout_sec
    return (
        result.model,
        result.outcome,
        str(result.loads),
        str(result.worker_starts),
        "-" if window is None else f"{window} s",
        _stock_retries(result),
    )


def _stock_retries(result: DemoOutcome) -> str:
    if result.stock is None:
        return "-"
    if result.stock.last_retry_at_sec is None:
        return "none"
    return f"{result.stock.retries}, last at +{result.stock.last_retry_at_sec:.0f} s"


def _words(result: DemoOutcome) -> str:
    """Return verdict, cause and answer in words."""
    parts = []
    if result.cause:
        judged = (
            f"{verdict_line(result.verdict, result.basis or '', result.rule)}: "
            if result.verdict
            else ""
        )
        parts.append(judged + result.cause)
    elif result.outcome == RETRYING:
        parts.append("the process dies without an exception")
    if result.prediction:
        parts.append(f"a prediction answers {result.prediction}")
    return "; ".join(parts) or "no answer to a prediction"


def _aligned(cells: Sequence[str], widths: Sequence[int]) -> str:
    aligned = (
        cell.rjust(width) if number in RIGHT else cell.ljust(width)
        for number, (cell, width) in enumerate(zip(cells, widths))
    )
    return "  ".join(aligned).rstrip()


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    return textwrap.wrap(text, max(width, 40), initial_indent=indent, subsequent_indent=indent)
