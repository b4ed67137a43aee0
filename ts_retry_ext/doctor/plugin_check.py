"""Check whether the frontend plug-in is loaded, and say how to have it."""

from __future__ import annotations

import os
from typing import Sequence

from ts_retry_ext.doctor.diagnosis import FINE, WARNING, Diagnosis
from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
from ts_retry_ext.plugin import FOLDER, JAR, LINE
from ts_retry_ext.snapshot.observed_server import observed

_NAME = "plug-in"
_KEY = "plugins_path"


def check_plugin(server: Server | None, configuration: ServerConfiguration) -> Diagnosis:
    """Return whether TorchServe's own ``/ping`` reports models that are down, or would.

    Args:
        configuration: what it reads, or what one would that is started here.
    """
    offer = f"TorchServe's own /ping fails while a model is down if config.properties has {LINE}"
    named = configuration.properties.get(_KEY)
    if server is None:
        return _before_the_start(configuration, named, offer)
    frontend = server.frontend
    if _is_on_class_path(frontend.cmdline, frontend.cwd):
        return Diagnosis(_NAME, FINE, f"loaded: {_of_loaded(server)}")
    if named is None:
        return Diagnosis(_NAME, FINE, f"not loaded: {offer}, after a restart")
    # The launcher reads the file itself, and neither variables nor a file found by default (0.12.0).
    return Diagnosis(
        _NAME,
        WARNING,
        f"{_KEY} is {named!r}, and {os.path.basename(JAR)} is not on the server's class path",
        f"write {LINE} into the file that --ts-config or TS_CONFIG_FILE names, or start with "
        f"--plugins-path {FOLDER}, and restart",
    )


def _of_loaded(server: Server) -> str:
    settings, _ = server.configuration.settings()
    if not settings.enabled.value:
        return (
            f"/ping is TorchServe's own, since {settings.enabled.source} switches the package off"
        )
    if not observed(server).run_dirs:
        return "/ping is TorchServe's own until a worker has written to the state directory"
    return "TorchServe's own /ping fails while a model is down"


def _before_the_start(
    configuration: ServerConfiguration, named: str | None, offer: str
) -> Diagnosis:
    if named is None:
        return Diagnosis(_NAME, FINE, f"off: {offer}")
    jar = os.path.join(configuration.cwd, named, os.path.basename(JAR))
    if os.path.isfile(jar):
        said = "on, if the server is started with this file as --ts-config or TS_CONFIG_FILE"
        return Diagnosis(_NAME, FINE, said)
    return Diagnosis(_NAME, WARNING, f"{_KEY} is {named!r}, and there is no {jar}", f"write {LINE}")


def _is_on_class_path(cmdline: Sequence[str], cwd: str) -> bool:
    entries = (
        entry
        for option, paths in zip(cmdline, cmdline[1:])
        if option in ("-cp", "-classpath", "--class-path")
        for entry in paths.split(os.pathsep)
    )
    name = os.path.basename(JAR)
    # "folder/*" means the jars in a folder; a jar is named as it is, and "jar/*" means nothing.
    jars = (entry[:-1] + name if entry.endswith("/*") else entry for entry in entries)
    return any(os.path.basename(j) == name and os.path.isfile(os.path.join(cwd, j)) for j in jars)
