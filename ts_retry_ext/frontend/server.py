"""A running server: its frontend's process and the configuration that this read at its start."""

from __future__ import annotations

from typing import NamedTuple

from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.server_configuration import ServerConfiguration, configuration_of


class Server(NamedTuple):
    """A running server.

    Attributes:
        frontend: the process.
        configuration: what it read at its start.
    """

    frontend: Frontend
    configuration: ServerConfiguration


def server_of(frontend: Frontend) -> Server:
    """Read the configuration of `frontend` the way it did itself. Never raises OSError."""
    return Server(frontend, configuration_of(frontend))
