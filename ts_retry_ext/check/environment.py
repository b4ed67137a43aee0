"""The environment that the frontend gives a worker (0.12.0 EnvironmentUtils.getEnvString)."""

from __future__ import annotations

import importlib.util
import os
import re
import time
from typing import Mapping

from ts_retry_ext.frontend.server_configuration import ServerConfiguration, configuration_of_start

#: What ConfigManager.getBackendConfiguration adds, from properties of the same name.
_BACKEND = {
    "TS_DECODE_INPUT_REQUEST": ("decode_input_request", "true"),
    "TS_IPEX_ENABLE": ("ipex_enable", "false"),
    "TS_IPEX_GPU_ENABLE": ("ipex_gpu_enable", "false"),
}
_HIDDEN = "blacklist_env_vars"
_PACKAGE_FOLDERS = ("site-packages", "dist-packages")


class NoTorchServeError(Exception):
    """TorchServe is not installed beside this package."""


def configuration_here(ts_config: str | None) -> ServerConfiguration:
    """Return the configuration of a server that was started here and now.

    Args:
        ts_config: its ``config.properties``; without it, what a server would find by itself.
    """
    environ = dict(os.environ)
    cmdline: tuple[str, ...] = ("-ncs",)
    if ts_config is not None:
        environ.pop("TS_CONFIG_FILE", None)
        cmdline = ("-ncs", "-f", os.path.abspath(ts_config))
    found = configuration_of_start(os.getcwd(), cmdline, environ, time.time())
    hidden = found.properties.get(_HIDDEN, "")
    try:
        re.compile(hidden)
    except re.error as error:
        problem = f"{found.config_file}: {_HIDDEN} is {hidden!r:.80}, no pattern: {error}"
        return found._replace(problems=(*found.problems, problem))
    return found


def server_home() -> str:
    """Return the folder that holds TorchServe's package ``ts``.

    Raises:
        NoTorchServeError: it is not installed.
    """
    found = importlib.util.find_spec("ts")
    for folder in (found.submodule_search_locations or ()) if found else ():
        if os.path.isfile(os.path.join(folder, "model_service_worker.py")):
            return os.path.dirname(os.path.abspath(folder))
    msg = (
        "TorchServe is not installed in this environment: pip install torchserve, or run ts-retry "
        "from the environment that has it"
    )
    raise NoTorchServeError(msg)


def worker_environment(
    environ: Mapping[str, str],
    properties: Mapping[str, str],
    *,
    home: str,
    model_dir: str,
    handler: str | None,
) -> dict[str, str]:
    """Return the environment of a worker.

    Args:
        home: see `server_home`.
        model_dir: the folder the frontend made for the model, or its link to the model's own.
    """
    entries = []
    if handler is not None and ":" in handler:
        file = handler.split(":")[0]
        entries.append(file.rpartition("/")[0] if "/" in file else file)
    if "PYTHONPATH" in environ:
        entries.append(environ["PYTHONPATH"])
    entries.append(os.path.realpath(model_dir))
    if os.path.islink(model_dir):
        entries.append(os.path.dirname(os.path.abspath(model_dir)))
    # A separator stands behind each of them, so that the path ends in an empty entry.
    entries.append("" if any(name in home for name in _PACKAGE_FOLDERS) else home)
    backend = {name: properties.get(key, default) for name, (key, default) in _BACKEND.items()}
    hidden = re.compile(properties.get(_HIDDEN, ""))
    wanted = {**environ, **backend, "PYTHONPATH": os.pathsep.join(entries)}
    return {name: value for name, value in wanted.items() if not hidden.fullmatch(name)}


def metrics_file(properties: Mapping[str, str], home: str) -> str:
    """Return the file of ``metrics_config`` (0.12.0 ConfigManager.getMetricsConfigPath)."""
    named = properties.get("metrics_config")
    return os.path.realpath(named) if named else os.path.join(home, "ts", "configs", "metrics.yaml")
