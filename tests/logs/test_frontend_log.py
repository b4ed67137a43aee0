from __future__ import annotations

import time

from ts_retry_ext.logs.frontend_log import LOADED, STOPPED, WorkerLog, read_log

LIFE = "org.pytorch.serve.wlm.WorkerLifeCycle"
THREAD = "org.pytorch.serve.wlm.WorkerThread"
START = f"[DEBUG] W-9000-a_b_1.0 {LIFE} - Worker cmdline: [python, model_service_worker.py]"
LOAD = f"[DEBUG] W-9000-a_b_1.0 {THREAD} - Flushing req.cmd LOAD repeats 1 to backend at: 17"
STOP = f"[DEBUG] W-9000-a_b_1.0 {THREAD} - W-9000-a_b_1.0 State change WORKER_STARTED -> {STOPPED}"
RETRY = f"[INFO ] W-9000-a_b_1.0 {THREAD} - Retry worker: 9000 in 3 seconds."
DONE = f"[DEBUG] W-9000-a_b_1.0 {THREAD} - W-9000-a_b_1.0 State change WORKER_STARTED -> {LOADED}"
TRACEBACK = (
    "Backend worker process died.",
    "Traceback (most recent call last):",
    '  File "/m/handler.py", line 3, in initialize',
    '    raise ValueError("no luck")',
    "ValueError: no luck",
)


def worker(*lines: str) -> WorkerLog:
    text = "\n".join(f"2026-11-23T16:38:22,500 {line}" for line in lines)
    return read_log(f"no line of a worker\n{text}\n")["a_b"]


def said(*lines: str) -> list[str]:
    return [f"[INFO ] W-9000-a_b_1.0-stdout MODEL_LOG - {line}" for line in lines]


def test_a_worker_that_starts_has_neither_state_nor_retry() -> None:
    assert worker(START) == WorkerLog(1, 0, None, None, None, ("",))


def test_a_worker_that_stopped_shows_its_load_and_when_the_next_one_comes() -> None:
    found = worker(START, LOAD, STOP, RETRY)
    assert (found.starts, found.loads, found.state, found.wait_sec) == (1, 1, STOPPED, 3)
    stopped_at = time.mktime(time.strptime("2026-11-23T16:38:22", "%Y-%m-%dT%H:%M:%S")) + 0.5
    assert found.retry_at == stopped_at + 3


def test_the_next_start_ends_the_wait() -> None:
    found = worker(START, LOAD, STOP, RETRY, START, LOAD, DONE)
    assert (found.starts, found.loads, found.state, found.wait_sec) == (2, 2, LOADED, None)


def test_the_cause_is_what_the_last_traceback_ends_with() -> None:
    found = worker(
        START, LOAD, *said(*TRACEBACK), STOP, RETRY, START, *said("Torch worker started.")
    )
    assert found.cause == ("ValueError", "no luck")


def test_a_process_that_died_without_a_word_has_no_cause() -> None:
    assert worker(START, LOAD, *said("Torch worker started."), STOP, RETRY).cause is None


def test_workers_of_several_models_are_told_apart() -> None:
    other = START.replace("a_b_1.0", "c_2")
    at = "2026-11-23T16:38:22,500"
    assert set(read_log(f"{at} {START}\n{at} {other}\n{at} {other}")) == {"a_b", "c"}
