"""Find the models that a server was started with and does not have, and why.

TorchServe logs a warning and goes on: its ``/ping`` says Healthy, and the model is in no list, or in it
without workers (pytorch/serve 2099).
"""

from __future__ import annotations

import os
from typing import Collection, Iterable, Sequence

from ts_retry_ext.archive.manifest import DEFAULT_VERSION
from ts_retry_ext.archive.model_archive import ArchiveError
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.frontend.startup_models import (
    StartupModel,
    archive_path,
    manifest_name,
    registered_as,
    startup_models,
)
from ts_retry_ext.logs.registration_lines import LoggedRegistrations, Refused, archive_name
from ts_retry_ext.logs.server_log import read_registrations
from ts_retry_ext.snapshot.model import NotRegistered

_NO_NAME = (
    "TorchServe takes what is before the first = for the model's name, and the rest for its archive"
)
_NAME_IT = "Write NAME=URL in load_models, and restart the server."
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
    wanted = startup_models(configuration, started_at)
    urls = {one.url for one in wanted}
    suspects = [one for one in wanted if one.serves and not _is_there(one, running, urls)]
    if not suspects:
        return []
    own_clock = configuration.environ.get("TZ") == os.environ.get("TZ")
    told = read_registrations(
        configuration.log_dir,
        configuration.management_address,
        started_at,
        has_own_clock=own_clock and sees_log,
    )
    ended = _rest_of_snapshot(told, wanted, running)
    if not sees_log:
        suspects = [one for one in suspects if _is_broken(one, configuration)]
    found = (
        _judged(
            one, configuration, running, known, told, ended.get((one.name, one.version)), wanted
        )
        for one in suspects
    )
    return [one for one in found if one is not None]


def _is_there(wanted: StartupModel, running: Iterable[RunningModel], urls: Collection[str]) -> bool:
    """Tell whether the server has a model, and workers of it."""
    return any(model.workers and _is_it(wanted, model, urls) for model in running)


def _is_it(wanted: StartupModel, model: RunningModel, urls: Collection[str]) -> bool:
    """Tell whether a model that the server has is one that it was started with.

    Two archives of ``load_models`` may be versions of one model: each stands for itself then.

    Args:
        wanted: what it was started with.
        model: what it has.
        urls: all archives that it was started with.
    """
    if model.name != wanted.name:
        return False
    if wanted.version is not None:
        return model.version == wanted.version
    return model.url == wanted.url or model.url not in urls


def _rest_of_snapshot(
    told: LoggedRegistrations, wanted: Sequence[StartupModel], running: Sequence[RunningModel]
) -> dict[tuple[str, str | None], Refused]:
    """Return why each model of a snapshot that was not restored was not, by name and version."""
    ended = told.restore_ended
    if ended is None:
        return {}
    have = {(model.name, model.version) for model in running}
    begun = [one for one in wanted if _was_not_restored(one, told, have)]
    if not begun:
        return {}
    at_fault = begun[0]
    since = " (it is registered since)" if at_fault.name in told.later else ""
    rest = {
        (one.name, one.version): ended._replace(after=f"{at_fault.name}{since}")
        for one in begun[1:]
    }
    own = told.refused.get(at_fault.name) or ended
    return {**rest, (at_fault.name, at_fault.version): own}


def _was_not_restored(
    one: StartupModel, told: LoggedRegistrations, have: Collection[tuple[str, str]]
) -> bool:
    """Tell whether the start did not register a model, as far as the log's level lets that be seen."""
    key = (one.name, one.version or DEFAULT_VERSION)
    if one.name in told.refused:
        return True
    return one.name in told.later or key not in {*have, *told.added}


def _is_broken(suspect: StartupModel, configuration: ServerConfiguration) -> bool:
    try:
        manifest_name(suspect, configuration)
    except ArchiveError:
        return True
    return False


def _judged(
    suspect: StartupModel,
    configuration: ServerConfiguration,
    running: Sequence[RunningModel],
    known: Collection[str],
    told: LoggedRegistrations,
    ended: Refused | None,
    wanted: Sequence[StartupModel],
) -> NotRegistered | None:
    name, version, broken = suspect.name, suspect.version, None
    packed = None
    try:
        name, packed = registered_as(suspect, configuration)
    except ArchiveError as error:
        broken = error.why
    if "://" in suspect.url:
        broken = None  # What was not downloaded is not there to be read: the log says why.
    if version is None:
        # Its archive may have been replaced or removed since: the frontend knows where a model came from.
        name = next((model.name for model in running if model.url == suspect.url), name)
    siblings = [model for model in running if model.name == name]
    urls = {one.url for one in wanted}
    mine = [
        model
        for model in siblings
        if model.version == packed or _is_it(suspect._replace(name=name), model, urls)
    ]
    same = [one.url for one in wanted if one.name == suspect.name]
    is_beside = version is None and not mine and bool(siblings or same[0] != suspect.url)
    refused = ended or told.refused.get(archive_name(suspect.url)) or told.refused.get(name)
    if refused is None and (
        told.has_start
        or suspect.came_later
        # What is not in the log any more cannot be held against a model whose archive is not there either.
        or not os.path.exists(archive_path(suspect, configuration))
    ):
        return None  # It was registered; where it is gone, somebody has unregistered it.
    if is_beside:
        if _has_changed(name, siblings, told) or (refused is None and broken is None):
            return None
    elif name in known and (version is None or mine or not siblings):
        return None
    elif mine:
        # TorchServe registers a model before it installs its requirements, and starts no workers where
        # these fail. One that was registered again since has none because nobody asked for any.
        if refused is None or name in told.later or any(model.workers for model in mine):
            return None
    elif told.has_had(name, version):
        return None
    from ts_retry_ext.judge import redact  # Here: a server that has all its models needs no rules.

    lists = mine[0] if mine else None
    if "://" in suspect.name:
        # What TorchServe takes for the archive may be a signature.
        return NotRegistered(redact(name), DEFAULT_VERSION, None, _NO_NAME, _NAME_IT)
    cause = (
        broken or _words(refused) or "TorchServe did not register it, and its log does not say why"
    )
    shown = lists.version if lists else version or packed
    shown = shown or (_file_of(suspect.url) if is_beside else DEFAULT_VERSION)
    post = f"POST /models?url={suspect.url.strip()}"
    post += f"&model_name={name}" if suspect.is_named else ""
    command = f"DELETE /models/{name}/{shown} and {post}" if lists else post
    again = _AGAIN.format(restart=_restart(configuration), command=command)
    remedy = redact(f"{_repair(suspect, broken, refused)} {again}")
    is_default = suspect.is_default and not is_beside
    return NotRegistered(name, shown, lists, redact(cause), remedy, is_default)


def _has_changed(name: str, siblings: Iterable[RunningModel], told: LoggedRegistrations) -> bool:
    """Tell whether a version of a model came or went after the start: somebody has seen to it."""
    had = {version for one, version in told.added if one == name}
    return not had <= {model.version for model in siblings}


def _file_of(url: str) -> str:
    """Return the file name of an archive, which names a version that cannot be read."""
    return os.path.basename(url.partition("?")[0].strip())


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
    if suspect.url != suspect.url.strip():
        return "Write load_models without blanks: TorchServe takes them for a part of the name."
    if "://" in suspect.url:
        return "Look whether the archive is whole at its address, and whether the server may and can download it."
    if broken is not None:
        return f"Pack or copy {os.path.basename(suspect.url)} again."
    if suspect.came_later:
        return f"{suspect.url} was replaced since the start."
    if refused is not None and "pip" in refused.told:
        return "Correct its requirements, or let the server reach the package index."
    return (
        f"Correct what the cause names; ts-retry check {suspect.url} loads it as TorchServe would."
    )
