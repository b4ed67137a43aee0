"""Check a ``config.properties`` before the start: what TorchServe refuses, and what it ignores.

TorchServe 0.12.0 ignores a key that it does not know in silence, and tells most of what it refuses
on its console only.
"""

from __future__ import annotations

import difflib
import os
import re
import time
from typing import Iterator, Mapping

from ts_retry_ext.archive.gson import GsonError, loads
from ts_retry_ext.archive.model_archive import ArchiveError
from ts_retry_ext.doctor.address_checks import (
    ADDRESS,
    LARGEST_PORT,
    NUMBER,
    ports_in_use,
    wrong_grpc_tls,
    wrong_tls_file,
)
from ts_retry_ext.doctor.diagnosis import (
    FINE,
    QUOTES,
    UNSET_VARIABLE,
    WARNING,
    WRONG,
    Diagnosis,
    WrongValue,
)
from ts_retry_ext.doctor.server_keys import MODEL_NUMBERS, MODEL_TEXTS, SERVER_KEYS, ValueKind
from ts_retry_ext.frontend.properties import read_properties
from ts_retry_ext.frontend.server_configuration import ServerConfiguration
from ts_retry_ext.frontend.startup_models import archive_path, registered_as, startup_models
from ts_retry_ext.settings import PROPERTY_PREFIX

_NAME = "configuration"
#: What a URL of ``load_models`` may hold: a user with a password, and a signature.
_SECRETS, _HIDDEN = re.compile(r"(?<=://)[^/@,\s]*@|(?<=\?)[^,\s]+"), "…"
_INT_MAX = 2**31 - 1


def check_configuration(
    configuration: ServerConfiguration, *, is_running: bool
) -> Iterator[Diagnosis]:
    """Check the configuration of a server.

    Args:
        configuration: what the server reads, or would.
        is_running: whether a server runs with it, which has its ports.
    """
    path = configuration.config_file
    try:
        written = read_properties(path) if path else {}
    except OSError:
        return  # Named with the server, or with the option.
    found = list(_values(configuration, written))
    if path and not is_running:
        for port in ports_in_use(configuration.properties):
            value = configuration.properties.get(port.key)
            place = f"{path}: {port.key}, by default"
            if value is not None:
                place = _where(configuration, written, port.key, value)
            remedy = f"end that process, or write another port for {port.key}"
            found.append(Diagnosis(_NAME, WRONG, f"{place}: {port.why}", remedy))
        # Of a running server, check_server names them.
        marked = "save the file without the mark"
        found += [Diagnosis(_NAME, WARNING, why, marked) for why in configuration.problems]
    if not found and path:
        yield Diagnosis(_NAME, FINE, f"{path}: TorchServe takes all {len(written)} keys")
    yield from found


def _values(configuration: ServerConfiguration, written: Mapping[str, str]) -> Iterator[Diagnosis]:
    known = SERVER_KEYS
    for key, value in configuration.properties.items():
        where = _where(configuration, written, key, value)
        kind = known.get(key)
        if kind is not None:
            for found in _wrong(kind, key, value, configuration):
                yield Diagnosis(_NAME, found.outcome, f"{where}: {found.why}", found.write)
        elif _is_unknown(key, written):
            near = difflib.get_close_matches(key, known, n=1)
            remedy = f"write {near[0]}" if near else "remove it, or look for its name in TorchServe"
            said = f"{where}: TorchServe knows no such key and ignores it in silence"
            yield Diagnosis(_NAME, WARNING, said, remedy)


def _is_unknown(key: str, written: Mapping[str, str]) -> bool:
    """Tell whether a key that TorchServe does not know should be named.

    A snapshot holds what TorchServe wrote, ``TS_...`` variables are not all meant for it, and keys
    of our own are checked with the settings.
    """
    return (
        key in written
        and "model_snapshot" not in written
        and not key.startswith((PROPERTY_PREFIX, "\xef\xbb\xbf"))
    )


def _where(
    configuration: ServerConfiguration, written: Mapping[str, str], key: str, value: str
) -> str:
    variable = "TS_" + key.upper()
    is_variable = configuration.environ.get(variable) == value and written.get(key) != value
    place = f"environment: {variable}" if is_variable else f"{configuration.config_file}: {key:.80}"
    if key == "keystore_pass":
        return place
    return f"{place} is {_SECRETS.sub(_HIDDEN, value)!r:.120}"


def _wrong(
    kind: ValueKind, key: str, value: str, configuration: ServerConfiguration
) -> Iterator[WrongValue]:
    """Yield what is wrong with the value of a key."""
    unset = UNSET_VARIABLE.search(value)
    if unset is not None:
        why = f"the variable {unset[1]} is not set, and TorchServe does not start without it"
        yield WrongValue(why, f"set {unset[1]}, or write the value in place of {unset[0]}")
        return
    allowed = f"write {key}=VALUE, where VALUE is {kind.value}"
    if kind in (ValueKind.NUMBER, ValueKind.PORT):
        yield from _wrong_number(kind, key, value, allowed)
    elif kind is ValueKind.BOOLEAN and value.lower() not in ("true", "false"):
        word = value.strip().strip(QUOTES).lower()
        yield WrongValue(
            "TorchServe takes anything but true for false, in silence",
            f"write {key}={'true' if word in ('true', 'yes', 'on', '1') else 'false'}, "
            "with nothing behind it",
            WARNING,
        )
    elif kind is ValueKind.ADDRESS:
        match = ADDRESS.fullmatch(value)
        if match is None:
            yield WrongValue("this is no address, and TorchServe does not start", allowed)
        elif match[3] and int(match[3]) > LARGEST_PORT:
            yield WrongValue(f"there is no port {match[3]}", allowed)
    elif kind is ValueKind.METRICS_MODE and value.upper() not in ("LOG", "PROMETHEUS", "LEGACY"):
        yield WrongValue("TorchServe takes log for it", allowed, WARNING)
    elif kind is ValueKind.METRICS_FILE:
        if not os.access(os.path.join(configuration.cwd, value), os.R_OK):
            why = "this file cannot be read; TorchServe logs an error and goes on without it"
            yield WrongValue(why, allowed, WARNING)
    elif kind is ValueKind.LOADED:
        yield from _missing_archives(configuration)
        yield from _registered_twice(configuration)
    elif kind is ValueKind.MODELS:
        yield from _wrong_models(value)
    elif kind is ValueKind.FOLDER:
        yield from _wrong_folder(key, value, configuration.cwd)
    elif kind is ValueKind.TLS_FILE:
        yield from wrong_tls_file(key, value, configuration)
    elif key == "enable_grpc_ssl":
        yield from wrong_grpc_tls(value, configuration.properties)


def _wrong_number(kind: ValueKind, key: str, value: str, allowed: str) -> Iterator[WrongValue]:
    if not NUMBER.fullmatch(value):
        stripped = value.strip().strip(QUOTES)
        if NUMBER.fullmatch(stripped):
            allowed = f"write {key}={stripped}, with nothing behind it"
        yield WrongValue("this is no number, and TorchServe fails when it reads it", allowed)
    elif kind is ValueKind.PORT and not 0 < int(value) <= LARGEST_PORT:
        yield WrongValue("this is no port", allowed)
    elif abs(int(value)) > _INT_MAX and not key.endswith("_ms"):
        yield WrongValue(f"the largest number is {_INT_MAX}", allowed)


def _wrong_folder(key: str, value: str, cwd: str) -> Iterator[WrongValue]:
    path = os.path.join(cwd, value)
    if os.path.isdir(path):
        if not os.access(path, os.R_OK | os.X_OK):
            yield WrongValue("this folder may not be read", "give the server's user the right to")
        return
    outcome = WRONG if key == "model_store" else WARNING
    bare = value.strip().strip(QUOTES)
    if bare != value and os.path.isdir(os.path.join(cwd, bare)):
        why = "quotes and blanks count in this file, so there is no such folder"
        yield WrongValue(why, f"write {key}={bare}, with nothing around it", outcome)
        return
    what = "is no folder" if os.path.exists(path) else "does not exist"
    yield WrongValue(f"{path} {what}", f"make it, or write {key}=FOLDER without quotes", outcome)


def _missing_archives(configuration: ServerConfiguration) -> Iterator[WrongValue]:
    store = configuration.model_store
    if store is None or not os.path.isdir(store):
        return  # It is given on the command line, or named itself.
    for model in startup_models(configuration, time.time()):
        path = archive_path(model, configuration)
        if "://" in model.name:  # What follows may be a signature.
            why = "TorchServe takes what is before the first = of a URL for the model's name, and starts without that model"
            yield WrongValue(why, "write NAME=URL", WARNING)
        elif "://" not in model.url and not os.path.exists(path):
            why = f"{store} holds no {model.url}, and TorchServe starts without that model"
            yield WrongValue(why, "copy it there, or remove it from load_models", WARNING)


def _registered_twice(configuration: ServerConfiguration) -> Iterator[WrongValue]:
    """Yield archives of one model and version (0.12.0 ModelVersionedRefs.addVersionModel throws)."""
    first: dict[tuple[str, str], str] = {}
    for model in startup_models(configuration, time.time()):
        try:
            name, version = registered_as(model, configuration)
        except ArchiveError:
            continue  # TorchServe starts without it.
        other = first.setdefault((name, version), model.url)
        if other != model.url:
            why = (
                f"{other} and {model.url} are both {name} {version}, and TorchServe does not start"
            )
            yield WrongValue(why, "remove one of them, or pack it with another --version")


def _wrong_models(value: str) -> Iterator[WrongValue]:
    """Yield what is wrong with ``models`` (0.12.0 ConfigManager.setModelConfig, getJsonIntValue)."""
    shape = (
        'write models={"NAME": {"VERSION": {"minWorkers": 1}}}, each line but the last ending in \\'
    )
    try:
        models = loads(value, map_levels=2)
    except (GsonError, RecursionError) as error:
        comment = re.search(r"(?:^|[\s,{}])(//|#)", value)
        hint = (
            f"; everything after {comment[1]} is a comment, because the lines are joined into one"
            if comment
            else ""
        )
        yield WrongValue(f"TorchServe does not start: this is no JSON ({error}{hint})", shape)
        return
    for name, versions in _entries(models):
        if not isinstance(versions, dict):
            yield WrongValue(
                f"{name}: does not hold versions, and TorchServe does not start", shape
            )
            continue
        for version, parameters in _entries(versions):
            if not isinstance(parameters, dict):
                yield WrongValue(f"{name} {version}: holds no parameters", shape)
                continue
            for key, given in _entries(parameters):
                yield from _wrong_parameter(f"{name} {version}: {key}", key, given)
    if models is not None and not isinstance(models, dict):
        yield WrongValue("TorchServe does not start: this is no JSON object", shape)


def _wrong_parameter(where: str, key: str, given: object) -> Iterator[WrongValue]:
    known = (*MODEL_NUMBERS, *MODEL_TEXTS)
    if key not in known:
        near = difflib.get_close_matches(key, known, n=1)
        remedy = f"write {near[0]}" if near else f"known are {', '.join(known)}"
        yield WrongValue(f"{where}: TorchServe ignores this in silence", remedy, WARNING)
    elif key in MODEL_NUMBERS and not (isinstance(given, str) and NUMBER.fullmatch(given)):
        yield WrongValue(f"{where} is {given!r:.60}, which is no number", f'write "{key}": NUMBER')


def _entries(content: object) -> list[tuple[str, object]]:
    return list(content.items()) if isinstance(content, dict) else []
