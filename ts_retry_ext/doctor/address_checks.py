"""Check what a server opens: ports that another process of this machine has, files of its certificate and key."""

from __future__ import annotations

import errno
import os
import re
import socket
from typing import Iterator, Mapping, NamedTuple

from ts_retry_ext.doctor.diagnosis import QUOTES, UNSET_VARIABLE, WARNING, WRONG, WrongValue
from ts_retry_ext.doctor.key_store import why_refused
from ts_retry_ext.frontend.server_configuration import ServerConfiguration

#: As 0.12.0 ConfigManager.ADDRESS_PATTERN and Connector.parse.
ADDRESS = re.compile(r"(?:(https|http)://([^:^/]+)(?::([0-9]+))?)|(?:unix:(/.*))", re.IGNORECASE)
#: What Integer.parseInt takes, and a long number.
NUMBER = re.compile(r"[+-]?[0-9]{1,19}")
LARGEST_PORT = 65535
#: Ports by key, where neither address nor port is given (0.12.0 ConfigManager).
_DEFAULT_PORTS = {
    "inference_address": 8080,
    "management_address": 8081,
    "metrics_address": 8082,
    "grpc_inference_port": 7070,
    "grpc_management_port": 7071,
}
#: Ports of addresses without one (0.12.0 Connector.parse).
PORTS_OF_SCHEME = {
    "inference_address": {"http": 80, "https": 443},
    "management_address": {"http": 8081, "https": 8444},
    "metrics_address": {"http": 8082, "https": 8445},
}
_PEM_FILES = ("certificate_file", "private_key_file")
_NO_START = "TorchServe does not start"
_NOT_READ = "TorchServe does not read it, with the addresses and files that are set"
#: Bytes of a key store that are read; one has a few thousand.
_LARGEST_KEY_STORE = 16 * 1024 * 1024


class PortInUse(NamedTuple):
    """A port that is taken: the key that names it, and by which process, in words."""

    key: str
    why: str


def ports_in_use(properties: Mapping[str, str]) -> Iterator[PortInUse]:
    """Yield the ports that the server would open and another process has."""
    seen: set[tuple[str, int]] = set()
    for key in _DEFAULT_PORTS:
        place = _host_and_port(properties, key)
        if place is None or place in seen:
            continue  # Addresses may be equal: TorchServe opens one for all (0.12.0 ModelServer).
        seen.add(place)
        if not _is_in_use(*place):
            continue
        host, port = place
        yield PortInUse(key, f"port {port} of {host} is in use by {_user_of_port(port)}")


def _host_and_port(properties: Mapping[str, str], key: str) -> tuple[str, int] | None:
    value = properties.get(key)
    if key.startswith("grpc_"):
        host = properties.get(key.replace("_port", "_address"), "127.0.0.1")
        port = value or str(_DEFAULT_PORTS[key])
        is_port = bool(NUMBER.fullmatch(port)) and 0 < int(port) <= LARGEST_PORT
        return (host, int(port)) if is_port else None
    if value is None:
        return "127.0.0.1", _DEFAULT_PORTS[key]
    match = ADDRESS.fullmatch(value)
    if match is None or match[4]:
        return None
    port_number = int(match[3]) if match[3] else PORTS_OF_SCHEME[key][match[1].lower()]
    return (match[2], port_number) if 0 < port_number <= LARGEST_PORT else None


def _is_in_use(host: str, port: int) -> bool:
    """Tell whether `port` is taken; False where that cannot be tried, as for a host of elsewhere."""
    try:
        family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind) as probe:
            # As Java does: a port whose connections linger only is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except (OSError, UnicodeError) as error:
        return getattr(error, "errno", None) == errno.EADDRINUSE
    return False


def _user_of_port(port: int) -> str:
    """Return which process listens at a port, in words."""
    import psutil

    try:
        listening = [
            connection.pid
            for connection in psutil.net_connections(kind="tcp")
            if connection.status == psutil.CONN_LISTEN
            and connection.laddr
            and connection.laddr[1] == port
        ]
        pid = next((pid for pid in listening if pid), None)
        if pid is None:
            return "a process of another user or container"
        return f"process {pid} ({' '.join(psutil.Process(pid).cmdline())[:80]})"
    except psutil.Error:
        return "a process that this user may not look at"


def wrong_tls_file(
    key: str, value: str, configuration: ServerConfiguration
) -> Iterator[WrongValue]:
    """Yield what is wrong with a file that TorchServe reads its certificate or key from."""
    path = os.path.join(configuration.cwd, value)
    is_read = _is_read(key, configuration.properties)
    try:
        with open(path, "rb") as file:
            content = file.read(_LARGEST_KEY_STORE)
    except OSError as error:
        why = error.strerror or "cannot be read"
    else:
        if key == "keystore":
            yield from _unopened_key_store(content, configuration.properties, is_read=is_read)
        return
    bare = value.strip().strip(QUOTES)
    if bare != value and os.path.isfile(os.path.join(configuration.cwd, bare)):
        yield WrongValue("quotes and blanks count in this file", f"write {key}={bare}")
        return
    told = _NO_START if is_read else _NOT_READ
    remedy = f"write {key}=FILE, a file that the server's user can read"
    yield WrongValue(f"{path}: {why}; {told}", remedy, WRONG if is_read else WARNING)


def wrong_grpc_tls(value: str, properties: Mapping[str, str]) -> Iterator[WrongValue]:
    """Yield what gRPC with TLS lacks: it takes no key store (0.12.0, tried: the server ends after its start)."""
    lacking = [key for key in _PEM_FILES if key not in properties]
    if value.lower() == "true" and lacking:
        why = f"gRPC takes no key store, and {' and '.join(lacking)} {'are' if len(lacking) > 1 else 'is'} not set; {_NO_START}"
        yield WrongValue(why, f"write {' and '.join(f'{key}=FILE' for key in lacking)}")


def _is_read(key: str, properties: Mapping[str, str]) -> bool:
    """Tell whether TorchServe reads the file at its start.

    A key store is for addresses with https, and goes before the other files there (0.12.0
    ConfigManager.getSslContext). gRPC reads the others.
    """
    addresses = (properties.get(address, "") for address in PORTS_OF_SCHEME)
    has_https = any(address.lower().startswith("https:") for address in addresses)
    if key == "keystore":
        return has_https
    has_grpc = properties.get("enable_grpc_ssl", "").lower() == "true"
    return has_grpc or (has_https and "keystore" not in properties)


def _unopened_key_store(
    content: bytes, properties: Mapping[str, str], *, is_read: bool
) -> Iterator[WrongValue]:
    password = properties.get("keystore_pass")
    if password is not None and UNSET_VARIABLE.search(password):
        return  # Named with that key.
    refused = why_refused(content, properties.get("keystore_type"), password)
    if refused is not None:
        told = _NO_START if is_read else _NOT_READ
        outcome = WRONG if is_read and refused.is_certain else WARNING
        yield WrongValue(f"{refused.why}; {told}", refused.remedy, outcome)
