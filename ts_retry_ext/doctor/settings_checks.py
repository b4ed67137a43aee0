"""Check the settings, and whether a worker could keep its state."""

from __future__ import annotations

import os
from typing import Iterator

from ts_retry_ext.doctor.diagnosis import FINE, WARNING, WRONG, Diagnosis
from ts_retry_ext.frontend.process import user_id_of
from ts_retry_ext.frontend.server_configuration import Server, ServerConfiguration
from ts_retry_ext.plain_text import counted
from ts_retry_ext.settings import OnFatal, Settings
from ts_retry_ext.snapshot.own_rules import rules_of_server

#: With these a halted model is ready, or scaled to nothing, as far as the frontend knows.
_UNSEEN_BY_PING = (OnFatal.REJECT, OnFatal.RETIRE)


def check_settings(settings: Settings, problems: tuple[str, ...]) -> Iterator[Diagnosis]:
    """Check the settings: are they understood, and is the package switched on."""
    for problem in problems:
        yield Diagnosis("settings", WRONG, problem, "correct or remove it")
    if not settings.enabled.value:
        said = f"the package is switched off by {settings.enabled.source}"
        yield Diagnosis("settings", WARNING, said, "remove that setting to switch it on")
    elif not problems:
        yield Diagnosis("settings", FINE, "all are understood")
    action = settings.on_fatal.value
    if settings.enabled.value and action in _UNSEEN_BY_PING:
        said = (
            f"with {action} ({settings.on_fatal.source}) TorchServe's own /ping and describe API say that a "
            "halted model is well, so a rollout that asks them replaces a sound revision by a broken one"
        )
        remedy = "let probes ask the sidecar's /readyz, or load the frontend plug-in"
        yield Diagnosis("on_fatal", WARNING, said, remedy)


def check_rules(configuration: ServerConfiguration) -> Iterator[Diagnosis]:
    """Check the operator's own rules; a worker goes on without those that are wrong."""
    own = rules_of_server(configuration)
    if own is None:
        return
    wrong = [own.unreadable] if own.unreadable else [str(problem) for problem in own.problems]
    for said in wrong:
        remedy = (
            "correct the file, or the name in retry_rules; ts-retry rules --check FILE checks it"
        )
        yield Diagnosis("rules", WRONG, said, remedy)
    if not wrong:
        said = f"{counted(len(own.rules), 'rule')} of your own: {own.setting}"
        yield Diagnosis("rules", FINE, said)


def check_state(server: Server | None, settings: Settings) -> Iterator[Diagnosis]:
    """Check the places for the state directory, in order, until one can be used."""
    user = os.geteuid() if server is None else user_id_of(server.frontend.pid)
    if server is not None:
        places = server.configuration.state_directories(user, settings)
    elif settings.state_dir.value is not None:
        places = (str(settings.state_dir.value),)
    else:
        yield Diagnosis("state directory", FINE, "ts_retry in the server's log directory")
        return
    for place in places:
        reason = why_unusable(place, user)
        if reason is None:
            yield Diagnosis("state directory", FINE, place)
            return
        remedy = f"make it writable for the user that runs TorchServe (id {user})"
        last = place == places[-1]
        yield Diagnosis("state directory", WRONG if last else WARNING, f"{place}: {reason}", remedy)


def why_unusable(path: str, user: int) -> str | None:
    """Return why `path` cannot be a state directory, or None where it can, without making it."""
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
