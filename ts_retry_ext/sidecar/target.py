"""Find the server to observe: its process where that can be seen, else its address and state."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import NamedTuple

from ts_retry_ext.frontend.choice import NoServerError, SeveralServersError, Wanted, choose_server
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint, endpoint_of
from ts_retry_ext.frontend.process import FrontendId, is_alive, user_id_of
from ts_retry_ext.frontend.server_configuration import ServerConfiguration, configuration_of_file
from ts_retry_ext.settings import ANY_MODEL
from ts_retry_ext.snapshot.observed_server import ObservedServer, observed
from ts_retry_ext.store.directory import ServerRun, read_server_run, server_runs, why_unreadable

#: The frontend of a server of which no run is known.
NOBODY = FrontendId(0, "", 0.0)


@dataclass(frozen=True)
class SidecarOptions:
    """Which server to observe, and where to listen.

    Attributes:
        state_dir: the state directory, where not that of the server's settings.
        key_file: its key file, where its working directory cannot be seen.
        address: where to listen, ``http://HOST:PORT``; None for the server's setting.
        allowed_hosts: further names that it may be reached under.
        ready_when: which models keep the server from being ready, see `sidecar.service.in_the_way`.
        own_key_file: holds the key that callers have to bring where the server has none, or None.
    """

    pid: int | None = None
    ts_config: str | None = None
    management: str | None = None
    inference: str | None = None
    state_dir: str | None = None
    key_file: str | None = None
    address: str | None = None
    allowed_hosts: tuple[str, ...] = ()
    exit_with_server: bool = False
    own_key_file: str | None = None
    ready_when: str = ANY_MODEL


class NoTargetError(Exception):
    """There is no server to observe, or more than one. The message is fit for people."""


class Target(NamedTuple):
    """A server to observe."""

    server: ObservedServer
    endpoint: Endpoint

    def is_running(self) -> bool | None:
        """Tell whether the server's process runs; None where it cannot be seen."""
        if not self.server.sees_processes:
            return None
        return is_alive(self.server.frontend.pid, self.server.frontend.start)


def find_target(options: SidecarOptions) -> Target:
    """Return the server that `options` name, or the only one.

    Raises:
        NoTargetError: there is none, or more than one.
    """
    wanted = Wanted(options.pid, options.ts_config, options.management, options.state_dir)
    try:
        server = choose_server(wanted)
    except SeveralServersError as error:
        msg = f"several servers run, choose one with --pid or --ts-config: {error}"
        raise NoTargetError(msg) from error
    except NoServerError as error:
        is_described = options.ts_config is not None and os.path.isfile(options.ts_config)
        known = is_described or options.state_dir or options.management
        if options.pid is not None or not known:
            raise NoTargetError(str(error)) from error
        return _unseen(options)
    seen = observed(server, options.state_dir)
    return Target(seen, _endpoint(seen.configuration, options))


def _unseen(options: SidecarOptions) -> Target:
    """Return a server of which only addresses, configuration or state are known."""
    here = os.getcwd()
    configuration = _described(here, options)
    run = _newest_run(configuration, options)
    if run is not None:
        file = run.config_file if options.ts_config is None else options.ts_config
        configuration = _described(run.cwd, options)._replace(config_file=file)
        if options.ts_config is None or "management_address" not in configuration.properties:
            configuration = _at(configuration, run.management_address)
    if options.management is not None:
        configuration = _at(configuration, options.management)
    if options.state_dir is not None:
        unreadable = why_unreadable(options.state_dir)
        problems = (unreadable,) if unreadable else ()
        configuration = configuration._replace(problems=configuration.problems + problems)
    frontend = NOBODY if run is None else FrontendId(run.pid, run.start, run.started_at)
    server = ObservedServer(
        frontend, configuration, _places(configuration, options), sees_processes=False
    )
    endpoint = _endpoint(configuration, options)
    if options.inference is None and "inference_address" not in configuration.properties:
        endpoint = endpoint._replace(inference=None)
    return Target(server, endpoint)


def _described(cwd: str, options: SidecarOptions) -> ServerConfiguration:
    """Return the configuration of a server in `cwd`, as far as the options tell of it."""
    if options.ts_config is None:
        # Whether it asks for a key shows in its answers.
        return ServerConfiguration(cwd, None, {}, os.path.join(cwd, "logs"), {}, key_file=None)
    found = configuration_of_file(cwd, options.ts_config, dict(os.environ))
    return found._replace(environ={})  # This one is the sidecar's.


def _at(configuration: ServerConfiguration, management: str) -> ServerConfiguration:
    properties = {**configuration.properties, "management_address": management}
    return configuration._replace(properties=properties)


def _newest_run(configuration: ServerConfiguration, options: SidecarOptions) -> ServerRun | None:
    """Return the newest run kept in the state directory that is meant.

    Where that is only one of the usual places, others may have left theirs there too.
    """
    places = _places(configuration, options)
    runs = [read_server_run(run) for place in places for run in server_runs(place)]
    own = configuration.management_address
    known = (
        run
        for run in runs
        if run is not None and (options.state_dir or run.management_address == own)
    )
    return max(known, key=lambda run: run.started_at, default=None)


def _endpoint(configuration: ServerConfiguration, options: SidecarOptions) -> Endpoint:
    try:
        endpoint = endpoint_of(configuration)
    except ManagementError as error:
        raise NoTargetError(str(error)) from error
    return endpoint._replace(
        inference=options.inference or endpoint.inference,
        key_file=options.key_file or endpoint.key_file,
    )


def _places(configuration: ServerConfiguration, options: SidecarOptions) -> tuple[str, ...]:
    if options.state_dir:
        return (options.state_dir,)
    return configuration.state_directories(user_id_of(NOBODY.pid))
