"""Take a snapshot: read the state directory of a server's run, ask its frontend, and join both."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Collection, Iterable, Sequence

from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.exchange import without_password
from ts_retry_ext.frontend.management import ManagementApi, management_api_of
from ts_retry_ext.frontend.other_process import Deaths
from ts_retry_ext.frontend.registered import archive_of
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.logs.server_log import read_server_log
from ts_retry_ext.logs.unregistration_lines import PidLine, unregistered_in
from ts_retry_ext.settings import STATE_DIRECTORY_NAME
from ts_retry_ext.snapshot.effective import window_in_force
from ts_retry_ext.snapshot.join import confirmed_models, unconfirmed_models
from ts_retry_ext.snapshot.model import ModelStatus, NotRegistered
from ts_retry_ext.snapshot.not_registered import find_not_registered
from ts_retry_ext.snapshot.observed_server import ObservedServer
from ts_retry_ext.snapshot.registration import Registration, Registrations, recorded_names
from ts_retry_ext.snapshot.registration_files import (
    read_registration,
    read_registrations,
    still_registered,
)
from ts_retry_ext.snapshot.server_snapshot import ServerStatus, Snapshot
from ts_retry_ext.store.directory import read_server_run
from ts_retry_ext.store.times import to_seconds


def take_snapshot(server: ObservedServer) -> Snapshot:
    """Return the state of a running server and its models.

    Never raises because of the server: what it does not tell is named in the problems.
    """
    configuration = server.configuration
    registrations = _registrations(server)
    problems = [*configuration.problems, *(r.problem for r in registrations if r.problem)]
    running: list[RunningModel] | None = None
    torchserve = unheard = None
    try:
        api = management_api_of(configuration)
        torchserve = api.torchserve_version()
        described = api.describe_all(recorded_names(registrations))
        server.require_own(described)
        running = described
    except ManagementError as error:
        unheard = str(error)
        problems.append(unheard)
    management = without_password(configuration.management_address)
    status = ServerStatus(server.frontend.pid, True, torchserve, management)
    if running is None:
        deaths = Deaths() if server.sees_processes else None
        models = unconfirmed_models(registrations, server_runs=True, died_by=deaths)
    else:
        missing = missing_from(server, running, recorded_names(registrations))
        models = _joined(server, running, registrations, missing)
    return Snapshot(status, models, tuple(problems), unheard)


def missing_from(
    server: ObservedServer, running: Sequence[RunningModel], known: Collection[str]
) -> list[NotRegistered]:
    """Return the models that a server was started with and could not register.

    Where its processes and its log cannot be seen, such as in another container, only an archive that
    its configuration names and that is broken is evidence.

    Args:
        known: names of models whose workers wrote something.
    """
    return find_not_registered(
        server.configuration, server.frontend.started_at, running, known, server.sees_processes
    )


def take_snapshot_of_run(server_dir: str) -> Snapshot:
    """Return what a directory of a server's run tells of a server that is gone."""
    run = read_server_run(server_dir)
    registrations = registered_at_end(server_dir, read_registrations([server_dir]))
    models = unconfirmed_models(registrations, server_runs=False, died_by=Deaths())
    problems = tuple(r.problem for r in registrations if r.problem)
    if run is None:
        return Snapshot(None, models, (*problems, f"{server_dir} does not name its server"))
    server = ServerStatus(run.pid, False, run.torchserve, run.management_address)
    return Snapshot(server, models, problems)


def model_status(
    server: ObservedServer,
    api: ManagementApi,
    name: str,
    version: str,
    *,
    directory: str | None = None,
) -> ModelStatus | None:
    """Return the present state of one version of a model, or None where it is not registered.

    Args:
        directory: the registration's directory, if that is known. If not, those of all models are
            read to find it: 50 ms of processor time for 100 models, which is much for 50 programs
            that look twice a second.

    Raises:
        ManagementError: the management API cannot be reached or refuses.
    """
    found = [model for model in api.describe(name) if model.version == version]
    server.require_own(found)
    joined = _joined(server, found, _registrations(server, directory))
    return joined[0] if joined else None


def _registrations(server: ObservedServer, directory: str | None = None) -> list[Registration]:
    """Return those of all models, or the one in `directory`, as far as it is still registered."""
    if directory is None:
        found = read_registrations(server.run_dirs)
    else:
        found = [read_registration(directory)]
    return still_registered(found, server.frontend.pid) if server.sees_processes else found


def _joined(
    server: ObservedServer,
    running: Iterable[RunningModel],
    found: Iterable[Registration],
    missing: Sequence[NotRegistered] = (),
) -> tuple[ModelStatus, ...]:
    registrations, running = Registrations(found), list(running)
    windows = {(model.name, model.version): window_in_force(model, server) for model in running}
    models = confirmed_models(
        running,
        registrations,
        windows,
        now=time.time(),
        died_by=Deaths() if server.sees_processes else None,
        missing=missing,
    )
    return tuple(replace(m, packed_again=_packed_again(m, server.configuration)) for m in models)


def _packed_again(model: ModelStatus, configuration: ServerConfiguration) -> str | None:
    """Return the archive of a model if it has changed since its first worker wrote something."""
    if model.running is None or not model.records:
        return None
    path = archive_of(model.running, configuration)
    try:
        is_newer = path is not None and os.stat(path).st_mtime > to_seconds(model.records[0].at)
    except OSError:
        return None
    return path if is_newer and os.path.isfile(path or "") else None


def registered_at_end(server_dir: str, registrations: Sequence[Registration]) -> list[Registration]:
    """Return the registrations of a run that nobody had unregistered by the end of the server.

    TorchServe kills the workers of a model that is unregistered, and removes what it unpacked for it; it does
    both when it ends, too. So nothing but its log tells one from the other. If that is not where the server's
    settings put it by default, or beside the state directory, all registrations are returned.

    Args:
        server_dir: the directory of the run.
        registrations: those of the run, the ones of models that were unregistered included.
    """
    processes = {
        PidLine(pid, f"{registration.model}_{registration.version}")
        for registration in registrations
        for pid in registration.pids
    }
    gone: set[tuple[str | None, str]] = set()
    for folder in _log_directories(server_dir):
        gone |= unregistered_in(read_server_log(folder), processes)
    return [one for one in registrations if (one.model, one.version) not in gone]


def _log_directories(server_dir: str) -> set[str]:
    """Return where a server that kept its state there may have had its log."""
    state_dir = os.path.dirname(os.path.abspath(server_dir))
    found = []
    if os.path.basename(state_dir) == STATE_DIRECTORY_NAME:
        found.append(os.path.dirname(state_dir))
    run = read_server_run(server_dir)
    if run is not None:
        found.append(os.path.join(run.cwd, "logs"))
    return {os.path.realpath(folder) for folder in found}
