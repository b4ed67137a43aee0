"""The effective ``maxRetryTimeoutInSec`` of a model with everything that an operator should know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Iterable, Iterator

from ts_retry_ext.archive.manifest import RUNTIMES, why_out_of_reach
from ts_retry_ext.archive.model_archive import Archive, ArchiveError, read_archive
from ts_retry_ext.archive.model_config import MissingYamlError
from ts_retry_ext.archive.schedule import schedule
from ts_retry_ext.archive.window import Source, Window, window_of_archive
from ts_retry_ext.frontend.other_process import cwd_of
from ts_retry_ext.frontend.registered import window_of_registered
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.snapshot.model import WindowInForce
from ts_retry_ext.snapshot.observed_server import ObservedServer

#: Code of the problem that nothing of ours runs in a model's workers.
OUT_OF_REACH = "out-of-reach"


@dataclass(frozen=True)
class Effective:
    """The window in force for one version of a model, key by key as ``config --json`` shows it.

    Attributes:
        model: its name; None for an archive that cannot be read.
        version: its version, likewise.
        archive: the archive's path, or None where it is not found.
        max_retry_timeout_sec: the window in force in seconds, or None where nothing is.
        configured: the value as the archive's configuration holds it.
        reported_by_frontend: what the describe API shows, or None.
        problems: code and message of each thing that the frontend ignores in silence, and of
            workers that are out of reach.
        schedule: retries, and when the last one begins in seconds after the first stop.
    """

    model: str | None
    version: str | None
    archive: str | None = None
    max_retry_timeout_sec: int | None = None
    source: str | None = None
    configured: object = None
    reported_by_frontend: int | None = None
    problems: tuple[tuple[str, str], ...] = ()
    schedule: tuple[int, float | None] | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the row as the contract has it."""
        content = dict(vars(self))
        content["problems"] = [{"code": code, "message": text} for code, text in self.problems]
        if self.schedule is not None:
            retries, last = self.schedule
            content["schedule"] = {"retries": retries, "last_retry_at_sec": last}
        return content


def effective_of_archive(path: str) -> Effective:
    """Return what a frontend would take from the archive at `path`.

    Raises:
        MissingYamlError: it has a configuration, and PyYAML is not installed.
    """
    try:
        archive = read_archive(path)
    except ArchiveError as error:
        ends = "; a server that loads it at its start ends" if error.stops_server else ""
        problems = (("unreadable-archive", error.why + ends),)
        return Effective(None, None, path, problems=problems)
    return effective_of_read(archive)


def effective_of_read(archive: Archive) -> Effective:
    """Return what a frontend would take from an archive that was read already.

    Raises:
        MissingYamlError: it has a configuration, and PyYAML is not installed.
    """
    window = window_of_archive(archive)
    runtime = archive.manifest.runtime if archive.manifest else RUNTIMES[0]
    return _effective(archive.model, archive.version, archive.path, window, None, runtime)


def effective_of_registered(
    model: RunningModel, configuration: ServerConfiguration, folders: Iterable[str] = ()
) -> Effective:
    """Return what a server has in force for a model that it runs.

    Args:
        folders: where the model's unpacked files may be; looked at where its archive is gone.

    Raises:
        MissingYamlError: its archive has a configuration, and PyYAML is not installed.
    """
    path, window = window_of_registered(model, configuration, folders)
    reported = model.max_retry_timeout_sec
    return _effective(model.name, model.version, path, window, reported, model.runtime)


def _effective(
    model: str, version: str, path: str | None, window: Window, reported: int | None, runtime: str
) -> Effective:
    planned = schedule(window.seconds)
    problems = [(problem.code, problem.message) for problem in window.problems]
    unreached = why_out_of_reach(runtime)
    if unreached is not None:
        problems.append((OUT_OF_REACH, unreached))
    return Effective(
        model=model,
        version=version,
        archive=path,
        max_retry_timeout_sec=window.reported_sec,
        source=window.source.value,
        configured=window.configured,
        reported_by_frontend=reported,
        problems=tuple(problems),
        schedule=(planned.retries, planned.last_retry_at_sec),
    )


def window_in_force(model: RunningModel, server: ObservedServer) -> WindowInForce:
    """Return the window in force for a model that a server runs."""
    row = effective_in_force(model, server)
    return WindowInForce(row.max_retry_timeout_sec, row.source)


def effective_in_force(model: RunningModel, server: ObservedServer) -> Effective:
    """Return what a server has in force for a model; without PyYAML, what the frontend reports."""
    try:
        folders = worker_folders(model) if server.sees_processes else ()
        return effective_of_registered(model, server.configuration, folders)
    except MissingYamlError as error:
        reported = model.max_retry_timeout_sec
        return Effective(
            model.name,
            model.version,
            max_retry_timeout_sec=reported,
            source=None if reported is None else Source.FRONTEND.value,
            reported_by_frontend=reported,
            problems=(("missing-yaml", str(error)),),
        )


def worker_folders(model: RunningModel) -> Iterator[str]:
    """Yield the working directories of a model's workers: there are its unpacked files."""
    for worker in model.workers:
        folder = None if worker.pid is None else cwd_of(worker.pid)
        if folder is not None:
            yield folder
