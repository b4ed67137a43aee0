"""Check several models at once, and end all of it in order when a person has had enough."""

from __future__ import annotations

from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import Callable, Sequence

from ts_retry_ext.check.check_report import CheckReport
from ts_retry_ext.check.loading import Options, check
from ts_retry_ext.trial.interruption import noted

TICK_SEC = 0.2


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
