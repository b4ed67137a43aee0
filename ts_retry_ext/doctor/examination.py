"""Examine the environment of a server: everything that a halt needs."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from ts_retry_ext.doctor.configuration_checks import check_configuration
from ts_retry_ext.doctor.diagnosis import Diagnosis
from ts_retry_ext.doctor.interpreter_checks import check_interpreter, check_java
from ts_retry_ext.doctor.plugin_check import check_plugin
from ts_retry_ext.doctor.server_checks import (
    check_last_start,
    check_server,
    check_sidecar,
    check_snapshots,
)
from ts_retry_ext.doctor.settings_checks import check_rules, check_settings, check_state
from ts_retry_ext.frontend.properties import read_properties, resolve_environment
from ts_retry_ext.frontend.server import Server
from ts_retry_ext.frontend.server_configuration import ServerConfiguration, configuration_of_file
from ts_retry_ext.frontend.state_directories import server_settings
from ts_retry_ext.logs.server_log import failed_start
from ts_retry_ext.settings import Settings, resolve


@dataclass(frozen=True)
class Examination:
    """What was found.

    Attributes:
        diagnoses: in the order of the checks.
        settings: those in force.
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
        server: the running server, or None.
        python: the interpreter of its workers; None for the server's own, else this one.
        ts_config: the ``config.properties`` to take settings from; None for the server's own, else
            that of a start here that failed, else the one that a server started here would find.

    Raises:
        OSError: `ts_config` cannot be read.
    """
    log_dir = os.environ.get("LOG_LOCATION", "logs")
    failed = None if server else failed_start(log_dir)
    if failed and ts_config is None and os.path.isfile(failed.config_file or ""):
        ts_config = failed.config_file
    settings, problems, config_file = _settings(server, ts_config)
    # An environment that may not be read, of another user's server, is empty.
    environ = (server.configuration.environ if server else None) or os.environ
    configuration, is_running = _configuration(server, ts_config, config_file)
    return Examination(
        diagnoses=(
            *check_interpreter(python or _python(server), environ),
            check_java(environ, server_runs=server is not None),
            *check_server(server),
            *check_last_start(failed),
            *check_snapshots(server.configuration.log_dir if server else log_dir),
            *check_sidecar(server, settings),
            check_plugin(server),
            *check_configuration(configuration, is_running=is_running),
            *check_settings(settings, problems),
            *check_rules(configuration),
            *check_state(server, settings),
        ),
        settings=settings,
        config_file=config_file,
        server_pid=server.frontend.pid if server else None,
    )


def _configuration(
    server: Server | None, ts_config: str | None, config_file: str | None
) -> tuple[ServerConfiguration, bool]:
    """Return what a server started with, or would in this folder, and whether one runs with it."""
    if server is not None and ts_config is None:
        return server.configuration, True
    made = configuration_of_file(os.getcwd(), config_file, dict(os.environ))
    running = server.configuration.config_file if server else None
    return made, bool(running and config_file and os.path.realpath(config_file) == running)


def _python(server: Server | None) -> str:
    """Return the interpreter of a server's workers (0.12.0 ConfigManager: ``--python``, ``python``)."""
    if server is None:
        return sys.executable
    cmdline = server.frontend.cmdline
    named = [v for option, v in zip(cmdline, cmdline[1:]) if option == "--python"]
    return named[0] if named else server.configuration.properties.get("python", sys.executable)


def _settings(
    server: Server | None, ts_config: str | None
) -> tuple[Settings, tuple[str, ...], str | None]:
    """Return the settings, what is wrong with them, and the file they were taken from."""
    if server is not None and ts_config is None:
        return (*server_settings(server.configuration), server.configuration.config_file)
    path = ts_config or os.environ.get("TS_CONFIG_FILE") or "config.properties"
    if ts_config is None and not os.path.exists(path):
        return (*resolve({}, os.environ), None)
    properties = resolve_environment(read_properties(path), os.environ)
    return (*resolve(properties, os.environ, config_file=path), path)
