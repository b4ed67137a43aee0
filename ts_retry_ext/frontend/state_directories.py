"""Where the state directory of a server lies: the one place that workers and commands agree on."""

from __future__ import annotations

import os

from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.settings import STATE_DIRECTORY_NAME, Settings, resolve


def server_settings(configuration: ServerConfiguration) -> tuple[Settings, tuple[str, ...]]:
    """Return the settings that hold for every model of a server, and what is wrong with them."""
    return resolve(
        configuration.properties, configuration.environ, config_file=configuration.config_file
    )


def own_state_directories(configuration: ServerConfiguration, user_id: int) -> tuple[str, ...]:
    """Return the paths that a worker of a server tries, by the server's own settings."""
    return state_directories(configuration, server_settings(configuration)[0], user_id)


def state_directories(
    configuration: ServerConfiguration, settings: Settings, user_id: int
) -> tuple[str, ...]:
    """Return the paths that a worker of a server tries, in this order; the first usable one counts.

    The configured one (relative to the server's working directory), ``ts_retry`` in the log
    directory, and a private directory of the server's user under its temporary directory.

    Args:
        configuration: the server's.
        settings: the settings that hold for all of its models.
        user_id: whom the server runs for.
    """
    paths = [
        os.path.join(configuration.log_dir, STATE_DIRECTORY_NAME),
        os.path.join(configuration.temp_dir, f"{STATE_DIRECTORY_NAME}-{user_id}"),
    ]
    if settings.state_dir.value is not None:
        paths.insert(0, os.path.join(configuration.cwd, settings.state_dir.value))
    return tuple(paths)
