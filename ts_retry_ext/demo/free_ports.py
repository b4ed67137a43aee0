"""Find ports for a server that will listen at them a few seconds later."""

from __future__ import annotations

import random
import socket
from typing import Iterable

#: The lowest port that is looked at.
LOWEST = 10240
#: What Linux says of the ports that it gives to clients, and the lowest of them where it does not say.
_RANGE_FILE, _LOWEST_OF_CLIENTS = "/proc/sys/net/ipv4/ip_local_port_range", 32768


def server_ports() -> range:
    """Return the ports that the system gives to no client.

    A port of the others, be it free now, may be taken by any connection before a server listens.
    """
    try:
        with open(_RANGE_FILE) as file:
            above = int(file.read().split()[0])
    except (OSError, ValueError, IndexError):
        above = _LOWEST_OF_CLIENTS
    return range(LOWEST, above if above > LOWEST + 1000 else _LOWEST_OF_CLIENTS)


def free_ports(count: int, candidates: Iterable[int] | None = None) -> list[int]:
    """Return the first `count` of `candidates` that are free; random ones of `server_ports` by default.

    Raises:
        OSError: there are not so many.
    """
    ports = server_ports()
    found: list[int] = []
    for port in random.sample(ports, len(ports)) if candidates is None else candidates:
        if _is_free(port):
            found.append(port)
            if len(found) == count:
                return found
    msg = f"{len(found)} ports are free, and {count} are needed"
    raise OSError(msg)


def _is_free(port: int) -> bool:
    with socket.socket() as one:
        try:
            one.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
