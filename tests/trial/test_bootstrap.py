from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from ts_retry_ext.trial.bootstrap import peak_gpu_memory, peak_memory


def test_the_peak_grows_with_what_is_taken_and_stays() -> None:
    taken = bytearray(b"x") * (64 << 20)
    assert peak_memory() > len(taken)
    del taken
    assert peak_memory() > 64 << 20


def test_gpu_memory_is_what_torch_reserved_on_all_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    reserved = {0: 5, 1: 7}
    cuda = SimpleNamespace(
        is_initialized=lambda: True,
        device_count=lambda: 2,
        max_memory_reserved=reserved.__getitem__,
    )
    monkeypatch.setitem(sys.modules, "torch", SimpleNamespace(cuda=cuda))
    assert peak_gpu_memory() == 12
    cuda.is_initialized = lambda: False
    assert peak_gpu_memory() is None


@pytest.mark.parametrize("torch", [None, SimpleNamespace()])
def test_without_a_torch_that_works_no_gpu_memory_is_known(
    torch: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "torch", torch)
    assert peak_gpu_memory() is None
