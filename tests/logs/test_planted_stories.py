"""A story that is known is planted in noise, in any form, and read back: no more and no less."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path
from typing import Callable, Iterator, NamedTuple

import pytest

from tests.logs.written import JUDGE, analyzed
from ts_retry_ext.analyze.text_failures import failures_in

THREAD = "org.pytorch.serve.wlm.WorkerThread"
#: Exceptions as they are printed: type, lines of the message.
FAULTS = (
    ("ModuleNotFoundError", ["No module named 'left_pad'"]),
    ("KeyError", ["'classifier.bias'"]),
    ("RuntimeError", ["Error(s) in loading state_dict for Net:", "\tsize mismatch for fc.weight: copying a param"]),
    ("ConnectionRefusedError", ["[Errno 111] Connection refused"]),
    ("huggingface_hub.errors.RepositoryNotFoundError", ["401 Client Error. (Request ID: Root=1-2)", "", "Repository Not Found for url: https://huggingface.co/a/b."]),
    ("torch.cuda.OutOfMemoryError", ["CUDA out of memory. Tried to allocate 2.00 GiB"]),
    ("OSError", ["We couldn't connect to 'https://huggingface.co' to load this file", "Checkout your internet connection or see how to run in offline mode."]),
)  # fmt: skip
#: What processes write that is no part of any exception.
CHATTER = (
    "wandb: Network error (ConnectionError), entering retry loop.",
    "2026-11-23 10:00:00 INFO loaded 3 of 7 shards",
    "WARNING:root:certificate verify failed, metrics are off",
    "/opt/x/y.py:12: FutureWarning: torch.load with weights_only=False",
    "[W socket.cpp:601] The client socket has failed to connect: Connection refused",
    "Loading checkpoint shards:  50%|#####     | 1/2 [00:01<00:01,  1.2s/it]",
)
OTHERS = (
    "pool-3-thread-1 TS_METRICS - CPUUtilization.Percent:33.3|#Level:Host|#hostname:h,timestamp:1795463366",
    "epollEventLoopGroup-3-1 ACCESS_LOG - /127.0.0.1:46844 \"GET /ping HTTP/1.1\" 200 1",
    "nioEventLoopGroup-5-2 org.pytorch.serve.http.HttpRequestHandler - Error: responseTimeout:120sec",
)  # fmt: skip
FORMS: tuple[Callable[[int, str], str], ...] = (
    lambda _, line: line,
    lambda _, line: f"[pod/ts-0/kserve-container] {line}",
    lambda number, line: f"2026-11-23T10:00:{number % 60:02}.{number % 997:09}Z {line}",
    lambda number, line: f"{number:6}\t{line}",
    lambda _, line: f"> {line}",
    lambda _, line: f"| 1713848436460 | {line} | AllTraffic/i-0b |",
)


class Story(NamedTuple):
    """Hold what is to be read back, by model: starts, failures, loads that came out well, causes."""

    lines: list[str]
    told: dict[str, tuple[int, int, int, Counter[str]]]


def process(chance: random.Random, port: int, model: str, fault: int | None) -> Iterator[list[str]]:
    """Yield what one process of a worker brings about, in pieces that stay together."""
    frontend, out = f"W-{port}-{model}_1.0 {THREAD} - ", f"W-{port}-{model}_1.0-stdout MODEL_LOG - "
    yield [f"{frontend[:-3].replace('WorkerThread', 'WorkerLifeCycle')} - Worker cmdline: [python]"]
    yield [f"{out}[PID]{chance.randrange(100, 99999)}", f"{out}Torch worker started."]
    yield [f"{frontend}Flushing req.cmd LOAD repeats 1", f"{out}model_name: {model}, batchSize: 1"]
    for _ in range(chance.randrange(3)):
        yield [out + chance.choice(CHATTER)]
    if fault is None:
        yield [f"{frontend}W-{port}-{model}_1.0 State change WORKER_STARTED -> WORKER_MODEL_LOADED"]
        return
    kind, message = FAULTS[fault]
    yield [f"{out}Backend worker process died."]
    yield [f"{out}Traceback (most recent call last):"]
    yield [f'{out}  File "/home/m/{model}.py", line 9, in initialize', f"{out}    self.load()"]
    yield [f'{out}  File "/home/m/{model}.py", line 30, in load', f"{out}    raise error"]
    yield [f"{out}{kind}: {message[0]}", *(out + line for line in message[1:])]
    if chance.random() < 0.5:
        yield [out + chance.choice(CHATTER)]
    yield [
        f"{frontend}Backend worker monitoring thread interrupted or backend worker process died., responseTimeout:120sec",
        "java.lang.InterruptedException: null",
        "\tat org.pytorch.serve.wlm.WorkerThread.run(WorkerThread.java:229) [model-server.jar:?]",
    ]
    yield [
        f"{frontend}W-{port}-{model}_1.0 State change WORKER_STARTED -> WORKER_STOPPED",
        f"{frontend}Retry worker: {port} in 1 seconds.",
    ]


def story(seed: int) -> Story:
    chance = random.Random(seed)
    workers: list[list[list[str]]] = []
    told = {}
    for number in range(chance.randrange(1, 5)):
        model, port = f"model{number}", 9000 + number
        faults: list[int | None] = [
            chance.randrange(len(FAULTS)) for _ in range(chance.randrange(4))
        ]
        if chance.random() < 0.5 or not faults:
            faults.append(None)
        pieces = [piece for fault in faults for piece in process(chance, port, model, fault)]
        workers.append(pieces)
        causes = Counter(_message(*FAULTS[fault]) for fault in faults if fault is not None)
        told[model] = (len(faults), sum(causes.values()), faults.count(None), causes)
    return Story(list(stamped(chance, workers)), told)


def _message(kind: str, message: list[str]) -> str:
    return f"{kind}: " + "\n".join(message)


def stamped(chance: random.Random, workers: list[list[list[str]]]) -> Iterator[str]:
    """Yield the pieces of all workers in turns by chance, with times."""
    at = 0
    while any(workers):
        own = chance.choice([worker for worker in workers if worker])
        at += chance.choice((0, 0, 1, 40, 700))
        stamp = f"2026-11-23T10:{at // 60000:02}:{at // 1000 % 60:02},{at % 1000:03} [INFO ] "
        if chance.random() < 0.2:
            yield stamp + chance.choice(OTHERS)
        for line in own.pop(0):
            yield line if line.startswith(("java.", "\tat")) else stamp + line


@pytest.mark.parametrize("seed", range(40))
def test_a_planted_story_is_read_back(seed: int, tmp_path: Path) -> None:
    planted = story(seed)
    form = FORMS[seed % len(FORMS)]
    text = "\n".join(form(number, line) for number, line in enumerate(planted.lines, 1))
    (tmp_path / "x.log").write_text(text)
    read = {}
    for m in analyzed(tmp_path / "x.log").models:
        causes: Counter[str] = Counter()
        for cause in m["causes"]:
            causes[f"{cause['exception']['type']}: {cause['exception']['message']}"] += cause[
                "count"
            ]
        read[m["model"]] = (m["worker_starts"], m["failures"], m["loaded"], causes)
    assert read == planted.told
    found: Counter[tuple[str | None, str]] = Counter()
    for one in failures_in(text.encode(), "x", JUDGE).found:
        failure = one.judged.failure
        found[one.model, f"{failure.type}: {failure.message}"] += one.count
    expected = {
        (name, c): n for name, (*_, causes) in planted.told.items() for c, n in causes.items()
    }
    assert found == expected
