"""One process's lines are picked out of a log in which others write too."""

from __future__ import annotations

import pytest

from tests.judge.test_traceback_text import PRINTED
from ts_retry_ext.logs.process_lines import failure_in_log, process_lines

INTERLEAVED = """\
2020-07-10 15:29:40,178 [INFO ] W-9000-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - Traceback (most recent call last):
2020-07-10 15:29:40,178 [INFO ] W-9001-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - Traceback (most recent call last):
2020-07-10 15:29:40,178 [WARN ] W-9000-m_1.0 org.pytorch.serve.wlm.BatchAggregator - Load model failed: m, error: Worker died.
2020-07-10 15:29:40,178 [INFO ] W-9000-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle -   File "/x/handler.py", line 29, in initialize
2020-07-10 15:29:40,179 [DEBUG] W-9000-m_1.0 org.pytorch.serve.wlm.WorkerThread - Backend worker monitoring thread interrupted or backend worker process died.
java.lang.InterruptedException
\tat java.base/java.util.concurrent.locks.AbstractQueuedSynchronizer$ConditionObject.awaitNanos(AbstractQueuedSynchronizer.java:2133)
2020-07-10 15:29:40,180 [INFO ] W-9001-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle -   File "/x/handler.py", line 29, in initialize
2020-07-10 15:29:40,180 [INFO ] W-9000-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - KeyError: 'one'
2020-07-10 15:29:40,181 [INFO ] W-9001-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - KeyError: 'other'
2020-07-10 15:29:40,182 [INFO ] W-9000-m_1.0 org.pytorch.serve.wlm.WorkerThread - Retry worker: 9000 in 1 seconds.
"""

PLAIN = "Traceback (most recent call last):\n  File \"/x/h.py\", line 2, in f\nKeyError: 'a'"


def test_the_lines_of_one_worker_are_picked() -> None:
    failure = failure_in_log(INTERLEAVED)
    assert (failure.type, failure.message) == ("KeyError", "'other'")
    assert [frame.function for frame in failure.frames] == ["initialize"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("| 1661392703633 | 2022-08-25T01:58:23,450 [INFO ] W-9000-m_1.0-stdout MODEL_LOG - ", "      | AllTraffic/i-0ebe254fbdc09af06 |"),
        ("2024-03-20T05:50:51.648Z | 2024-03-20T05:50:51,530 [INFO ] W-9003-m_1.0-stdout MODEL_LOG - ", " | AllTraffic/i-0cb527de76ac4f29a"),
        ("  | ", ""),
        ("\x1b[36malgo-1-s7ww9_1  |\x1b[0m 2022-04-02T01:32:09,605 [INFO ] W-9068-m_1.0-stdout MODEL_LOG - ", ""),
        ("(ServeController pid=770463) ", ""),
    ],
)  # fmt: skip
def test_tables_and_exports_of_logs_are_read(before: str, after: str) -> None:
    text = "\n".join(before + line + after for line in PLAIN.split("\n"))
    failure = failure_in_log(text)
    assert (failure.type, failure.message) == ("KeyError", "'a'")


def test_an_exported_log_with_doubled_quotes_is_read() -> None:
    lines = [line.replace('"', '""') for line in PLAIN.split("\n")]
    prefix = '1614272186222,"2021-02-25 16:56:25,900 [INFO ] W-9000-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - '
    text = "\n".join(f'{prefix}{line}",AllTraffic/i-03af43d35aa1655b6' for line in lines)
    failure = failure_in_log(text)
    assert (failure.type, [frame.function for frame in failure.frames]) == ("KeyError", ["f"])


def test_other_text_comes_back_as_it_is() -> None:
    assert process_lines("a\n  b") == ["a", "  b"]
    assert process_lines("") == [""]


TORCHSERVE = "2023-08-02T12:05:41,123 [INFO ] W-9000-resnet_1.0-stdout MODEL_LOG - "
TORCHSERVE_OLD = "2021-03-01 10:11:12,123 [INFO ] W-9000-resnet_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - "
VLLM = "(EngineCore_0 pid=412) ERROR 08-02 12:05:41 [core.py:700] "
COMPOSE = "serve-1  | "


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        TORCHSERVE,
        TORCHSERVE_OLD,
        VLLM,
        COMPOSE,
        COMPOSE + TORCHSERVE,
        "\x1b[36m" + COMPOSE + "\x1b[0m",
    ],
)
def test_prefixes_of_loggers_are_taken_off(prefix: str) -> None:
    text = "\n".join(prefix + line for line in PRINTED.split("\n"))
    failure = failure_in_log(text)
    assert failure.type == "RuntimeError"
    assert failure.message == "no database\nat all"
    assert [cause.type for cause in failure.chain] == ["ConnectionRefusedError"]
    assert failure.chain[0].errno == 111
    assert [frame.function for frame in failure.frames] == ["<module>", "initialize"]
