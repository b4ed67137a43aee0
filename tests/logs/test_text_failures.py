"""What failed is found in a text, whatever loggers, collectors and other processes put around and between it."""

from __future__ import annotations

import pytest

from tests.judge.test_traceback_text import PRINTED
from ts_retry_ext.analyze.judged_failure import FailureJudge
from ts_retry_ext.analyze.text_failures import TextFailure, failures_in
from ts_retry_ext.judge import Failure, Phase
from ts_retry_ext.judge.builtin import BUILTIN_RULES

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
HEAD = "2023-08-02T12:05:41,123 [INFO ] W-9000-resnet_1.0-stdout MODEL_LOG - "
FRONTEND = "2023-08-02T12:05:42,123 [DEBUG] W-9000-resnet_1.0 org.pytorch.serve.wlm.WorkerThread - "
_JUDGE = FailureJudge(BUILTIN_RULES)


def found(text: str) -> tuple[TextFailure, ...]:
    return failures_in(text.encode(), "x", _JUDGE).found


def first(text: str) -> Failure:
    return found(text)[0].judged.failure


def messages(text: str) -> list[str]:
    return [f"{one.judged.failure.type}: {one.judged.failure.message}" for one in found(text)]


def test_each_worker_has_its_own_lines_and_the_first_failure_comes_first() -> None:
    assert messages(INTERLEAVED) == ["KeyError: 'one'", "KeyError: 'other'"]
    assert [frame.function for frame in first(INTERLEAVED).frames] == ["initialize"]


@pytest.mark.parametrize(
    "prefix",
    [
        "",
        HEAD,
        "2021-03-01 10:11:12,123 [INFO ] W-9000-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - ",
        "(EngineCore_0 pid=412) ERROR 08-02 12:05:41 [core.py:700] ",
        "serve-1  | ",
        f"serve-1  | {HEAD}",
        "\x1b[36mserve-1  | \x1b[0m",
        "[rank0]: ",
        "[default3]:",
        f"{HEAD}[rank1]: ",
        "ERROR 05-01 12:00:00 [core.py:700] ",
        "E   ",
        "> ",
        "> > ",
        "    ",
        "   17\t",
        "Apr 23 05:00:36 host app[12]: ",
        "[1,0]<stderr>:",
        "worker-0: ",
        "2024-04-23T05:00:36.460123456Z stderr F ",
        "(ServeController pid=770463) ",
        "(RayWorkerWrapper pid=9, ip=10.0.0.7) ",
        "2023-08-02 12:05:41 | ERROR | app:main:12 - ",
    ],
)
def test_whatever_stands_in_front_of_each_line_is_taken_off(prefix: str) -> None:
    text = "\n".join((prefix + line).rstrip() for line in PRINTED.rstrip("\n").split("\n"))
    failure = first(text)
    assert failure.type == "RuntimeError"
    assert failure.message == "no database\nat all"
    assert [cause.type for cause in failure.chain] == ["ConnectionRefusedError"]
    assert failure.chain[0].errno == 111
    assert [frame.function for frame in failure.frames] == ["<module>", "initialize"]


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("| 1661392703633 | 2022-08-25T01:58:23,450 [INFO ] W-9000-m_1.0-stdout MODEL_LOG - ", "      | AllTraffic/i-0ebe254fbdc09af06 |"),
        ("2024-03-20T05:50:51.648Z | 2024-03-20T05:50:51,530 [INFO ] W-9003-m_1.0-stdout MODEL_LOG - ", " | AllTraffic/i-0cb527de76ac4f29a"),
        ("  | ", ""),
        ("\x1b[36malgo-1-s7ww9_1  |\x1b[0m 2022-04-02T01:32:09,605 [INFO ] W-9068-m_1.0-stdout MODEL_LOG - ", ""),
        ("<tr><td>12</td><td>2022-04-02T01:32:09,605 [INFO ] W-9068-m_1.0-stdout MODEL_LOG - ", "</td></tr>"),
    ],
)  # fmt: skip
def test_tables_are_read(before: str, after: str) -> None:
    text = "\n".join(before + line + after for line in PLAIN.split("\n"))
    assert messages(text) == ["KeyError: 'a'"]


def test_an_exported_log_with_doubled_quotes_is_read() -> None:
    lines = [line.replace('"', '""') for line in PLAIN.split("\n")]
    prefix = '1614272186222,"2021-02-25 16:56:25,900 [INFO ] W-9000-m_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - '
    text = "\n".join(f'{prefix}{line}",AllTraffic/i-03af43d35aa1655b6' for line in lines)
    failure = first(text)
    assert (failure.type, [frame.function for frame in failure.frames]) == ("KeyError", ["f"])


@pytest.mark.parametrize(
    "text",
    [
        FRONTEND + "Backend worker monitoring thread interrupted or backend worker process died., responseTimeout:120sec\njava.lang.InterruptedException: null",
        FRONTEND + "Worker cmdline: [python, ts/model_service_worker.py, --metrics-config, /x/metrics.yaml]",
        "\n".join(f"an ordinary line, number {number}" for number in range(60)),
        "org.pytorch.serve.wlm.WorkerInitializationException: Backend worker did not respond in given time",
    ],
    ids=["a frontend's exception", "a command line", "prose", "Java alone"],
)  # fmt: skip
def test_what_is_no_failure_of_a_worker_decides_nothing(text: str) -> None:
    assert not [one for one in found(text) if one.judged.verdict.rule]


def test_an_exception_without_its_traceback_in_a_log_is_read_alone() -> None:
    lines = [
        f"{HEAD}loading",
        f"{HEAD}it failed: ModuleNotFoundError: No module named 'x'",
        f"{HEAD}bye",
    ]
    assert messages("\n".join(lines)) == ["ModuleNotFoundError: No module named 'x'"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("Command terminated with exit code 137", ["exit code 137 (SIGKILL)"]),
        ("Last State:     Terminated\n  Reason:       OOMKilled\n  Exit Code:    137", ["OOMKilled", "exit code 137"]),
        ("E0423 launch.py] failed (exitcode: -11) local_rank: 0 (pid: 12) of binary: /usr/bin/python", ["exit code -11 (SIGSEGV)"]),
        ("subprocess died with <Signals.SIGABRT: 6>.", ["SIGABRT"]),
        ("ts-0 exited with code 127", ["exit code 127"]),
    ],
)  # fmt: skip
def test_without_an_exception_exit_codes_are_told(text: str, said: list[str]) -> None:
    told = failures_in(text.encode(), "x", _JUDGE)
    assert not told.found
    assert len(told.exits) == len(said)
    assert all(exit_.startswith(start) for exit_, start in zip(told.exits, said))


@pytest.mark.parametrize(
    "text",
    ["> ModuleNotFoundError: No module named 'x'", "E   ModuleNotFoundError: No module named 'x'"],
)
def test_one_line_of_a_paste_is_read_without_what_stands_in_front(text: str) -> None:
    assert messages(text) == ["ModuleNotFoundError: No module named 'x'"]


def test_a_failed_request_is_no_failed_load() -> None:
    lines = [
        "Traceback (most recent call last):",
        '  File "/v/lib/python3.11/site-packages/ts/service.py", line 134, in predict',
        "    ret = self._entry_point(input_batch, self.context)",
        '  File "/m/handler.py", line 30, in handle',
        '    return data["image"]',
        "KeyError: 'image'",
    ]
    failure = first("\n".join(HEAD + line for line in lines))
    assert (failure.message, failure.phase) == ("'image'", Phase.INFERENCE)
