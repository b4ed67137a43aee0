"""Find the models that a server was started with and does not have, and why.

TorchServe logs a warning and goes on: its ``/ping`` says Healthy, and the model is in no list, or in it
without workers (pytorch/serve 2099).
"""

from __future__ import annotations

import os
from typing import Collection, Sequence

from ts_retry_ext.archive.manifest import DEFAULT_VERSION
from ts_retry_ext.archive.model_archive import ArchiveError
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.frontend.startup_models import (
    StartupModel,
    archive_path,
    manifest_name,
    startup_models,
)
from ts_retry_ext.logs.registration_lines import (
    LoggedRegistrations,
    Refused,
    archive_name,
    registrations_in,
)
from ts_retry_ext.logs.server_log import read_server_log
from ts_retry_ext.snapshot.model import NotRegistered

_AGAIN = "Then {restart}, or {command} (needs enable_model_api=true)."


def find_not_registered(
    configuration: ServerConfiguration,
    started_at: float,
    running: Sequence[RunningModel],
    known: Collection[str] = (),
    sees_log: bool = True,
) -> list[NotRegistered]:
    """Return the models that a running server was to register at its start and could not.

    One that somebody has unregistered since is not missed: its workers have written something, or the
    log says that it was registered. Reads archives and the log only where a model is missing.

    Args:
        configuration: the server's.
        started_at: when it started, seconds since the epoch.
        running: the models that it has.
        known: names of models whose workers wrote something in this run.
        sees_log: whether its log can be read. Without it, only a broken archive is evidence.
    """
    have = {model.name: model for model in running}
    empty = {model.name for model in running if not model.workers and not model.max_workers}
    wanted = startup_models(configuration, started_at)
    suspects = [one for one in wanted if one.name not in have or one.name in empty]
    if not suspects:
        return []
    told = registrations_in(read_server_log(configuration.log_dir))
    if not told.has_start:
        # What is not in the log any more cannot be held against a model whose archive is not there either.
        suspects = [one for one in suspects if os.path.exists(archive_path(one, configuration))]
    told = _with_rest_of_snapshot(told, wanted, have)
    if not sees_log:
        suspects = [one for one in suspects if _is_broken(one, configuration)]
    found = (_judged(one, configuration, have, empty, known, told) for one in suspects)
    return [one for one in found if one is not None]


def _with_rest_of_snapshot(
    told: LoggedRegistrations, wanted: Sequence[StartupModel], have: Collection[str]
) -> LoggedRegistrations:
    """Give each model that the restore of a snapshot did not come to the reason of its end."""
    ended = told.restore_ended
    if ended is None:
        return told
    missing = [one.name for one in wanted if one.name not in have and one.name not in told.added]
    at_fault = next(iter([*told.refused, *missing]), "")
    rest = {name: ended if name == at_fault else ended._replace(after=at_fault) for name in missing}
    return told._replace(refused={**rest, **told.refused})


def _is_broken(suspect: StartupModel, configuration: ServerConfiguration) -> bool:
    try:
        manifest_name(suspect, configuration)
    except ArchiveError:
        return True
    return False


def _judged(
    suspect: StartupModel,
    configuration: ServerConfiguration,
    have: dict[str, RunningModel],
    empty: Collection[str],
    known: Collection[str],
    told: LoggedRegistrations,
) -> NotRegistered | None:
    name, broken = suspect.name, None
    try:
        name = manifest_name(suspect, configuration)
    except ArchiveError as error:
        broken = error.why
    if "://" in suspect.url:
        broken = None  # What was not downloaded is not there to be read: the log says why.
    # Its archive may have been replaced or removed since: the frontend knows where a model came from.
    name = next((model.name for model in have.values() if model.url == suspect.url), name)
    refused = told.refused.get(name) or told.refused.get(archive_name(suspect.url))
    if name in known or (told.has_start and refused is None):
        return None  # It was registered; where it is gone, somebody has unregistered it.
    if (name in have and not (name in empty and refused)) or (
        name not in have and name in told.added
    ):
        return None
    from ts_retry_ext.judge import redact  # Here: a server that has all its models needs no rules.

    running = have.get(name)
    cause = (
        broken or _words(refused) or "TorchServe did not register it, and its log does not say why"
    )
    version = running.version if running else DEFAULT_VERSION
    post = f"POST /models?url={suspect.url}"
    command = f"DELETE /models/{name}/{version} and {post}" if running else post
    remedy = f"{_repair(suspect, broken, refused)} {_AGAIN.format(restart=_restart(configuration), command=command)}"
    return NotRegistered(name, version, running, redact(cause), redact(remedy))


def _restart(configuration: ServerConfiguration) -> str:
    """Say how a restart registers it: TorchServe has written a snapshot without it since, and starts from the newest."""
    file = configuration.config_file or ""
    if os.path.dirname(file) != os.path.join(configuration.log_dir, "config"):
        return "restart the server"
    return f"restart the server with --ts-config {file} (the newest snapshot lacks it)"


def _words(refused: Refused | None) -> str | None:
    if refused is None:
        return None
    told = refused.told.rstrip(": ")
    return f"{told}: {refused.why}" if refused.why else told


def _repair(suspect: StartupModel, broken: str | None, refused: Refused | None) -> str:
    if refused is not None and refused.after:
        return f"Correct {refused.after}, at which the restore ended."
    if "://" in suspect.url:
        return "Look whether the archive is whole at its address, and whether the server may and can download it."
    if broken is not None:
        return f"Pack or copy {os.path.basename(suspect.url)} again."
    if refused is not None and "pip" in refused.told:
        return "Correct its requirements, or let the server reach the package index."
    return (
        f"Correct what the cause names; ts-retry check {suspect.url} loads it as TorchServe would."
    )
