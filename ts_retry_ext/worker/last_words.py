"""See what TorchServe's worker script catches and only logs, through the log record that it makes."""

from __future__ import annotations

import logging
import os
from typing import Any, Callable

from ts_retry_ext.worker.command_line import WORKER_SCRIPT
from ts_retry_ext.worker.own_frames import drop_own_frames

#: What the worker script logs when an exception reached it (``ts/model_service_worker.py``).
_LAST_WORDS = ("Backend worker process died", "Load model %s c", "Failed to load model")


def watch_log(is_over: Callable[[], bool], found: Callable[[BaseException], None]) -> None:
    """Let `found` see the exception that ends the worker script, until `is_over`.

    Its traceback is logged without our frames. A handler may log an exception in the very same words and go on: only the script's own count.
    """
    stock = logging.getLogRecordFactory()

    def factory(*args: Any, **kwargs: Any) -> logging.LogRecord:
        record = stock(*args, **kwargs)
        if is_over():
            if logging.getLogRecordFactory() is factory:
                logging.setLogRecordFactory(stock)
            return record
        exc = _exception_of_script(record)
        if exc is not None:
            found(exc)
            drop_own_frames(exc)
        return record

    logging.setLogRecordFactory(factory)


def _exception_of_script(record: object) -> BaseException | None:
    """Return the exception that the worker script logs with `record`, or None. Never raises."""
    message = getattr(record, "msg", None)
    facts = getattr(record, "exc_info", None)
    if not (isinstance(message, str) and message.startswith(_LAST_WORDS)):
        return None
    if os.path.basename(str(getattr(record, "pathname", ""))) != WORKER_SCRIPT:
        return None
    exc = facts[1] if isinstance(facts, tuple) and len(facts) == 3 else None
    return exc if isinstance(exc, BaseException) else None
