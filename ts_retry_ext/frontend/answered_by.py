"""Tell whether it is the server that was asked who answers at its address, or another one."""

from __future__ import annotations

from typing import Iterable

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.process import frontend_of
from ts_retry_ext.frontend.running_model import RunningModel


def require_own_workers(models: Iterable[RunningModel], pid: int, address: str) -> None:
    """Raise ManagementError where a model's worker is another frontend's child.

    A server that ends gives up its port before its process is gone, and the next one takes it. A worker
    without a process, or whose frontend cannot be seen, tells nothing.

    Args:
        models: what was answered.
        pid: process id of the frontend that was asked; its processes can be seen.
        address: its management address.
    """
    workers = (worker.pid for model in models for worker in model.workers)
    found = (frontend_of(worker) for worker in workers if worker is not None)
    other = next((frontend.pid for frontend in found if frontend is not None), pid)
    if other != pid:
        msg = (
            f"at {address} another TorchServe answers, process {other}, and not process {pid}, which was "
            f"asked: see that each has a management_address of its own, and choose one with --pid"
        )
        raise ManagementError(msg)
