"""Check several models at once, show how far that is, and end it in order when a person has had enough."""

from __future__ import annotations

import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Any, Callable, Protocol, Sequence

from ts_retry_ext.check.check_report import CheckReport
from ts_retry_ext.check.loading import Options, check
from ts_retry_ext.plain_text import visible
from ts_retry_ext.trial.interruption import noted

TICK_SEC = 0.2


class CheckProgress(Protocol):
    """How far a run is."""

    def tell(self, archive: str, stage: str) -> None:
        """Note what is done with an archive now; called from any thread."""

    def done(self, report: CheckReport) -> None:
        """Note the end of one check."""

    def close(self) -> None:
        """Take down what is not to stay."""


class Lines:
    """A line on stderr for each model of several, for logs."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0

    def tell(self, archive: str, stage: str) -> None:
        """Say nothing: a log is for what has happened."""

    def done(self, report: CheckReport) -> None:
        """Print the result."""
        self._count += 1
        if self._total > 1:
            said = f"[{self._count}/{self._total}] {report.name}: {report.result.value}"
            print(visible(said), file=sys.stderr, flush=True)

    def close(self) -> None:
        """Do nothing: every line stays."""


class Bar:
    """A bar with what is being done, drawn by rich, which goes when the run ends."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import (
            BarColumn,
            MofNCompleteColumn,
            SpinnerColumn,
            TextColumn,
            TimeElapsedColumn,
        )
        from rich.progress import Progress as RichProgress
        from rich.table import Column

        text = TextColumn(
            "{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True)
        )
        self._lock = threading.Lock()
        self._stages: dict[str, str] = {}
        columns: list[Any] = [SpinnerColumn(), MofNCompleteColumn(), BarColumn(20)]
        columns += [TimeElapsedColumn(), text]
        self._bar = RichProgress(
            *columns, console=Console(stderr=True), transient=True, expand=True
        )
        self._task = self._bar.add_task("", total=total)
        self._bar.start()

    def tell(self, archive: str, stage: str) -> None:
        """Show it."""
        with self._lock:
            self._stages[archive] = stage
        self._show()

    def done(self, report: CheckReport) -> None:
        """Show one more as done."""
        with self._lock:
            self._stages.pop(report.archive, None)
        self._bar.advance(self._task)
        self._show()

    def close(self) -> None:
        """Take the bar down."""
        self._bar.stop()

    def _show(self) -> None:
        with self._lock:
            running = [
                f"{path.rstrip('/').rpartition('/')[2]} {stage}"
                for path, stage in self._stages.items()
            ]
        self._bar.update(self._task, description=visible(", ".join(running)))


def progress_for(total: int) -> CheckProgress:
    """Return what suits stderr."""
    return Bar(total) if sys.stderr.isatty() else Lines(total)


def check_all(
    paths: Sequence[str], options: Options, jobs: int, done: Callable[[CheckReport], None]
) -> list[CheckReport]:
    """Check every archive and folder of `paths`; return the reports in that order.

    Args:
        done: told each report as soon as it is there, from this thread.

    Raises:
        KeyboardInterrupt, SystemExit: the run was ended by a signal; every process is gone, and
            every temporary folder.
        MissingYamlError: there is a configuration, and PyYAML is not installed.
    """
    pool = ThreadPoolExecutor(max_workers=jobs)
    futures: list[Future[CheckReport]] = []
    with noted() as proceed:
        try:
            futures += [pool.submit(check, path, options) for path in paths]
            waiting = set(futures)
            while waiting:
                proceed()
                finished, waiting = wait(waiting, TICK_SEC, FIRST_COMPLETED)
                for future in finished:
                    done(future.result())
            proceed()
            return [future.result() for future in futures]
        finally:
            for future in futures:
                future.cancel()
            options.children.abort()
            pool.shutdown()
