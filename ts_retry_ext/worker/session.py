"""What is known of this worker process before its model is: server, settings, place in the store."""

from __future__ import annotations

import os
import sys
import time
from typing import Any, Mapping

from ts_retry_ext import settings as settings_table
from ts_retry_ext.archive.model_folder import ModelFolder
from ts_retry_ext.frontend.installed_version import torchserve_version_in
from ts_retry_ext.frontend.process import (
    Frontend,
    FrontendId,
    frontend_of,
    hidden_frontend_of,
    is_alive,
    start_of,
    user_id_of,
)
from ts_retry_ext.frontend.server_configuration import ServerConfiguration, configuration_of
from ts_retry_ext.settings import Settings, resolve
from ts_retry_ext.store import journal
from ts_retry_ext.store.atomic import make_private_directory
from ts_retry_ext.store.directory import (
    ServerRun,
    create_server_directory,
    marker_path,
    model_directory,
    server_directory,
)
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.worker.command_line import (
    WorkerAddress,
    is_asynchronous,
    launch_address,
    worker_address,
)
from ts_retry_ext.worker.output import say
from ts_retry_ext.worker.registered_path import registration


class Session:
    """One worker process and its place in the store.

    Attributes:
        frontend: the frontend it works for, or the process in its place.
        launch: what the frontend launched: this worker, or the first of torchrun's ranks.
        group: names the ranks that torchrun started together with this one, None for other workers.
        asynchronous: whether the frontend talks to it with ``asyncCommunication``.
        model_dir: real path of the model's directory.
        registration: the path that the frontend made for this registration.
        name: the model's name; the manifest's until LOAD brings the one it is registered under.
        start: names the start of this process for good.
        load_begun: whether LOAD has arrived.
        load_limit_sec: how long the load may take where that is not the frontend's to say, or None.
        began_ns: when this process, and from LOAD on its load, began, in nanoseconds since the epoch.
        closed: whether the journal knows how this process's attempt ended.
        loads_beside_marker: whether it loads the model though a marker stands, which means others.
    """

    def __init__(
        self,
        frontend: FrontendId,
        configuration: ServerConfiguration,
        settings: Settings,
        address: WorkerAddress,
        folder: ModelFolder,
        registered: str,
        directory: str,
        *,
        asynchronous: bool,
        load_limit_sec: float | None = None,
    ) -> None:
        self.frontend = frontend
        self.configuration = configuration
        self.settings = settings
        self.address = address
        self.launch = launch_address(address, os.environ)
        self.asynchronous = asynchronous
        self.folder = folder
        self.model_dir = folder.path
        self.registration = registered
        self.manifest = folder.manifest
        self.name = self.manifest.model or os.path.basename(folder.path)
        self.directory = directory
        self.pid = os.getpid()
        self.start = start_of(self.pid) or ""
        self.group = _group(frontend.pid)
        self._has_launcher = os.getppid() != frontend.pid
        self.load_begun = False
        self.load_limit_sec = load_limit_sec
        self.began_ns = time.time_ns()
        self.closed = False
        self.loads_beside_marker = False

    def record(self, event: Event, **fields: Any) -> None:
        """Append an event of this process to the journal; `fields` are a `Record`'s. Raises OSError."""
        journal.append(self.directory, self.own_record(event)._replace(**fields))

    def record_or_say(self, event: Event, **fields: Any) -> None:
        """Do as `record`; if that cannot be, the log says so and all goes on: the disk may be full."""
        try:
            self.record(event, **fields)
        except Exception as error:
            say(f"could not write {event.value!r} to the journal: {error}")

    def own_record(self, event: Event) -> Record:
        """Return the record of an event of this process."""
        return Record(
            event,
            pid=self.pid,
            start=self.start,
            socket=str(self.address),
            launcher=self._has_launcher,
            model=self.name,
            version=self.manifest.version,
            launch=None if self.group is None else self.launch,
            group=self.group,
        )

    def startup_timeout(self) -> float:
        """Return after how many seconds the frontend ends a load that has not answered."""
        if self.load_limit_sec is not None:
            return self.load_limit_sec
        from ts_retry_ext.archive.limits import load_timeout_key, timeout_of

        return timeout_of(self.folder, load_timeout_key(_torchserve_version()), self._properties())

    def startup_timeout_in_words(self) -> str:
        """Return the limit of a load with its name, value and source; empty where it cannot be told."""
        from ts_retry_ext.archive.limits import load_timeout_key, timeout_in_words

        if self.load_limit_sec is not None:
            return f"the limit of this load is {self.load_limit_sec:.0f} s"
        try:
            key = load_timeout_key(_torchserve_version())
            return timeout_in_words(self.folder, key, self._properties())
        except Exception:
            return ""

    def response_timeout(self) -> float:
        """Return after how many seconds the frontend ends a worker that owes it an answer."""
        from ts_retry_ext.archive.limits import RESPONSE_TIMEOUT, timeout_of

        return timeout_of(self.folder, RESPONSE_TIMEOUT, self._properties())

    def _properties(self) -> Mapping[str, str]:
        """Return the server's configuration, with what it says of this version under ``models``."""
        properties = self.configuration.properties
        if "models" not in properties:
            return properties
        from ts_retry_ext.frontend.version_entry import properties_for

        return properties_for(self.name, self.manifest.version, properties)

    def retry_window(self) -> float:
        """Return ``maxRetryTimeoutInSec`` as the frontend takes it, in seconds; negative if it overflows."""
        from ts_retry_ext.archive.limits import WINDOW, window_msec

        return window_msec(self.folder.usable_configuration(WINDOW)) / 1000

    def has_marker(self) -> bool:
        """Tell whether there is a marker of this registration; see `worker.marker_in_force`."""
        return os.path.exists(marker_path(self.directory))


def open_session(frontend: Frontend | None = None) -> Session | None:
    """Find out whom this process works for, and open its place in the store.

    By default that is the frontend among its ancestors.

    Returns:
        The session, or None where the package is switched off for this model, or no frontend is
        among the ancestors of this process.

    Raises:
        OSError: no state directory can be used.
        ValueError: the worker's arguments are not understood.
    """
    frontend = frontend or frontend_of(os.getpid())
    if frontend is None:
        hidden = hidden_frontend_of(os.getpid())
        say(
            "not active: no TorchServe frontend among the ancestors of this process"
            if hidden is None
            else f"not active: this process may not look into the frontend, process {hidden}; "
            "workers have to run as the server's user, and its java has to be readable"
        )
        return None
    configuration = configuration_of(frontend)
    folder = ModelFolder(os.path.realpath(os.getcwd()))
    model_dir = folder.path
    section, unreadable = folder.section(settings_table.MODEL_SECTION)
    # What the frontend hides from workers (blacklist_env_vars) still tells what the operator wants.
    environ = {**configuration.environ, **os.environ}
    settings, problems = resolve(
        configuration.properties,
        environ,
        section,
        config_file=configuration.config_file,
        model_config_file=folder.config_path or os.path.join(model_dir, "model-config.yaml"),
    )
    for problem in (*configuration.problems, *([unreadable] if unreadable else ()), *problems):
        say(problem)
    if not settings.enabled.value:
        return None
    registered = registration(model_dir, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    address = worker_address(sys.argv, os.environ)
    if os.path.isdir(os.path.join(model_dir, "WAR-INF")):
        # The functions of a workflow share one directory; what breaks one need not break another.
        registered += f"#{address}"
    run = ServerRun(
        pid=frontend.pid,
        start=frontend.start,
        started_at=frontend.started_at,
        config_file=configuration.config_file,
        cwd=configuration.cwd,
        management_address=configuration.management_address,
        torchserve=_torchserve_version(),
    )
    places = configuration.state_directories(user_id_of(frontend.pid), settings)
    server_dir = _server_directory(places, run)
    directory = model_directory(server_dir, folder.manifest.model or "model", registered)
    if not os.path.isdir(directory):
        from ts_retry_ext.store.pruning import prune_registrations

        prune_registrations(server_dir, is_alive)
    make_private_directory(directory)
    return Session(
        frontend.id,
        configuration,
        settings,
        address,
        folder,
        registered,
        directory,
        asynchronous=is_asynchronous(sys.argv),
    )


def _server_directory(places: tuple[str, ...], run: ServerRun) -> str:
    """Open the first usable state directory. Raises OSError when none is."""
    *preferred, last = places
    for path in preferred:
        try:
            return _server_directory_in(path, run)
        except OSError as error:  # noqa: PERF203 - once, at a worker's start
            say(f"cannot use the state directory {path!r}: {error}; trying another")
    return _server_directory_in(last, run)


def _server_directory_in(state_dir: str, run: ServerRun) -> str:
    """Open the directory of this run; where it is new, old runs give way. Raises OSError."""
    is_new = not os.path.isdir(server_directory(state_dir, run.pid, run.start))
    directory = create_server_directory(state_dir, run)
    if is_new:
        from ts_retry_ext.store.pruning import prune

        prune(state_dir, lambda other: is_alive(other.pid, other.start))
    return directory


def _group(frontend: int) -> str | None:
    """Return what names the processes that live and die with this rank, None where it is no rank.

    A worker that the frontend itself started is no rank, whatever its environment says.
    """
    if "LOCAL_RANK" not in os.environ or os.getppid() == frontend:
        return None
    restart = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
    return f"{os.getppid()}.{restart}"


def _torchserve_version() -> str | None:
    """Return the version of the TorchServe that this process's script belongs to, or None."""
    return torchserve_version_in(os.path.dirname(sys.argv[0]))
