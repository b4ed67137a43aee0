from __future__ import annotations

import asyncio
import errno
import os

import pytest

from ts_retry_ext.sidecar import observer as module
from ts_retry_ext.sidecar.observer import Observer
from ts_retry_ext.sidecar.target import SidecarOptions, Target


def test_want_of_descriptors_does_not_end_the_observing(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = []

    def no_descriptor(options: SidecarOptions) -> Target:
        looks.append(options)
        raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))

    monkeypatch.setattr(module, "find_target", no_descriptor)
    monkeypatch.setattr(module, "FIND_SEC", 0.01)
    observer = Observer(SidecarOptions())

    async def observe() -> None:
        await asyncio.wait_for(observer.run(), 2)

    with pytest.raises(asyncio.TimeoutError):
        asyncio.run(observe())
    assert len(looks) > 1
    assert "Too many open files" in str(observer.picture.health.words)
