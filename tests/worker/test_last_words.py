from __future__ import annotations

import logging
from pathlib import Path
from typing import Iterator

import pytest

from ts_retry_ext.worker.last_words import watch_log

LOGS = """
import logging
try:
    raise ConnectionRefusedError(111, "refused")
except Exception as error:
    logging.exception({message!r}, "m", error)
"""


@pytest.fixture(autouse=True)
def _stock_factory() -> Iterator[None]:
    stock = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(stock)


def run(file: Path, message: str) -> None:
    """Run a program at `file` that logs an exception."""
    exec(compile(LOGS.format(message=message), str(file), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(
    ("file", "message", "seen"),
    [
        ("model_service_worker.py", "Failed to load model %s, exception %s", True),
        ("model_service_worker.py", "Load model %s cuda OOM, exception %s", True),
        ("model_service_worker.py", "Backend worker process died. %s %s", True),
        ("model_service_worker.py", "Something else of %s: %s", False),
        ("my_handler.py", "Failed to load model %s: %s, loading the spare one", False),
        ("torch/hub.py", "Failed to load model %s from the cache: %s", False),
    ],
)
def test_only_what_the_worker_script_itself_logs_are_last_words(
    tmp_path: Path, file: str, message: str, seen: bool
) -> None:
    found: list[BaseException] = []
    watch_log(lambda: False, found.append)
    run(tmp_path / file, message)
    assert [type(exc) for exc in found] == [ConnectionRefusedError] * seen


def test_when_it_is_over_the_factory_before_is_back() -> None:
    stock = logging.getLogRecordFactory()
    over = False
    watch_log(lambda: over, lambda _: None)
    assert logging.getLogRecordFactory() is not stock
    over = True
    logging.getLogger("any").warning("a line")
    assert logging.getLogRecordFactory() is stock


def test_a_message_that_cannot_be_put_in_words_harms_nobody() -> None:
    class UnreadableError(Exception):
        def __str__(self) -> str:
            raise ValueError

    watch_log(lambda: False, lambda _: None)
    factory = logging.getLogRecordFactory()
    record = factory("n", logging.ERROR, "p", 1, UnreadableError(), (), (None, None, None))
    assert record.levelno == logging.ERROR
