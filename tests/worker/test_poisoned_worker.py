from __future__ import annotations

import os
import subprocess
import sys
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from pathlib import Path

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS
from ts_retry_ext.worker.poisoned_worker import BrokenPools, is_poisoned


def caused(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
    return outer


def while_handling(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__context__ = inner
    return outer


class UnreadableError(RuntimeError):
    def __str__(self) -> str:
        raise ValueError


@pytest.mark.parametrize(
    ("exc", "declared", "expected"),
    [
        (RuntimeError("CUDA error: device-side assert triggered"), (), True),
        (RuntimeError("CUDA error: an illegal memory access was encountered"), (), True),
        (RuntimeError("NCCL communicator was aborted on rank 0."), (), True),
        (
            BrokenProcessPool("A process in the process pool was terminated abruptly while the future was running"),
            (),
            False,
        ),
        (while_handling(ValueError("bad"), RuntimeError("device-side assert triggered")), (), False),
        (caused(ValueError("bad"), RuntimeError("device-side assert triggered")), (), True),
        (RuntimeError("CUDA out of memory. Tried to allocate 2 GiB"), (), False),
        (ValueError("no device-side assert here"), (), False),
        (KeyError("x"), (), False),
        (KeyError("x"), (LookupError,), True),
        (UnreadableError(), (), False),
    ],
)  # fmt: skip
def test_only_what_stays_with_the_process_poisons_it(
    exc: BaseException, declared: tuple[type[BaseException], ...], expected: bool
) -> None:
    assert is_poisoned(exc, BrokenPools(), declared) is expected


def _broken_pool() -> ProcessPoolExecutor:
    pool = ProcessPoolExecutor(1)
    with pytest.raises(BrokenProcessPool):
        pool.submit(os._exit, 1).result()
    return pool


def _refusal(pool: ProcessPoolExecutor) -> BaseException:
    try:
        pool.submit(abs, -5)
    except BrokenProcessPool as refused:
        return refused
    raise AssertionError


def test_a_broken_pool_poisons_only_when_the_handler_goes_on_with_it() -> None:
    kept, pools = _broken_pool(), BrokenPools()
    assert [is_poisoned(_refusal(kept), pools) for _ in range(2)] == [False, True]
    assert not any(is_poisoned(_refusal(_broken_pool()), pools) for _ in range(2))


def test_the_frontend_sees_its_end_at_once_though_a_forked_process_lives(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.worker.parting", str(tmp_path), MAIN_CLASS],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=False,
    )
    # The connection is closed, soon, the port is free; what was only forked lives, the model's own does not.
    assert done.stdout.split() == ["b''", "True", "True", "True", "False"], done.stderr
