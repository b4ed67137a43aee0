"""Tell how a running frontend was configured: its configuration file, values and directories."""

from __future__ import annotations

import os
from typing import NamedTuple

from ts_retry_ext.frontend.process import Frontend
from ts_retry_ext.frontend.properties import read_properties, resolve_environment
from ts_retry_ext.settings import ENVIRONMENT_PREFIX as OUR_PREFIX

DEFAULT_MANAGEMENT_ADDRESS = "http://127.0.0.1:8081"
DEFAULT_INFERENCE_ADDRESS = "http://127.0.0.1:8080"
_ENVIRONMENT_PREFIX = "TS_"


class Server(NamedTuple):
    """A frontend together with the configuration that it read at its start.

    Attributes:
        frontend: the process.
        config_file: the absolute path of the file it read, or None where there is none.
        properties: keys and values of that file, environment references resolved.
        log_dir: absolute path of the log directory.
        problems: what could not be read, one sentence each.
    """

    frontend: Frontend
    config_file: str | None
    properties: dict[str, str]
    log_dir: str
    problems: tuple[str, ...]

    @property
    def management_address(self) -> str:
        """Return ``management_address`` (default of 0.12.0 ConfigManager.getListener)."""
        return self.properties.get("management_address", DEFAULT_MANAGEMENT_ADDRESS)

    @property
    def inference_address(self) -> str:
        """Return ``inference_address`` (default of 0.12.0 ConfigManager.getListener)."""
        return self.properties.get("inference_address", DEFAULT_INFERENCE_ADDRESS)

    @property
    def temp_dir(self) -> str:
        """Return the directory that Python's ``tempfile`` takes in the server's environment."""
        for name in ("TMPDIR", "TEMP", "TMP"):
            if self.frontend.environ.get(name):
                return os.path.join(self.frontend.cwd, self.frontend.environ[name])
        return "/tmp"


def server_of(frontend: Frontend) -> Server:
    """Read the configuration of `frontend` the way it did itself. Never raises OSError."""
    log_dir = _log_dir(frontend)
    path = _config_file(frontend, log_dir)
    problems: list[str] = []
    properties: dict[str, str] = {}
    if path is not None:
        try:
            properties = resolve_environment(read_properties(path), frontend.environ)
            properties.update(_from_environment(properties, frontend.environ))
        except OSError as error:
            problems.append(f"cannot read the server's configuration {path!r}: {error.strerror}")
    return Server(frontend, path, properties, log_dir, tuple(problems))


def _from_environment(properties: dict[str, str], environ: dict[str, str]) -> dict[str, str]:
    """Return what ``TS_...`` variables set where the file allows it with ``enable_envvars_config``.

    As 0.12.0 ConfigManager.setSystemVars. Ours, ``TS_RETRY_...``, need no permission and are
    resolved with the settings.
    """
    if properties.get("enable_envvars_config", "").lower() != "true":
        return {}
    found = {name: value for name, value in environ.items() if name.startswith(_ENVIRONMENT_PREFIX)}
    allowed = properties.get("use_env_allowed_urls", "").lower() == "true"
    return {
        name[len(_ENVIRONMENT_PREFIX) :].lower(): value
        for name, value in found.items()
        if not name.startswith(OUR_PREFIX) and (allowed or name != "TS_ALLOWED_URLS")
    }


def _log_dir(frontend: Frontend) -> str:
    """Return ``LOG_LOCATION`` or its default ``logs`` (0.12.0 ConfigManager's constructor)."""
    location = frontend.environ.get("LOG_LOCATION")
    if location is None:
        location = _system_property(frontend.cmdline, "LOG_LOCATION") or "logs"
    return os.path.join(frontend.cwd, location)


def _config_file(frontend: Frontend, log_dir: str) -> str | None:
    """Return the path that 0.12.0 ConfigManager's constructor reads, in its order of precedence."""
    named = frontend.environ.get("TS_CONFIG_FILE") or _option(frontend.cmdline, "-f")
    if named is not None:
        return os.path.join(frontend.cwd, named)
    if "-ncs" not in frontend.cmdline:
        snapshot = _last_snapshot(os.path.join(log_dir, "config"), frontend.started_at)
        if snapshot is not None:
            return snapshot
    default = _system_property(frontend.cmdline, "tsConfigFile") or "config.properties"
    path = os.path.join(frontend.cwd, default)
    return path if os.path.exists(path) else None


def _last_snapshot(folder: str, before: float) -> str | None:
    """Return the newest config snapshot written before the server started.

    Names start with a time stamp (0.12.0 FSSnapshotSerializer). The server writes snapshots of its
    own later, so the newest one of all is not the one it read.
    """
    try:
        names = sorted(os.listdir(folder), reverse=True)
        paths = (os.path.join(folder, name) for name in names)
        return next((path for path in paths if os.stat(path).st_mtime < before), None)
    except OSError:
        return None


def _option(cmdline: tuple[str, ...], name: str) -> str | None:
    for option, value in zip(cmdline, cmdline[1:]):
        if option == name:
            return value
    return None


def _system_property(cmdline: tuple[str, ...], name: str) -> str | None:
    prefix = f"-D{name}="
    return next((arg[len(prefix) :] for arg in cmdline if arg.startswith(prefix)), None)
