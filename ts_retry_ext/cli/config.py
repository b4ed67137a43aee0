"""``ts-retry config``: the effective ``maxRetryTimeoutInSec``, or every parameter, and what is ignored."""

from __future__ import annotations

import argparse
import os
import re
from typing import TYPE_CHECKING, Iterator, NamedTuple

from ts_retry_ext.cli.printing import (
    ERROR,
    OK,
    USAGE,
    CommandError,
    as_command_error,
    print_json,
    print_line,
    print_table,
    print_wrapped,
    warn,
)
from ts_retry_ext.cli.shared_options import add_server_option, chosen_server

if TYPE_CHECKING:
    from ts_retry_ext.frontend.management import ManagementApi
    from ts_retry_ext.frontend.running_model import RunningModel
    from ts_retry_ext.frontend.server_configuration import ServerConfiguration
    from ts_retry_ext.snapshot.effective import Effective
    from ts_retry_ext.snapshot.parameters import ModelParameters, Parameter

#: Columns of a parameter's name, value and source.
_LINE = "{:28}  {:7}  {}"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "config",
        help="show the retry window of each model",
        description="Show the maxRetryTimeoutInSec in force for every model of the running server, or for "
        "those that are named. With PATH, show what TorchServe would use for these archives, model folders "
        "and model stores. Archives are read without unpacking them. With --all, show every parameter in "
        "force with its value and where that was set.",
        epilog="examples:\n  ts-retry config\n  ts-retry config --all my_model\n"
        "  ts-retry config model_store/my_model.mar\n"
        "  ts-retry config --all --ts-config config.properties model_store",
    )
    parser.add_argument(
        "named",
        nargs="*",
        metavar="MODEL|PATH",
        help="name of a model of the running server; or archive, model folder or model store, which comes "
        "first if it has the same name",
    )
    parser.add_argument(
        "--all",
        action="store_true",
        help="every parameter of TorchServe and every setting of this package, with its source",
    )
    parser.add_argument(
        "--ts-config",
        metavar="FILE",
        help="with PATH: config.properties of the server (default: what torchserve would find here)",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    add_server_option(parser)


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.archive.model_config import MissingYamlError

    asked = _asked(arguments.named, for_a_file=arguments.ts_config is not None)
    if arguments.ts_config is not None and not asked.paths:
        msg = "--ts-config is for archives: name a PATH besides"
        raise CommandError(msg, USAGE)
    windows: list[Effective] = []
    parameters: list[ModelParameters] = []
    with as_command_error(MissingYamlError):
        if arguments.all:
            parameters = list(_parameters(asked, arguments))
        else:
            windows = list(_windows(asked, arguments))
    rows: tuple[Effective | ModelParameters, ...] = (*windows, *parameters)
    if arguments.json:
        print_json([row.to_json() for row in rows])
    elif not rows:
        print_line("no model is registered")
    elif arguments.all:
        _print_parameters(parameters)
    else:
        _print_windows(windows)
    return ERROR if any(row.model is None for row in rows) else OK


class _Asked(NamedTuple):
    """What a command line names: models of the running server, and paths. With neither, all its models."""

    models: list[str]
    paths: list[str]


def _asked(named: list[str], *, for_a_file: bool) -> _Asked:
    """Tell names of models from paths.

    Args:
        for_a_file: whether a configuration is named, with which TorchServe may serve any folder.
    """
    paths = [one for one in named if _is_path(one) or (for_a_file and os.path.exists(one))]
    return _Asked([one for one in named if one not in paths], paths)


def _is_path(name: str) -> bool:
    """Tell whether a name can only be a path, or is that of something that holds a model."""
    from ts_retry_ext.archive.model_archive import ArchiveError
    from ts_retry_ext.archive.model_store import LOADED_BY_ALL, LOADED_BY_NAME, NO_MODEL, models_at

    if name.startswith(".") or os.sep in name or name.endswith(LOADED_BY_ALL + LOADED_BY_NAME):
        return True
    try:
        return bool(models_at(name))
    except ArchiveError as error:
        return os.path.exists(name) and error.why != NO_MODEL  # It cannot be looked into.


def _windows(asked: _Asked, arguments: argparse.Namespace) -> Iterator[Effective]:
    from ts_retry_ext.snapshot.effective import effective_of_archive, effective_of_registered

    for model in _registered(asked, arguments.pid):
        yield effective_of_registered(*model)
    for archive, _ in _archives(asked.paths, arguments.ts_config):
        yield effective_of_archive(archive)


def _parameters(asked: _Asked, arguments: argparse.Namespace) -> Iterator[ModelParameters]:
    from ts_retry_ext.snapshot.parameters import parameters_of_archive, parameters_of_registered

    for model in _registered(asked, arguments.pid):
        yield parameters_of_registered(*model)
    for archive in _archives(asked.paths, arguments.ts_config):
        yield parameters_of_archive(*archive)


def _archives(paths: list[str], ts_config: str | None) -> Iterator[tuple[str, ServerConfiguration]]:
    """Yield each archive that the command line names, with the configuration of its server."""
    from ts_retry_ext.cli.shared_options import archives_named, configuration_named

    if not paths:
        return
    configuration = configuration_named(ts_config)
    _warn_of(configuration)
    for archive in archives_named(paths, configuration):
        yield archive, configuration


def _registered(
    asked: _Asked, pid: int | None
) -> Iterator[tuple[RunningModel, ServerConfiguration, tuple[str, ...]]]:
    """Yield each model of a running server that is asked for, with what is needed to read its files."""
    from ts_retry_ext.frontend.choice import no_server
    from ts_retry_ext.frontend.condition import ManagementError
    from ts_retry_ext.frontend.management import management_api_of
    from ts_retry_ext.snapshot.effective import worker_folders

    if asked.paths and not asked.models:
        return
    server = chosen_server(pid)
    if server is None:
        unknown = "".join(f"{_no_path(name)}, and " for name in asked.models[:1])
        msg = f"{unknown}{no_server()}; or name archives or a model store"
        raise CommandError(msg)
    with as_command_error(ManagementError):
        api = management_api_of(server.configuration)
        models = _of_names(api, asked.models) if asked.models else api.describe_all()
    _warn_of(server.configuration)
    for model in models:
        yield model, server.configuration, tuple(worker_folders(model))


def _no_path(name: str) -> str:
    return f"{name!r} is no archive, model folder or model store"


def _of_names(api: ManagementApi, names: list[str]) -> list[RunningModel]:
    """Return all versions of the models of these names. Raises CommandError, ManagementError."""
    found: list[RunningModel] = []
    for name in names:
        versions = api.describe(name)
        if not versions:
            known = ", ".join(api.list_models()) or "none"
            msg = f"{_no_path(name)}, and no model of that name is registered, these are: {known}"
            raise CommandError(msg)
        found += versions
    return found


def _warn_of(configuration: ServerConfiguration) -> None:
    for problem in configuration.problems:
        warn(f"ts-retry: {problem}")


def _print_windows(rows: list[Effective]) -> None:
    columns = (
        "MODEL",
        "VERSION",
        "WINDOW",
        "SOURCE",
        "CONFIGURED",
        "RETRIES",
        "LAST AT",
        "ARCHIVE",
    )
    spare = ("CONFIGURED", "RETRIES", "LAST AT")
    print_table(columns, [_cells(row) for row in rows], aside=("ARCHIVE",), spare=spare)
    for row in rows:
        for code, message in row.problems:
            print_wrapped(f"{row.model or row.archive}: {message} [{code}]")


def _print_parameters(rows: list[ModelParameters]) -> None:
    for number, row in enumerate(rows):
        if number:
            print_line()
        if row.model is not None:
            print_line(f"{row.model} {row.version} ({row.archive or 'its archive is not found'})")
            print_line(_LINE.format("PARAMETER", "VALUE", "SOURCE"))
            for one in row.parameters:
                # No table: beside names this long, a terminal of 80 columns has no room for a third one.
                print_wrapped(
                    _LINE.format(one.name, _shown(one.value), _short_source(one)), indent=39
                )
        for code, message in row.problems:
            print_wrapped(f"{row.model or row.archive}: {message} [{code}]")


def _shown(value: object) -> str:
    """Return a value as YAML has it; a dash is what no value and an empty one are."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}"
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "-"
    return "-" if value is None else str(value) or "-"


def _short_source(parameter: Parameter) -> str:
    """Return a source without the folder of the file that it names, and without what the name says."""
    place, bracket, key = parameter.source.partition(" (")
    if not bracket:
        return place
    file = place.rpartition("/")[2].rpartition(": ")[2]
    inside = re.sub(rf"(^|: ){re.escape(parameter.name)}$", "", key[:-1])
    return f"{file} ({inside})" if inside else file


def _cells(row: Effective) -> tuple[object, ...]:
    retries, last = row.schedule or (None, None)
    return (
        row.model,
        row.version,
        None if row.max_retry_timeout_sec is None else f"{row.max_retry_timeout_sec} s",
        row.source,
        row.configured,
        retries,
        None if last is None else f"+{last:.0f} s",
        row.archive,
    )
