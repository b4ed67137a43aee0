"""Find the ports that a server would open and another process of this machine has."""

from __future__ import annotations

import errno
import re
import socket
from typing import Iterator, Mapping, NamedTuple

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
