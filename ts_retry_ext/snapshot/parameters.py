"""Every parameter in force for a model with its value and its source, the package's own included."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Iterable, Iterator, Mapping, NamedTuple, Sequence

from ts_retry_ext.archive.model_archive import Archive, ArchiveError, read_archive
from ts_retry_ext.archive.model_config import (
    usable_model_config,
)
from ts_retry_ext.archive.parameter_candidates import Candidate, Origin, Start, parameters_of
from ts_retry_ext.frontend.registered import archive_in_force
from ts_retry_ext.frontend.running_model import RunningModel
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.frontend.version_entry import SNAPSHOT, entry_of_version
from ts_retry_ext.settings import MODEL_SECTION, SETTINGS
from ts_retry_ext.snapshot.effective import (
    effective_of_archive,
    effective_of_read,
    effective_of_registered,
)

#: What a request can set: at a registration, and the first two at any time.
_BY_REQUEST = frozenset(
    ("minWorkers", "maxWorkers", "batchSize", "maxBatchDelay", "responseTimeout", "startupTimeout")
)
BY_REQUEST = "registration or scaling through the API"
NOT_REPORTED = "not reported by this TorchServe"
UNSEEN = "unknown: the model's archive is not found"
CHANGED = "unknown: the model's archive says otherwise now"
#: Code of a problem of a setting of ours, as `ts-retry check` has it.
BAD_SETTING = "retry-settings"
#: What no TorchServe reports and only these rules, 0.12.0's, tell. That reports startupTimeout.
_NEVER_REPORTED = frozenset(("jobQueueSize", "asyncCommunication"))
_REPORTED_SINCE_0_12 = "startupTimeout"


class Parameter(NamedTuple):
    """A parameter in force.

    Attributes:
        name: as ``model-config.yaml`` calls it; a setting of the package, as ``config.properties`` does.
        value: its value, None where it has none or it is not known.
        source: where it was set, in words.
    """

    name: str
    value: Any
    source: str


@dataclass(frozen=True)
class ModelParameters:
    """What is in force for one version of a model, as ``config --all --json`` shows it.

    Attributes:
        model: its name; None for an archive that cannot be read.
        version: its version, likewise.
        archive: the archive's path, or None where it is not found.
        parameters: the parameters of TorchServe, then the settings of the package.
        problems: code and message of each thing that is ignored or refused.
    """

    model: str | None
    version: str | None
    archive: str | None
    parameters: tuple[Parameter, ...]
    problems: tuple[tuple[str, str], ...]

    def to_json(self) -> dict[str, Any]:
        """Return it as JSON has it."""
        return {
            **vars(self),
            "parameters": [
                {**parameter._asdict(), "value": _plain(parameter.value)}
                for parameter in self.parameters
            ],
            "problems": [{"code": code, "message": message} for code, message in self.problems],
        }


def _plain(value: object) -> object:
    """Return a value as JSON has it; a rule of the model's own can hold a date."""
    try:
        return json.loads(json.dumps(value, default=str))
    except (TypeError, ValueError):  # A date can be a key, too.
        return str(value)


def parameters_of_archive(path: str, configuration: ServerConfiguration) -> ModelParameters:
    """Return what is in force if a server's start registers the archive at `path`.

    Raises:
        MissingYamlError: it has a configuration, and PyYAML is not installed.
    """
    try:
        archive = read_archive(path)
    except ArchiveError:
        return ModelParameters(None, None, path, (), effective_of_archive(path).problems)
    subject = _Subject(archive.model, archive.version, archive, configuration)
    planned = subject.planned(at_startup=True)
    found = [subject.parameter(name, rows[0]) for name, rows in planned.items()]
    return subject.with_own_settings(found, path, effective_of_read(archive).problems)


def parameters_of_registered(
    model: RunningModel, configuration: ServerConfiguration, folders: Sequence[str] = ()
) -> ModelParameters:
    """Return what a server has in force for a model that it runs.

    Args:
        folders: where the model's unpacked files may be.

    Raises:
        MissingYamlError: its archive has a configuration, and PyYAML is not installed.
    """
    archive = archive_in_force(model, configuration, folders)
    subject = _Subject(model.name, model.version, archive, configuration)
    planned = subject.planned(at_startup=model.loaded_at_startup)
    row = effective_of_registered(model, configuration, folders)
    return subject.with_own_settings(_reported(model, subject, planned), row.archive, row.problems)


@dataclass(frozen=True)
class _Subject:
    """A version of a model, what its files say, and the server's configuration."""

    model: str
    version: str
    archive: Archive | None
    configuration: ServerConfiguration

    @cached_property
    def config(self) -> dict[str, Any] | None:
        # What is wrong with one that the frontend makes nothing of, `effective` names.
        return None if self.archive is None else usable_model_config(self.archive.config)

    @property
    def config_file(self) -> str:
        if self.archive is None or self.archive.config_file is None:
            return "model-config.yaml"
        if os.path.isdir(self.archive.path):
            return os.path.join(self.archive.path, self.archive.config_file.lstrip("/"))
        return f"{self.archive.path}: {self.archive.config_file}"

    def planned(self, *, at_startup: bool) -> dict[str, tuple[Candidate, ...]]:
        properties = self.configuration.properties
        entry = entry_of_version(self.model, self.version, properties)
        start = Start(properties, entry, SNAPSHOT in properties, at_startup)
        return parameters_of(self.config, start)

    def with_own_settings(
        self, found: Iterable[Parameter], path: str | None, problems: tuple[tuple[str, str], ...]
    ) -> ModelParameters:
        """Return parameters of TorchServe with the settings of the package behind them."""
        section = (self.config or {}).get(MODEL_SECTION)
        settings, wrong = self.configuration.settings(section, self.config_file)
        resolved = settings._asdict()
        own = (Parameter(row.property_key, *resolved[row.name]) for row in SETTINGS)
        said = (*problems, *((BAD_SETTING, message) for message in wrong))
        return ModelParameters(self.model, self.version, path, (*found, *own), said)

    def parameter(self, name: str, decided: Candidate) -> Parameter:
        return Parameter(name, decided.value, self._source(decided))

    def _source(self, decided: Candidate) -> str:
        origin, key = decided.origin, decided.key
        if origin is Origin.DEFAULT:
            return f"default ({key})" if key else "default"
        if origin is Origin.MODEL_CONFIG:
            return f"{self.config_file} ({key})"
        if origin is Origin.SERVER:
            place, name = self.configuration.origin(key)
            return f"{place} ({name})"
        place, name = self.configuration.origin(SNAPSHOT if origin is Origin.SNAPSHOT else "models")
        return f"{place} ({name}: {key})"


def _reported(
    model: RunningModel, subject: _Subject, planned: Mapping[str, tuple[Candidate, ...]]
) -> Iterator[Parameter]:
    """Yield what the frontend reports, each value with what explains it."""
    reported = dict(model.parameters)
    if "deviceType" in reported:
        reported.setdefault("deviceIds", ())  # It leaves out a list that is not there.
    for name, rows in planned.items():
        if name in _NEVER_REPORTED and _REPORTED_SINCE_0_12 in reported:
            yield subject.parameter(name, rows[0])
        elif name not in reported:
            yield Parameter(name, None, NOT_REPORTED)
        else:
            yield _explained(name, reported[name], rows, subject)


def _explained(name: str, value: Any, rows: tuple[Candidate, ...], subject: _Subject) -> Parameter:
    value = list(value) if isinstance(value, tuple) else value
    for row in rows:
        if row.value == value:
            return subject.parameter(name, row)
    if subject.archive is None:
        return Parameter(name, value, UNSEEN)
    last = rows[-1]
    if last.value is None:  # Only the frontend knows how many devices there are.
        also = f", or {BY_REQUEST}" if name in _BY_REQUEST else ""
        return subject.parameter(name, last)._replace(
            value=value, source=f"default ({last.key}){also}"
        )
    return Parameter(name, value, BY_REQUEST if name in _BY_REQUEST else CHANGED)
