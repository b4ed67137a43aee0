"""Check a running server: does its API answer, do its workers use the package, are plug-in and sidecar there."""

from __future__ import annotations

import json
import os
from typing import Iterator, Sequence

from ts_retry_ext.doctor.diagnosis import FINE, WARNING, WRONG, Diagnosis
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.config_snapshots import read_folder
from ts_retry_ext.frontend.exchange import UnreachableError, reachable_address
from ts_retry_ext.frontend.frontends_here import in_words, unseen_frontends
from ts_retry_ext.frontend.http import request
from ts_retry_ext.frontend.management import management_api_of
from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
from ts_retry_ext.logs.server_log import FailedStart
from ts_retry_ext.plugin import FOLDER, JAR, LINE
from ts_retry_ext.settings import Settings
from ts_retry_ext.snapshot.observed_server import observed

#: How long a sidecar may take to answer.
SIDECAR_SEC = 5.0
_PLUGIN, _PLUGINS_PATH = "plug-in", "plugins_path"
_OWN_ADDRESS = "give this server a retry_sidecar_address of its own, and restart it"


def check_server(server: Server | None, ts_config: str | None = None) -> Iterator[Diagnosis]:
    """Check a running server: does its API answer, and do its workers use the package.

    Args:
        ts_config: the configuration file that was named, if one was; other servers do not matter then.
    """
    if server is None and ts_config is not None:
        unseen = in_words(unseen_frontends())  # It may be one of these, which has its ports then.
        told = "; ".join([f"none that this user can see runs with {ts_config}", *unseen])
        yield Diagnosis("server", WARNING if unseen else FINE, told)
        return
    if server is None:
        unseen = in_words(unseen_frontends())
        for why in unseen:
            yield Diagnosis("server", WARNING, why)
        if not unseen:
            told = "no TorchServe runs here"
            yield Diagnosis("server", WARNING, told, "start it, then run this again")
        return
    frontend = server.frontend
    yield Diagnosis("server", FINE, f"process {frontend.pid} in {frontend.cwd}")
    for problem in server.configuration.problems:
        yield Diagnosis("server", WARNING, problem, "run this as the server's user")
    try:
        api = management_api_of(server.configuration)
        models = api.describe_all()
    except ManagementError as error:
        remedy = "look at management_address, the key file and the user this runs as"
        yield Diagnosis("management API", WRONG, str(error), remedy)
        return
    count = len({model.name for model in models})
    yield Diagnosis("management API", FINE, f"{api.endpoint.management} answers, {count} models")
    for model in models:
        if model.out_of_reach:
            told = f"{model.name} {model.version}: {model.out_of_reach}"
            yield Diagnosis("server's workers", WARNING, told)
    if observed(server).run_dirs:
        yield Diagnosis("server's workers", FINE, "write to the state directory")
        return
    settings, _ = server.configuration.settings()
    if settings.enabled.value and any(m.workers for m in models if not m.out_of_reach):
        said = "the server has workers, and none of them has written to the state directory"
        remedy = "restart the server if the package was installed after its start; see the hook"
        yield Diagnosis("server's workers", WRONG, said, remedy)


def check_last_start(failed: FailedStart | None) -> Iterator[Diagnosis]:
    """Report a start in this folder that ended before the server served."""
    if failed is None:
        return
    reached = f"just after it opened {failed.opened} of its addresses"
    if not failed.opened:
        reached = "before it opened an address"
    file = failed.config_file
    said = f"the last one here{f', with {file},' if file else ''} ended at {failed.at}, {reached}"
    look = "correct what stands below for its configuration"
    if file is None:
        look = "name the configuration of that start with --ts-config"
    console = (
        "if that is sound, look at the console of that start, where TorchServe writes the reason"
    )
    yield Diagnosis("start", WARNING, said, f"{look}; {console}")


def check_snapshots(log_dir: str) -> Iterator[Diagnosis]:
    """Report files among the configuration snapshots that keep a server from starting."""
    folder = read_folder(log_dir)
    is_alone = len(folder.strays) == 1 and not folder.snapshots
    for path in folder.strays:
        said = f"{path}: without --ts-config and --ncs, TorchServe "
        said += (
            "takes this file for its configuration"
            if is_alone
            else "does not start, since the name of this file begins with no time stamp"
        )
        remedy = "move it elsewhere, or start with --ncs or --ts-config FILE"
        yield Diagnosis("snapshots", WARNING, said, remedy)


def check_sidecar(server: Server | None, settings: Settings) -> Iterator[Diagnosis]:
    """Check, where the first worker is to start a sidecar, that it answers, and for this server."""
    if server is None or not settings.sidecar.value:
        return
    address, pid = str(settings.sidecar_address.value), server.frontend.pid
    try:
        answer = request("GET", reachable_address(address) + "/models", timeout_sec=SIDECAR_SEC)
        told_of = json.loads(answer.body.decode("utf-8"))["server"]
        other = told_of["pid"] if told_of else None
    except UnreachableError as error:
        logs = [os.path.join(folder, "sidecar.log") for folder in observed(server).run_dirs]
        remedy = f"look into {logs[0]}" if logs else "it is started by the first worker"
        yield Diagnosis("sidecar", WARNING, str(error), remedy)
        return
    except (ValueError, KeyError, TypeError):
        found, remedy = "what answers is no sidecar of ts-retry", _OWN_ADDRESS
        yield Diagnosis("sidecar", WARNING, f"{address}: {found}", remedy)
        return
    if other == pid:
        yield Diagnosis("sidecar", FINE, f"answers at {address}")
    else:
        told = f"{address}: the sidecar there observes process {other}, not this server"
        yield Diagnosis("sidecar", WARNING, told, _OWN_ADDRESS)


def check_plugin(server: Server | None, configuration: ServerConfiguration) -> Diagnosis:
    """Return whether TorchServe's own ``/ping`` reports models that are down, or would.

    Args:
        configuration: what it reads, or what one would that is started here.
    """
    offer = f"TorchServe's own /ping fails while a model is down if config.properties has {LINE}"
    named = configuration.properties.get(_PLUGINS_PATH)
    if server is None:
        return _before_the_start(configuration, named, offer)
    frontend = server.frontend
    if _is_on_class_path(frontend.cmdline, frontend.cwd):
        return Diagnosis(_PLUGIN, FINE, f"loaded: {_of_loaded(server)}")
    if named is None:
        return Diagnosis(_PLUGIN, FINE, f"not loaded: {offer}, after a restart")
    # The launcher reads the file itself, and neither variables nor a file found by default (0.12.0).
    return Diagnosis(
        _PLUGIN,
        WARNING,
        f"{_PLUGINS_PATH} is {named!r}, and {os.path.basename(JAR)} is not on the server's class path",
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
        return Diagnosis(_PLUGIN, FINE, f"off: {offer}")
    jar = os.path.join(configuration.cwd, named, os.path.basename(JAR))
    if os.path.isfile(jar):
        said = "on, if the server is started with this file as --ts-config or TS_CONFIG_FILE"
        return Diagnosis(_PLUGIN, FINE, said)
    return Diagnosis(
        _PLUGIN, WARNING, f"{_PLUGINS_PATH} is {named!r}, and there is no {jar}", f"write {LINE}"
    )


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
