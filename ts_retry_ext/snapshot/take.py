"""Take a snapshot: join the state directory of a server's run with what its frontend says."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from typing import Callable, Iterable, Sequence

from ts_retry_ext.archive.config_errors import MissingYamlError
from ts_retry_ext.archive.model_archive import ArchiveError, read_archive
from ts_retry_ext.archive.schedule import DEFAULT_WINDOW_SEC
from ts_retry_ext.archive.window import compare, window_of_archive
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.management import ManagementApi, management_api_of
from ts_retry_ext.frontend.process import is_alive
from ts_retry_ext.frontend.registered import window_of_registered
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server import Server
from ts_retry_ext.frontend.state import state_directories
from ts_retry_ext.settings import Settings, resolve
from ts_retry_ext.snapshot.back_off import BackOff, back_off
from ts_retry_ext.snapshot.model import ModelStatus, ServerStatus, Snapshot
from ts_retry_ext.snapshot.registration import (
    Registration,
    Registrations,
    read_registrations,
    recorded_names,
    still_registered,
)
from ts_retry_ext.snapshot.state import state_of
from ts_retry_ext.store.directory import read_server_run, server_directory
from ts_retry_ext.store.record import Event


def server_settings(server: Server) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings that hold for every model of `server`, and what is wrong with them."""
    return resolve(server.properties, server.frontend.environ, config_file=server.config_file)


def run_directories(server: Server, state_dirs: Sequence[str] | None = None) -> list[str]:
    """Return where the workers of `server` write, as far as these directories exist.

    Args:
        server: the server.
        state_dirs: state directories to look in, where not those of the server's settings.
    """
    places = state_dirs or state_directories(server, server_settings(server)[0])
    frontend = server.frontend
    found = (server_directory(place, frontend.pid, frontend.start) for place in places)
    return [path for path in found if os.path.isdir(path)]


def take_snapshot(server: Server, state_dirs: Sequence[str] | None = None) -> Snapshot:
    """Return the state of a running server and its models.

    Never raises because of the server: what it does not tell is named in the problems.
    """
    registrations = read_registrations(run_directories(server, state_dirs))
    registrations = still_registered(registrations, server.frontend.pid)
    problems = [*server.problems, *(r.problem for r in registrations if r.problem)]
    running: list[RunningModel] | None = None
    torchserve = None
    try:
        api = management_api_of(server)
        torchserve = api.torchserve_version()
        running = api.describe_all(recorded_names(registrations))
    except ManagementError as error:
        problems.append(str(error))
    status = ServerStatus(server.frontend.pid, True, torchserve, server.management_address)
    if running is None:
        models = unconfirmed(registrations, server_runs=True)
    else:
        known = Registrations(registrations)
        models = [_status(server, model, known) for model in running]
    models.sort(key=lambda model: (model.model, model.version))
    return Snapshot(status, tuple(models), tuple(problems))


def take_snapshot_of_run(server_dir: str) -> Snapshot:
    """Return what a directory of a server's run tells of a server that is gone."""
    run = read_server_run(server_dir)
    registrations = read_registrations([server_dir])
    models = unconfirmed(registrations, server_runs=False)
    problems = tuple(r.problem for r in registrations if r.problem)
    if run is None:
        return Snapshot(None, tuple(models), (*problems, f"{server_dir} does not say whose it is"))
    server = ServerStatus(run.pid, False, run.torchserve, run.management_address)
    return Snapshot(server, tuple(models), problems)


def model_status(
    server: Server,
    api: ManagementApi,
    name: str,
    version: str,
    state_dirs: Sequence[str] | None = None,
    *,
    sees_processes: bool = True,
) -> ModelStatus | None:
    """Return the present state of one version of a model, or None where it is not registered.

    Args:
        server: the server.
        api: its management API.
        name: the model.
        version: its version.
        state_dirs: state directories to look in, where not those of the server's settings.
        sees_processes: whether the server's processes can be seen, which those of another
            container cannot.

    Raises:
        ManagementError: the management API cannot be reached or refuses.
    """
    registrations = read_registrations(run_directories(server, state_dirs))
    if sees_processes:
        registrations = still_registered(registrations, server.frontend.pid)
    found = [model for model in api.describe(name) if model.version == version]
    if not found:
        return None
    known = Registrations(registrations)
    return _status(server, found[0], known, sees_processes=sees_processes)


def alive_by_its_words(registration: Registration | None) -> Callable[[int, str], bool]:
    """Return a function that tells whether a process runs that cannot be seen: from its journal.

    One in another container counts as running until it has said that it ends.
    """
    records = registration.records if registration is not None else ()
    last = {record.pid: record.event for record in records}

    def is_alive(pid: int, start: str) -> bool:
        del start
        return last.get(pid) not in (Event.FAILURE, Event.CRASH, Event.END, Event.RELEASE)

    return is_alive


def back_offs(model: ModelStatus) -> list[BackOff]:
    """Return where each worker of a running model that is not ready stands in its schedule."""
    if model.running is None or model.registration is None:
        return []
    records = model.registration.records
    sockets = {record.socket for record in records if record.socket is not None}
    waiting = [worker for worker in model.running.workers if not worker.is_ready]
    own = [socket for socket in sockets for worker in waiting if worker.listens_at(socket)]
    found = (back_off(records, socket) for socket in own)
    return [state for state in found if state is not None]


def status_of(
    model: RunningModel,
    registration: Registration | None,
    window: tuple[int | None, str | None],
    *,
    now: float,
    is_alive: Callable[[int, str], bool] = is_alive,
) -> ModelStatus:
    """Return the state of a running model.

    Args:
        model: what the frontend says.
        registration: what its workers wrote down, or None.
        window: the window in force and its source, see `window_in_force`.
        now: seconds since the epoch.
        is_alive: tells whether a process, by id and start, still runs.
    """
    window_sec, source = window
    status = ModelStatus(
        model=model.name,
        version=model.version,
        state=state_of(model, registration, server_runs=True, gave_up=False),
        running=model,
        registration=registration,
        max_retry_timeout_sec=window_sec,
        max_retry_timeout_source=source,
        gave_up=False,
    )
    limit = DEFAULT_WINDOW_SEC if window_sec is None else window_sec
    waiting = back_offs(status)
    if not waiting or not all(state.has_given_up(limit, now, is_alive) for state in waiting):
        return status
    state = state_of(model, registration, server_runs=True, gave_up=True)
    return replace(status, state=state, gave_up=True)


def _status(
    server: Server,
    model: RunningModel,
    registrations: Registrations,
    *,
    sees_processes: bool = True,
) -> ModelStatus:
    registration = registrations.of(model)
    window = window_in_force(server, model, registration)
    alive = is_alive if sees_processes else alive_by_its_words(registration)
    return status_of(model, registration, window, now=time.time(), is_alive=alive)


def window_in_force(
    server: Server, model: RunningModel, registration: Registration | None
) -> tuple[int | None, str | None]:
    """Return the window in force and its source, from what is cheapest to read."""
    reported = model.max_retry_timeout_sec
    for folder in _model_folders(model, registration):
        try:
            window = compare(window_of_archive(read_archive(folder)), reported)
        except (ArchiveError, MissingYamlError):
            continue
        return window.reported_sec, window.source.value
    try:
        _, window = window_of_registered(model, server)
    except MissingYamlError:
        return reported, None if reported is None else "frontend"
    return window.reported_sec, window.source.value


def _model_folders(model: RunningModel, registration: Registration | None) -> Iterable[str]:
    """Yield the folders where the model's unpacked files are: its workers' working directories."""
    import psutil

    for worker in model.workers:
        if worker.pid is not None:
            try:
                yield psutil.Process(worker.pid).cwd()
            except (psutil.Error, OSError):
                continue
    if registration is not None and registration.marker is not None:
        yield registration.marker.model_dir


def unconfirmed(registrations: Sequence[Registration], *, server_runs: bool) -> list[ModelStatus]:
    """Return what the workers wrote down, where the frontend does not answer; by name."""
    found = [_unconfirmed(r, server_runs=server_runs) for r in _latest(registrations)]
    return sorted(found, key=lambda model: (model.model, model.version))


def _latest(registrations: Sequence[Registration]) -> list[Registration]:
    """Return the newest registration of each model and version."""
    newest: dict[tuple[str | None, str], Registration] = {}
    for registration in sorted(registrations, key=lambda r: r.last_word_at):
        newest[registration.model, registration.version] = registration
    return list(newest.values())


def _unconfirmed(registration: Registration, *, server_runs: bool) -> ModelStatus:
    marker = registration.marker
    return ModelStatus(
        model=registration.model or os.path.basename(registration.directory),
        version=registration.version,
        state=state_of(None, registration, server_runs=server_runs, gave_up=False),
        running=None,
        registration=registration,
        max_retry_timeout_sec=marker.max_retry_timeout_sec if marker else None,
        max_retry_timeout_source=marker.max_retry_timeout_source if marker else None,
        gave_up=False,
    )
