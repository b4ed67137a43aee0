"""What a server reads at its start: its configuration file, values and places."""

from __future__ import annotations

import itertools
import os
from typing import TYPE_CHECKING, NamedTuple, Sequence

from ts_retry_ext.frontend.properties import marked_keys, read_properties, resolve_environment
from ts_retry_ext.settings import ENVIRONMENT_PREFIX as OUR_PREFIX
from ts_retry_ext.settings import STATE_DIRECTORY_NAME, Settings, resolve

if TYPE_CHECKING:
    from ts_retry_ext.frontend.process import Frontend

from ts_retry_ext.frontend.process import Frontend

DEFAULT_MANAGEMENT_ADDRESS = "http://127.0.0.1:8081"
DEFAULT_INFERENCE_ADDRESS = "http://127.0.0.1:8080"
KEY_FILE = "key_file.json"
_ENVIRONMENT_PREFIX = "TS_"


class ServerConfiguration(NamedTuple):
    """The configuration of a server.

    Attributes:
        cwd: its working directory; relative paths and the key file are there.
        config_file: the absolute path of the file it read, or None where there is none.
        properties: keys and values of that file, environment references resolved.
        log_dir: absolute path of the log directory.
        environ: its environment, empty where that may not be read.
        model_store: absolute path of its model store, or None where it has none.
        key_file: path of its key file, or None where it asks for no key. There is no such file
            before 0.11.1, which asks for no key whatever its configuration says.
        problems: what could not be read, one sentence each.
        load_models: what it registers at its start, as ``load_models`` names it; None for nothing.
    """

    cwd: str
    config_file: str | None
    properties: dict[str, str]
    log_dir: str
    environ: dict[str, str]
    model_store: str | None = None
    key_file: str | None = None
    problems: tuple[str, ...] = ()
    load_models: str | None = None

    def origin(self, key: str) -> tuple[str, str]:
        """Return where the value of `key` was set, and the key's name there."""
        if key in _from_environment(self.properties, self.environ):
            return "environment", _ENVIRONMENT_PREFIX + key.upper()
        return self.config_file or "config.properties", key

    @property
    def management_address(self) -> str:
        """Return ``management_address`` (default of 0.12.0 ConfigManager.getListener)."""
        return self.properties.get("management_address", DEFAULT_MANAGEMENT_ADDRESS)

    @property
    def inference_address(self) -> str:
        """Return ``inference_address`` (default of 0.12.0 ConfigManager.getListener)."""
        return self.properties.get("inference_address", DEFAULT_INFERENCE_ADDRESS)

    @property
    def certificate_file(self) -> str | None:
        """Return the path of the server's certificate (PEM) where it can be read, else None."""
        named = self.properties.get("certificate_file")
        path = os.path.join(self.cwd, named) if named else None
        return path if path and os.access(path, os.R_OK) else None

    def has_read(self, path: str) -> bool:
        """Tell whether `path` is the file that the server read."""
        own = self.config_file
        return own is not None and os.path.realpath(own) == os.path.realpath(path)

    @property
    def temp_dir(self) -> str:
        """Return the directory that Python's ``tempfile`` takes in the server's environment."""
        for name in ("TMPDIR", "TEMP", "TMP"):
            if self.environ.get(name):
                return os.path.join(self.cwd, self.environ[name])
        return "/tmp"

    def settings(
        self, section: object = None, model_config_file: str = "model-config.yaml"
    ) -> tuple[Settings, tuple[str, ...]]:
        """Return the package's settings in force, and what is wrong with them; see `settings.resolve`.

        Args:
            section: what a model's configuration says; without it, what holds for every model.
        """
        return resolve(
            self.properties,
            self.environ,
            section,
            config_file=self.config_file,
            model_config_file=model_config_file,
        )

    def state_directories(self, user_id: int, settings: Settings | None = None) -> tuple[str, ...]:
        """Return the paths that a worker of the server tries, in this order; the first usable one counts.

        The configured one (relative to the server's working directory), ``ts_retry`` in the log
        directory, and a private directory of the server's user under its temporary directory.

        Args:
            settings: where they are known already, those that hold for all of its models.
        """
        paths = [
            os.path.join(self.log_dir, STATE_DIRECTORY_NAME),
            os.path.join(self.temp_dir, f"{STATE_DIRECTORY_NAME}-{user_id}"),
        ]
        configured = (settings or self.settings()[0]).state_dir.value
        if configured is not None:
            paths.insert(0, os.path.join(self.cwd, configured))
        return tuple(paths)


class Server(NamedTuple):
    """A running server: its frontend's process, and what that read at its start."""

    frontend: Frontend
    configuration: ServerConfiguration


def server_of(frontend: Frontend) -> Server:
    """Read the configuration of `frontend` the way it did itself. Never raises OSError."""
    return Server(frontend, configuration_of(frontend))


def configuration_of(frontend: Frontend) -> ServerConfiguration:
    """Return what `frontend` read at its start. Never raises OSError."""
    return configuration_of_start(
        frontend.cwd, frontend.cmdline, frontend.environ, frontend.started_at
    )


def configuration_of_start(
    cwd: str, cmdline: Sequence[str], environ: dict[str, str], started_at: float
) -> ServerConfiguration:
    """Return what a server reads that is started so. Never raises OSError.

    Args:
        started_at: when it is started, seconds since the epoch.
    """
    log_dir = _log_dir(cwd, cmdline, environ)
    path = _config_file(cwd, cmdline, environ, log_dir, started_at)
    made = configuration_of_file(cwd, path, environ)
    given = option_of(cmdline, "-s")
    models = ",".join(_options(cmdline, "-m"))
    return made._replace(
        log_dir=log_dir,
        load_models=models or made.load_models,
        model_store=os.path.join(cwd, given) if given is not None else made.model_store,
        key_file=None if "--disable-token-auth" in cmdline else made.key_file,
    )


def configuration_of_file(
    cwd: str, path: str | None, environ: dict[str, str]
) -> ServerConfiguration:
    """Return what the file at `path` configures where the command line says nothing else.

    Never raises OSError.
    """
    problems: list[str] = []
    properties: dict[str, str] = {}
    if path is not None:
        try:
            properties = resolve_environment(read_properties(path), environ)
            properties.update(_from_environment(properties, environ))
            problems.extend(marked_keys(properties, path))
        except OSError as error:
            problems.append(f"cannot read the server's configuration {path!r}: {error.strerror}")
    store = properties.get("model_store")
    disabled = properties.get("disable_token_authorization", "false").strip().lower() == "true"
    return ServerConfiguration(
        cwd=cwd,
        config_file=path,
        properties=properties,
        log_dir=os.path.join(cwd, "logs"),
        environ=environ,
        model_store=os.path.join(cwd, store) if store else None,
        key_file=None if disabled else os.path.join(cwd, KEY_FILE),
        problems=tuple(problems),
        load_models=properties.get("load_models"),
    )


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


def _log_dir(cwd: str, cmdline: Sequence[str], environ: dict[str, str]) -> str:
    """Return ``LOG_LOCATION`` or its default ``logs`` (0.12.0 ConfigManager's constructor)."""
    location = environ.get("LOG_LOCATION")
    if location is None:
        location = _system_property(cmdline, "LOG_LOCATION") or "logs"
    return os.path.join(cwd, location)


def _config_file(
    cwd: str, cmdline: Sequence[str], environ: dict[str, str], log_dir: str, started_at: float
) -> str | None:
    """Return the path that 0.12.0 ConfigManager's constructor reads, in its order of precedence."""
    named = environ.get("TS_CONFIG_FILE") or option_of(cmdline, "-f")
    if named is not None:
        return os.path.join(cwd, named)
    if "-ncs" not in cmdline:
        from ts_retry_ext.frontend.config_snapshots import last_snapshot

        snapshot = last_snapshot(log_dir, started_at)
        if snapshot is not None:
            return snapshot
    default = _system_property(cmdline, "tsConfigFile") or "config.properties"
    path = os.path.join(cwd, default)
    return path if os.path.exists(path) else None


def option_of(cmdline: Sequence[str], name: str) -> str | None:
    """Return what follows an option in a command line, or None where it is not there."""
    return next((value for option, value in zip(cmdline, cmdline[1:]) if option == name), None)


def _options(cmdline: Sequence[str], name: str) -> list[str]:
    """Return all values of an option, up to the next one."""
    if name not in cmdline:
        return []
    after = cmdline[list(cmdline).index(name) + 1 :]
    return list(itertools.takewhile(lambda value: not value.startswith("-"), after))


def _system_property(cmdline: Sequence[str], name: str) -> str | None:
    prefix = f"-D{name}="
    return next((arg[len(prefix) :] for arg in cmdline if arg.startswith(prefix)), None)
