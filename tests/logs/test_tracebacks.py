"""A traceback is one process's, and ends where Python's format ends."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ts_retry_ext.logs.root_cause import DIED, root_of
from ts_retry_ext.logs.tracebacks import PAUSE, Traceback, cut

HEADER = "Traceback (most recent call last):"
STACK = (HEADER, '  File "/m/handler.py", line 12, in initialize', "    self.load(weights)")
MISMATCH = (
    "RuntimeError: Error(s) in loading state_dict for Net:",
    "\tsize mismatch for fc.weight: copying a param with shape torch.Size([2, 2])",
)
JOINT = "During handling of the above exception, another exception occurred:"


def last_lines(lines: list[str], count: int = 1) -> list[tuple[str, ...]]:
    return [found.lines[-count:] for found in cut(lines)]


@pytest.mark.parametrize(
    "after",
    [
        "[PID]4712",
        "Torch worker started.",
        "wandb: Network error (ConnectionError), entering retry loop.",
        "[2024-04-23 05:00:36] telemetry upload failed: Read timed out. (read timeout=1)",
        "2024-04-23 05:00:36,460 INFO retrying: Connection refused",
        "INFO:root:certificate verify failed, metrics are off",
        "WARNING: certificate verify failed, metrics are off",
        "[rank1] NCCL WARN socketProgress: Connection reset by peer",
        "[W socket.cpp:601] [c10d] The client socket has failed to connect",
        "W0423 05:00:36.460000 140 torch/distributed/elastic/agent.py:700] Received 15",
        "host:123:456 [0] NCCL WARN Connection closed",
        "/m/handler.py:3: UserWarning: No module named 'x'",
        "Exception ignored in: <function f at 0x7f>",
        "(EngineCore_0 pid=412) Connection refused",
        "ts-retry: model 'm' failed in phase initialize",
        "java.lang.InterruptedException: null",
        "Backend worker process died.",
        "```",
        PAUSE,
    ],
)
def test_what_another_writes_is_none_of_the_message(after: str) -> None:
    lines = [*STACK, *MISMATCH, after, "No module named 'onnxruntime', going on without"]
    assert last_lines(lines, 2) == [MISMATCH]


@pytest.mark.parametrize(
    "message",
    [
        "ModuleNotFoundError: No module named 'setfit'",
        "ImportError: cannot import name 'x' from 'y' (/v/y.py)",
        "ConnectionRefusedError: [Errno 111] Connection refused",
        "FileNotFoundError: [Errno 2] No such file or directory: '/m/w.bin'",
        "KeyError: 'bias'",
        "SyntaxError: invalid syntax",
        "AttributeError: 'NoneType' object has no attribute 'shape'",
        "TypeError: load() missing 1 required positional argument: 'path'",
    ],
)
def test_after_a_message_that_python_made_nothing_is_its_own(message: str) -> None:
    after = "feature store not reachable yet (Connection reset by peer), using the local copy"
    assert last_lines([*STACK, message, after]) == [(message,)]


@pytest.mark.parametrize(
    "message",
    [
        MISMATCH,
        ("RuntimeError: Failed to import transformers.models.x because of the following error (look up to see its traceback):", "No module named 'flash_attn'"),
        ("RuntimeError: CUDA error: device-side assert triggered", "CUDA kernel errors might be asynchronously reported at some other API call.", "For debugging consider passing CUDA_LAUNCH_BLOCKING=1", "Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions."),
        ("OSError: We couldn't connect to 'https://huggingface.co' to load this file", "Checkout your internet connection or see how to run the library in offline mode."),
        ("huggingface_hub.errors.RepositoryNotFoundError: 401 Client Error. (Request ID: Root=1-2)", "", "Repository Not Found for url: https://huggingface.co/a/b/resolve/main/config.json.", "Please make sure you specified the correct `repo_id` and `repo_type`."),
        ("ValueError: 1 validation error for Config", "size", "  Input should be a valid integer [type=int_parsing]"),
        ("grpc._channel._InactiveRpcError: <_InactiveRpcError of RPC that terminated with:", "\tstatus = StatusCode.UNAVAILABLE", '\tdetails = "failed to connect"', ">"),
        ("kubernetes.client.exceptions.ApiException: (401)", "Reason: Unauthorized", "HTTP response body: {}"),
        ("ValueError: bad", "a note that was added to it"),
    ],
)  # fmt: skip
def test_a_message_of_several_lines_is_whole(message: tuple[str, ...]) -> None:
    (found,) = cut([*STACK, *message, "[PID]3"])
    assert found.lines[len(STACK) :] == message


def test_a_chain_is_one_traceback() -> None:
    inner = [*STACK, "KeyError: 'a'", "", JOINT, ""]
    (found,) = cut([*inner, *STACK, "ValueError: b", "", "WARNING: c"])
    assert found.lines == (*inner, *STACK, "ValueError: b")


def test_a_chain_that_is_cut_in_its_last_stack_ends_with_the_exception_before() -> None:
    (found,) = cut([*STACK, "KeyError: 'a'", "", JOINT, "", *STACK[:2]])
    assert found.lines == (*STACK, "KeyError: 'a'")


def test_an_exception_group_is_whole() -> None:
    rails = [
        "  + Exception Group Traceback (most recent call last):",
        '  |   File "/m/h.py", line 3, in load',
        "  | ExceptionGroup: all (2 sub-exceptions)",
        "  +-+---------------- 1 ----------------",
        "    | ValueError: a",
        "    +---------------- 2 ----------------",
        "    | OSError: b",
        "    +------------------------------------",
    ]
    (found,) = cut([*rails, "and on it goes"])
    assert found.lines == tuple(rails)


def other(name: str, error: str) -> list[str]:
    return [
        HEADER,
        '  File "/v/ts/model_service_worker.py", line 131, in load_model',
        "    service = model_loader.load(",
        f'  File "/m/{name}.py", line 39, in load',
        f"    self.{name}()",
        f'  File "/m/{name}.py", line 50, in {name}',
        "    return 1 / 0",
        error,
    ]


def test_processes_that_write_in_turns_are_taken_apart() -> None:
    one, two = other("first", "KeyError: 'one'"), other("second", "ValueError: two")
    assert [found.lines for found in cut([li for pair in zip(one, two) for li in pair])] == [
        tuple(one),
        tuple(two),
    ]


def test_processes_that_write_in_bursts_are_taken_apart() -> None:
    one, two = other("first", "KeyError: 'one'"), other("second", "ValueError: two")
    mixed = [*one[:5], *two[:3], *one[5:], *two[3:]]
    assert [found.lines for found in cut(mixed)] == [tuple(one), tuple(two)]


def test_messages_that_grow_in_turns_are_taken_apart() -> None:
    pairs = [line for line in (*STACK, *MISMATCH) for _ in range(2)]
    assert last_lines(pairs, 2) == [MISMATCH, MISMATCH]


def test_ranks_with_a_prefix_are_taken_apart() -> None:
    lines = []
    for line in (*STACK, *MISMATCH):
        lines += [f"[rank0]: {line}", f"[rank1]: {line}"]
    assert last_lines(lines, 2) == [MISMATCH, MISMATCH]


def test_of_ranks_with_a_prefix_the_first_to_fail_counts() -> None:
    first = [f"[rank1]: {line}" for line in (*STACK, "KeyError: 'a'")]
    then = [f"[rank0]: {line}" for line in (*STACK, "ConnectionResetError: peer is gone")]
    assert root(*first, *then) == "KeyError: 'a'"


def test_colors_of_python_3_13_are_taken_off() -> None:
    lines = [
        HEADER,
        '  File \x1b[35m"/m/h.py"\x1b[0m, line \x1b[35m3\x1b[0m, in \x1b[35mload\x1b[0m',
        "    \x1b[31mopen\x1b[0m\x1b[1;31m(path)\x1b[0m",
        "\x1b[1;35mKeyError\x1b[0m: \x1b[35m'a'\x1b[0m",
    ]
    assert last_lines(lines) == [("KeyError: 'a'",)]


def test_an_excerpt_may_begin_within_a_traceback() -> None:
    (found,) = cut([*STACK[1:], *MISMATCH])
    assert found.lines == (*STACK, *MISMATCH)


def test_an_excerpt_that_ends_within_a_traceback_has_no_exception() -> None:
    assert [found.is_whole for found in cut(list(STACK))] == [False]


def test_prose_after_a_pasted_traceback_is_none_of_it() -> None:
    lines = [
        *STACK,
        "KeyError: 'a'",
        "",
        "It worked when CUDA out of memory was not there. Thanks!",
    ]
    (found,) = cut(lines, has_heads=False)
    assert found.lines[-1] == "KeyError: 'a'"


def root(*lines: str) -> str:
    found = root_of(cut(lines))
    assert isinstance(found, Traceback)
    return found.lines[-1]


@pytest.mark.parametrize(
    "wrapper",
    [
        "RuntimeError: 500 - Unknown exception",
        "RuntimeError: Engine core initialization failed. See root cause above. Failed core proc(s): {}",
        "RuntimeError: Engine process failed to start. See stack trace for the root cause.",
        "torch.distributed.elastic.multiprocessing.errors.ChildFailedError: ",
        "subprocess.CalledProcessError: Command '['ninja']' returned non-zero exit status 1.",
        "Exception: worker 3 exited unexpectedly, see the error above",
    ],
)
def test_what_only_points_above_is_not_the_cause(wrapper: str) -> None:
    assert root(*STACK, "KeyError: 'a'", DIED, *STACK, wrapper) == "KeyError: 'a'"


def test_a_wrapper_alone_is_what_there_is() -> None:
    wrapper = "RuntimeError: 500 - Unknown exception"
    assert root(DIED, *STACK, wrapper) == wrapper


@pytest.mark.parametrize(
    "above",
    [
        "Exception ignored in: <function f at 0x7f>",
        "Exception in thread Thread-3 (beat):",
        "Error in atexit._run_exitfuncs:",
        "--- Logging error ---",
        "Task exception was never retrieved",
    ],
)
def test_what_ends_neither_load_nor_process_is_not_the_cause(above: str) -> None:
    assert root(*STACK, "KeyError: 'a'", above, *STACK, "ValueError: b") == "KeyError: 'a'"


def test_of_a_handled_and_a_final_exception_the_final_one_counts() -> None:
    assert root(*STACK, "KeyError: 'a'", DIED, *STACK, "ValueError: b") == "ValueError: b"


def test_of_two_ranks_the_first_one_to_fail_counts() -> None:
    lines = [DIED, *STACK, "KeyError: 'a'", DIED, *STACK, "ConnectionResetError: peer is gone"]
    assert root(*lines) == "KeyError: 'a'"


#: One line of each kind, and some that are of two.
KINDS = (
    *STACK, *MISMATCH, JOINT, PAUSE, "", "Loading weights", "wandb: entering retry loop", "    ~~~~^^^^",
    "The above exception was the direct cause of the following exception:",
    "  + Exception Group Traceback (most recent call last):", "  | ValueError: x", "  +------------------------------------",
    "KeyboardInterrupt", "[rank0]: KeyError: 'a'", "[rank0]: " + HEADER, "Backend worker process died.", "[PID]4712",
)  # fmt: skip


@given(st.lists(st.sampled_from(KINDS), max_size=12), st.booleans())
def test_lines_may_come_in_any_order(lines: list[str], has_heads: bool) -> None:
    """A log begins anywhere, and several processes write it."""
    found = cut(lines, has_heads=has_heads)
    root = root_of(found)
    assert root is None or (root in found and root.is_whole)
