"""Examine the environment of a server: everything that a halt needs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from ts_retry_ext.doctor.configuration_checks import check_configuration
from ts_retry_ext.doctor.diagnosis import Diagnosis
from ts_retry_ext.doctor.interpreter_checks import check_interpreter, check_java
from ts_retry_ext.doctor.server_checks import (
    check_last_start,
    check_plugin,
    check_server,
    check_sidecar,
    check_snapshots,
)
from ts_retry_ext.doctor.settings_checks import check_rules, check_settings, check_state
from ts_retry_ext.frontend.properties import read_properties, resolve_environment
from ts_retry_ext.frontend.server_configuration import (
    Server,
    ServerConfiguration,
    configuration_of_file,
    option_of,
)
from ts_retry_ext.logs.server_log import FailedStart, failed_start
from ts_retry_ext.settings import Settings, resolve


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        diagnoses: in the order of the checks.
        config_file: the ``config.properties`` that they were taken from, or None.
        server_pid: process id of the running server's frontend, or None where none runs.
    """

    diagnoses: tuple[Diagnosis, ...]
    settings: Settings
    config_file: str | None
    server_pid: int | None

    @property
    def is_healthy(self) -> bool:
        """Tell whether nothing is in a halt's way."""
        return not any(found.is_wrong for found in self.diagnoses)

    def to_json(self) -> dict[str, object]:
        """Return the content of ``doctor --json``."""
        return {
            "healthy": self.is_healthy,
            "server_pid": self.server_pid,
            "config_file": self.config_file,
            "checks": [dict(vars(found)) for found in self.diagnoses],
            "settings": {
                name: {"value": resolved.value, "source": resolved.source}
                for name, resolved in self.settings._asdict().items()
            },
        }


def examine(server: Server | None, *, python: str | None, ts_config: str | None) -> Examination:
    """Examine the environment of `server`, or of one that would be started here.

    Args:
        python: the interpreter of its workers; None for the server's own, else this one.
        ts_config: the ``config.properties`` to examine, of a server or of one to come; None for the
            server's own, else that of a start here that failed, else the one that a server started here
            would find.

    Raises:
        OSError: `ts_config` cannot be read.
    """
    log_dir = os.environ.get("LOG_LOCATION", "logs")
    named = ts_config
    if server is not None and named is not None and server.configuration.has_read(named):
        ts_config = None  # It is read as the server reads it, with its environment and its folder.
    failed = None if server else _failed_start(log_dir, named)
    if failed and ts_config is None and os.path.isfile(failed.config_file or ""):
        ts_config = failed.config_file
    settings, problems, config_file = _settings(server, ts_config)
    # An environment that may not be read, of another user's server, is empty.
    environ = (server.configuration.environ if server else None) or os.environ
    configuration = _configuration(server, ts_config, config_file)
    is_running = server is not None and ts_config is None
    # TorchServe reads no snapshot where a file is named.
    snapshots = server.configuration.log_dir if server else None if named else log_dir
    return Examination(
        diagnoses=(
            *check_interpreter(python or _python(server, configuration), environ),
            check_java(environ, server_runs=server is not None),
            *check_server(server, named),
            *check_last_start(failed),
            *(check_snapshots(snapshots) if snapshots else ()),
            *check_sidecar(server, settings),
            check_plugin(server, configuration),
            *check_configuration(configuration, is_running=is_running),
            *check_settings(settings, problems),
            *check_rules(configuration),
            *check_state(server, settings),
        ),
        settings=settings,
        config_file=config_file,
        server_pid=server.frontend.pid if server else None,
    )


def _failed_start(log_dir: str, named: str | None) -> FailedStart | None:
    """Return how the last start in this folder failed; of a file that is named, only a start with that one."""
    failed = failed_start(log_dir)
    if failed is None or named is None:
        return failed
    file = failed.config_file
    return failed if file and os.path.realpath(file) == os.path.realpath(named) else None


def _configuration(
    server: Server | None, ts_config: str | None, config_file: str | None
) -> ServerConfiguration:
    """Return what a server started with, or would in this folder."""
    if server is not None and ts_config is None:
        return server.configuration
    return configuration_of_file(os.getcwd(), config_file, dict(os.environ))


def _python(server: Server | None, configuration: ServerConfiguration) -> str:
    """Return the interpreter of a server's workers (0.12.0 ConfigManager: ``--python``, ``python``)."""
    named = option_of(server.frontend.cmdline, "--python") if server else None
    return named or configuration.properties.get("python", sys.executable)


def _settings(
    server: Server | None, ts_config: str | None
) -> tuple[Settings, tuple[str, ...], str | None]:
    """Return the settings, what is wrong with them, and the file they were taken from."""
    if server is not None and ts_config is None:
        return (*server.configuration.settings(), server.configuration.config_file)
    path = ts_config or os.environ.get("TS_CONFIG_FILE") or "config.properties"
    if ts_config is None and not os.path.exists(path):
        return (*resolve({}, os.environ), None)
    properties = resolve_environment(read_properties(path), os.environ)
    return (*resolve(properties, os.environ, config_file=path), path)
