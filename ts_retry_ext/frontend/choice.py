"""Choose the running server that is meant, by the same rules for commands and for the sidecar."""

from __future__ import annotations

import os
from typing import NamedTuple

from ts_retry_ext.frontend.exchange import MANAGEMENT_PORTS, UnreachableError, reachable_address
from ts_retry_ext.frontend.frontends_here import in_words, running_frontends, unseen_frontends
from ts_retry_ext.frontend.process import user_id_of
from ts_retry_ext.frontend.server_configuration import Server, server_of
from ts_retry_ext.store.directory import server_directory


class Wanted(NamedTuple):
    """What is said of the server that is meant. What is None says nothing.

    Attributes:
        state_dir: its state directory; counts where nothing else is said.
    """

    pid: int | None = None
    ts_config: str | None = None
    management: str | None = None
    state_dir: str | None = None


class NoServerError(Exception):
    """No server that is meant runs here, or it cannot be looked into. The message is for people."""


class SeveralServersError(Exception):
    """Several servers may be meant. The message names them by process id and working directory."""


def choose_server(wanted: Wanted) -> Server:
    """Return the running server that is meant.

    Where several may be, it is the one whose working directory is the current one.

    Raises:
        NoServerError: there is none that can be looked into.
        SeveralServersError: there are several, and none stands out.
    """
    frontends = running_frontends()
    if wanted.pid is not None:
        frontends = [frontend for frontend in frontends if frontend.pid == wanted.pid]
    servers = [server_of(frontend) for frontend in frontends]
    servers = [server for server in servers if _is_meant(server, wanted)]
    if not servers:
        raise NoServerError(_why_none(wanted))
    if len(servers) > 1:
        here = os.path.realpath(os.getcwd())
        near = [server for server in servers if os.path.realpath(server.frontend.cwd) == here]
        if len(near) != 1:
            shown = (f"{server.frontend.pid} (in {server.frontend.cwd})" for server in servers)
            raise SeveralServersError(", ".join(shown))
        servers = near
    return servers[0]


def no_server() -> str:
    """Say that no server runs here, or why none of those that do can be looked into."""
    return _why_none(Wanted())


def _why_none(wanted: Wanted) -> str:
    unseen = unseen_frontends()
    if wanted.pid is not None:
        named = in_words(other for other in unseen if other.pid == wanted.pid)
        return named[0] if named else f"process {wanted.pid} is no TorchServe frontend"
    if wanted.ts_config is not None:
        none = f"no TorchServe with the configuration {wanted.ts_config} runs here"
        return "; ".join([none, *in_words(unseen)])
    return "; ".join(in_words(unseen)) or "no TorchServe runs here"


def _is_meant(server: Server, wanted: Wanted) -> bool:
    configuration = server.configuration
    if wanted.ts_config is not None and not configuration.has_read(wanted.ts_config):
        return False
    if wanted.management is not None:
        return _reachable(configuration.management_address) == _reachable(wanted.management)
    if wanted.state_dir is None or wanted.pid is not None or wanted.ts_config is not None:
        return True
    frontend = server.frontend
    run = server_directory(wanted.state_dir, frontend.pid, frontend.start)
    own_dirs = configuration.state_directories(user_id_of(frontend.pid))
    meant = os.path.realpath(wanted.state_dir)
    return os.path.isdir(run) or meant in [os.path.realpath(path) for path in own_dirs]


def _reachable(address: str) -> str:
    try:
        return reachable_address(address.rstrip("/"), MANAGEMENT_PORTS)
    except UnreachableError:
        return address
