"""Ports for servers of tests that run side by side."""

from __future__ import annotations

import os
import random
from itertools import cycle, islice
from typing import Iterator

from ts_retry_ext.demo.free_ports import free_ports, server_ports

#: Left free behind what one server was given: workers at TCP ports count on from the last of them.
GAP = 10


def own_ports(count: int) -> list[int]:
    """Return free ports, each another one, that no other process of these tests is given."""
    found = free_ports(count, _CANDIDATES)
    next(islice(_CANDIDATES, GAP, GAP), None)
    return found


def _candidates() -> Iterator[int]:
    """Yield this process's part of the ports, round and round, from a random one on."""
    ports = server_ports()
    processes = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[len("gw") :])
    size = len(ports) // processes
    begin = random.randrange(size)
    return islice(cycle(ports[number * size : (number + 1) * size]), begin, None)


_CANDIDATES = _candidates()
