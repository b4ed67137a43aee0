"""The operator's own rules in force: those of a server's settings, and of its models' configuration."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterable, Iterator

from ts_retry_ext.frontend.rules_file import RulesFileError, named_rules_files, read_rules_file
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.user_rules import RuleProblem, rules_from_data, rules_of_packs
from ts_retry_ext.settings import MODEL_SECTION, Resolved, Settings, resolve

if TYPE_CHECKING:
    from ts_retry_ext.frontend.server_configuration import ServerConfiguration


@dataclass(frozen=True)
class OwnRules:
    """The operator's rules that one setting names.

    Attributes:
        model: name and version of the model they are for, None for every model without own ones.
        setting: where the setting was made.
        rules: in order; each knows the file it was read from.
        problems: the rules that are wrong and left out.
        unreadable: why none could be read, or empty.
    """

    model: str | None
    setting: str
    rules: tuple[Rule, ...] = ()
    problems: tuple[RuleProblem, ...] = ()
    unreadable: str = ""


def read_rules(
    setting: str, directory: str = ""
) -> tuple[tuple[Rule, ...], tuple[RuleProblem, ...]]:
    """Return the rules of YAML files, and what is wrong with those that are left out.

    Args:
        directory: what relative names are relative to; empty for the working directory.

    Raises:
        RulesFileError: a file or folder cannot be read at all.
    """
    files = named_rules_files(setting, directory)
    return rules_of_packs((read_rules_file(path), path) for path in files)


def rules_of_server(configuration: ServerConfiguration) -> OwnRules | None:
    """Return the rules that a server sets for all its models, None where it sets none."""
    return _named_by(configuration.settings()[0], None, configuration.cwd)


def rules_of_archives(
    paths: Iterable[str], configuration: ServerConfiguration
) -> Iterator[OwnRules]:
    """Yield the rules that archives and model folders bring, for those that bring any."""
    for path in paths:
        yield from _of_archive(path, None, configuration)


def rules_of_registered(configuration: ServerConfiguration) -> Iterator[OwnRules]:
    """Yield the rules of the models that a running server has, for those that bring any.

    Raises:
        ManagementError: the management API does not name its models.
    """
    from ts_retry_ext.frontend.management import management_api_of
    from ts_retry_ext.frontend.registered import archive_of

    for model in management_api_of(configuration).describe_all():
        path = archive_of(model, configuration)
        if path is not None:
            yield from _of_archive(path, f"{model.name} {model.version}", configuration)


def _of_archive(
    path: str, model: str | None, configuration: ServerConfiguration
) -> Iterator[OwnRules]:
    """Yield the rules of an archive; `model` is what it is registered as, None for what its manifest says."""
    from ts_retry_ext.archive.model_archive import ArchiveError, read_archive
    from ts_retry_ext.archive.model_config import ModelConfigError, read_model_config

    try:
        archive = read_archive(path)
    except ArchiveError as error:
        yield OwnRules(model or os.path.basename(path), path, unreadable=str(error))
        return
    if archive.config is None:
        return
    model = model or f"{archive.model} {archive.version}"
    where = f"{archive.path}: {archive.config_file}"
    try:
        section = read_model_config(archive.config).get(MODEL_SECTION)
    except ModelConfigError as error:
        yield OwnRules(model, where, unreadable=f"{where}: {error}")
        return
    if not isinstance(section, dict) or "rules" not in section:
        return
    settings, _ = resolve({}, {}, {"rules": section["rules"]}, model_config_file=where)
    if settings.rules.value is None:
        told = f"{where}: {MODEL_SECTION}: rules must be a list of rules, or name a YAML file or a folder of them"
        yield OwnRules(model, where, unreadable=told)
        return
    own = _named_by(settings, model, configuration.cwd)
    if own is not None:
        yield own


def _named_by(settings: Settings, model: str | None, cwd: str) -> OwnRules | None:
    """Return the rules of a resolved setting; a path is relative to the server's directory."""
    setting: Resolved = settings.rules
    if setting.value is None:
        return None
    if not isinstance(setting.value, str):
        rules, problems = rules_from_data(setting.value, setting.source)
        return OwnRules(model, setting.source, rules, problems)
    try:
        rules, problems = read_rules(setting.value, cwd)
    except RulesFileError as error:
        return OwnRules(model, setting.source, unreadable=f"{error} (set by {setting.source})")
    return OwnRules(model, setting.source, rules, problems)
