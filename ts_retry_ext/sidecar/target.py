"""Find the server to observe: its process where that can be seen, else its address and state."""

from __future__ import annotations

import os
from dataclasses import dataclass

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint, endpoint_of
from ts_retry_ext.frontend.exchange import (
    MANAGEMENT_PORTS,
    UnreachableError,
    reachable_address,
)
from ts_retry_ext.frontend.process import (
    Frontend,
    is_alive,
    running_frontends,
)
from ts_retry_ext.frontend.properties import read_properties, resolve_environment
from ts_retry_ext.frontend.server import Server, server_of
from ts_retry_ext.frontend.state import state_directories
from ts_retry_ext.frontend.unseen import in_words, unseen_frontends
from ts_retry_ext.settings import resolve
from ts_retry_ext.sidecar.options import Options
from ts_retry_ext.store.directory import (
    ServerRun,
    read_server_run,
    server_directory,
    server_runs,
    why_unreadable,
)


class NoTargetError(Exception):
    """There is no server to observe, or more than one. The message is fit for people."""


@dataclass(frozen=True)
class Target:
    """A server to observe.

    Attributes:
        server: the server; for one whose process cannot be seen, what its state directory and the
            command line tell of it.
        endpoint: how its APIs are reached.
        state_dirs: state directories, the preferred one first.
        is_local: whether its processes can be seen from here. Those of another container cannot.
    """

    server: Server
    endpoint: Endpoint
    state_dirs: tuple[str, ...]
    is_local: bool

    @property
    def run_dirs(self) -> list[str]:
        """Return where the workers of this run of the server write, as far as that exists."""
        frontend = self.server.frontend
        found = (server_directory(p, frontend.pid, frontend.start) for p in self.state_dirs)
        return [path for path in found if os.path.isdir(path)]

    def is_running(self) -> bool | None:
        """Tell whether the server's process runs; None where it cannot be seen."""
        if not self.is_local:
            return None
        return is_alive(self.server.frontend.pid, self.server.frontend.start)


def find_target(options: Options) -> Target:
    """Return the server that `options` name, or the only one.

    Raises:
        NoTargetError: there is none, or more than one.
    """
    frontends = running_frontends()
    if options.pid is not None:
        frontends = [frontend for frontend in frontends if frontend.pid == options.pid]
    servers = [server_of(frontend) for frontend in frontends]
    servers = [server for server in servers if _is_meant(server, options)]
    if len(servers) > 1:
        here = os.path.realpath(os.getcwd())
        near = [server for server in servers if os.path.realpath(server.frontend.cwd) == here]
        if len(near) != 1:
            shown = ", ".join(f"{s.frontend.pid} (in {s.frontend.cwd})" for s in servers)
            msg = f"several servers run, choose one with --pid or --ts-config: {shown}"
            raise NoTargetError(msg)
        servers = near
    if servers:
        return _local(servers[0], options)
    unseen = "".join(f"; {why}" for why in in_words(unseen_frontends()))
    if options.pid is not None:
        msg = f"process {options.pid} is no TorchServe frontend that can be seen{unseen}"
        raise NoTargetError(msg)
    is_described = options.ts_config is not None and os.path.isfile(options.ts_config)
    if options.state_dir or options.management or is_described:
        return _remote(options)
    named = f" with the configuration {options.ts_config}" if options.ts_config else ""
    raise NoTargetError(f"no TorchServe{named} runs here{unseen}")


def _is_meant(server: Server, options: Options) -> bool:
    if options.ts_config is not None:
        own = server.config_file
        if own is None or os.path.realpath(own) != os.path.realpath(options.ts_config):
            return False
    if options.management is not None:
        return _reachable(server.management_address) == _reachable(options.management)
    if options.state_dir is not None and options.pid is None and options.ts_config is None:
        frontend = server.frontend
        own_dirs = [os.path.realpath(path) for path in _state_dirs(server)]
        run = server_directory(options.state_dir, frontend.pid, frontend.start)
        return os.path.isdir(run) or os.path.realpath(options.state_dir) in own_dirs
    return True


def _local(server: Server, options: Options) -> Target:
    endpoint = _endpoint(server, options, server.inference_address)
    return Target(server, endpoint, _places(server, options), True)


def _remote(options: Options) -> Target:
    """Return a server of which only addresses, configuration or state are known."""
    properties: dict[str, str] = {}
    problems: tuple[str, ...] = ()
    if options.ts_config is not None:
        try:
            properties = resolve_environment(read_properties(options.ts_config), os.environ)
        except OSError as error:
            problems = (f"cannot read {options.ts_config}: {error.strerror}",)
    else:
        # Whether it asks for a key shows in its answers.
        properties["disable_token_authorization"] = "true"
    if options.state_dir is not None:
        unreadable = why_unreadable(options.state_dir)
        problems += (unreadable,) if unreadable else ()
    run = _newest_run(properties, options)
    if options.management is not None:
        properties["management_address"] = options.management
    elif run is not None:
        properties.setdefault("management_address", run.management_address)
    frontend = Frontend(
        pid=run.pid if run else 0,
        start=run.start if run else "",
        started_at=run.started_at if run else 0.0,
        cmdline=(),
        cwd=run.cwd if run else os.getcwd(),
        environ={},
    )
    log_dir = os.path.join(frontend.cwd, "logs")
    config_file = options.ts_config or (run.config_file if run else None)
    server = Server(frontend, config_file, properties, log_dir, problems)
    endpoint = _endpoint(server, options, properties.get("inference_address"))
    return Target(server, endpoint, _places(server, options), False)


def _newest_run(properties: dict[str, str], options: Options) -> ServerRun | None:
    """Return the newest run kept in the state directory that is meant.

    Where that is only one of the usual places, others may have left theirs there too.
    """
    here = Frontend(0, "", 0.0, (), os.getcwd(), {})
    server = Server(here, None, properties, os.path.join(here.cwd, "logs"), ())
    runs = [
        read_server_run(run) for place in _places(server, options) for run in server_runs(place)
    ]
    own = server.management_address
    known = (
        run
        for run in runs
        if run is not None and (options.state_dir or run.management_address == own)
    )
    return max(known, key=lambda run: run.started_at, default=None)


def _endpoint(server: Server, options: Options, inference: str | None) -> Endpoint:
    try:
        endpoint = endpoint_of(server)
    except ManagementError as error:
        raise NoTargetError(str(error)) from error
    return endpoint._replace(
        inference=options.inference or inference, key_file=options.key_file or endpoint.key_file
    )


def _places(server: Server, options: Options) -> tuple[str, ...]:
    return (options.state_dir,) if options.state_dir else _state_dirs(server)


def _state_dirs(server: Server) -> tuple[str, ...]:
    settings, _ = resolve(server.properties, server.frontend.environ)
    return state_directories(server, settings)


def _reachable(address: str) -> str:
    try:
        return reachable_address(address.rstrip("/"), MANAGEMENT_PORTS)
    except UnreachableError:
        return address
