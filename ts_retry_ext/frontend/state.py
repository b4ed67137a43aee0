"""Where the state directory of a server lies: the one place that workers and commands agree on."""

from __future__ import annotations

import os

from ts_retry_ext.frontend.process import user_id_of
from ts_retry_ext.frontend.server import Server
from ts_retry_ext.settings import Settings
from ts_retry_ext.store.directory import DIRECTORY_NAME


def state_directories(server: Server, settings: Settings) -> tuple[str, ...]:
    """Return the paths that a worker of `server` tries, in this order; the first usable one counts.

    The configured one (relative to the server's working directory), ``ts_retry`` in the log
    directory, and a private directory of the server's user under its temporary directory.
    """
    paths = [
        os.path.join(server.log_dir, DIRECTORY_NAME),
        os.path.join(server.temp_dir, f"{DIRECTORY_NAME}-{user_id_of(server.frontend.pid)}"),
    ]
    if settings.state_dir.value is not None:
        paths.insert(0, os.path.join(server.frontend.cwd, settings.state_dir.value))
    return tuple(paths)
