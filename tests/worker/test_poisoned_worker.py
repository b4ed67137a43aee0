from __future__ import annotations

from concurrent.futures.process import BrokenProcessPool

import pytest

from ts_retry_ext.worker.poisoned_worker import is_poisoned


def caused(outer: BaseException, inner: BaseException) -> BaseException:
    outer.__cause__ = inner
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
            BrokenProcessPool("A child process terminated abruptly, the process pool is not usable anymore"),
            (),
            True,
        ),
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
    assert is_poisoned(exc, declared) is expected
