"""The server that a snapshot is taken of: who it is, where its workers write, and whether it is who answers."""

from __future__ import annotations

import os
from typing import Iterable, NamedTuple

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.process import FrontendId, frontend_of, user_id_of
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
from ts_retry_ext.store.directory import server_directory


class ObservedServer(NamedTuple):
    """A server to take snapshots of.

    Attributes:
        frontend: names its frontend.
        configuration: what it read at its start; of a server whose process cannot be seen, what is
            known of that.
        state_dirs: state directories, the preferred one first.
        sees_processes: whether its processes can be seen from here. Those of another container
            cannot.
    """

    frontend: FrontendId
    configuration: ServerConfiguration
    state_dirs: tuple[str, ...]
    sees_processes: bool = True

    @property
    def run_dirs(self) -> list[str]:
        """Return where the workers of this run of the server write, as far as that exists."""
        pid, start = self.frontend.pid, self.frontend.start
        found = (server_directory(place, pid, start) for place in self.state_dirs)
        return [path for path in found if os.path.isdir(path)]

    def require_own(self, models: Iterable[RunningModel]) -> None:
        """Raise ManagementError where a model's worker is seen to be another frontend's child.

        A server that ends gives up its port before its process is gone, and the next one takes it. A
        worker without a process, or whose frontend cannot be seen, tells nothing.

        Args:
            models: what was answered at the server's management address.
        """
        if not self.sees_processes:
            return
        pid, address = self.frontend.pid, self.configuration.management_address
        workers = (worker.pid for model in models for worker in model.workers)
        found = (frontend_of(worker) for worker in workers if worker is not None)
        other = next((frontend.pid for frontend in found if frontend is not None), pid)
        if other != pid:
            msg = (
                f"at {address} another TorchServe answers, process {other}, and not process {pid}, which was "
                f"asked: see that each has a management_address of its own, and choose one with --pid"
            )
            raise ManagementError(msg)


def observed(server: Server, state_dir: str | None = None) -> ObservedServer:
    """Return a running server of this machine as one to take snapshots of.

    Args:
        state_dir: state directory to look in, where not those of the server's settings.
    """
    configuration = server.configuration
    places = (
        configuration.state_directories(user_id_of(server.frontend.pid))
        if state_dir is None
        else (state_dir,)
    )
    return ObservedServer(server.frontend.id, configuration, places)
