"""Measure what the frontend plug-in costs: predictions beside probes, and the probes themselves.

    python -m bench.plugin [--predictions 3000]

Two real servers run side by side, one as it is and one with the plug-in, with the same sound model. They are
asked in turn, so that whatever else the machine does meets both. Each tenth request is a ``/ping``.
Prints a table, and JSON on the last line.
"""

from __future__ import annotations

import http.client
import statistics
import tempfile
import time
from contextlib import ExitStack
from functools import partial
from pathlib import Path

from bench.report import Table, now, parser, publish
from tests.e2e.archives import SOUND, pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.plugin import FOLDER

KINDS: dict[str, dict[str, str]] = {"TorchServe": {}, "with the plug-in": {"plugins_path": FOLDER}}
PING_EACH = 10


class Client:
    """One connection that is kept, and how long its requests took in milliseconds."""

    def __init__(self, server: TorchServe) -> None:
        self._connection = http.client.HTTPConnection(server.inference.partition("//")[2])
        self.took: dict[str, list[float]] = {"predict": [], "ping": []}

    def ask(self, kind: str) -> None:
        begun = time.perf_counter()
        if kind == "ping":
            self._connection.request("GET", "/ping")
        else:
            self._connection.request("POST", "/predictions/sound", b"x")
        answer = self._connection.getresponse()
        answer.read()
        assert answer.status == 200
        self.took[kind].append((time.perf_counter() - begun) * 1000)


def measure(predictions: int) -> dict[str, dict[str, float]]:
    """Return medians and 99th percentiles by kind of server, in milliseconds."""
    with ExitStack() as stack:
        root = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        clients = {}
        for number, (name, config) in enumerate(KINDS.items()):
            server = TorchServe(root / str(number), config=config)
            server.models = {"sound": pack(server.store, "sound", SOUND)}
            running = stack.enter_context(server)
            running.wait_for(partial(running.is_ready, "sound"), "it serves")
            clients[name] = Client(running)
        for client in clients.values():
            for _ in range(predictions // 3):  # The JVM compiles what is used often.
                client.ask("predict")
                client.ask("ping")
            client.took = {"predict": [], "ping": []}
        for number in range(predictions):
            for client in clients.values() if number % 2 else reversed(clients.values()):
                client.ask("predict")
                if number % PING_EACH == 0:
                    client.ask("ping")
        return {name: _figures(client.took) for name, client in clients.items()}


def _figures(took: dict[str, list[float]]) -> dict[str, float]:
    found = {}
    for kind, times in took.items():
        found[f"{kind}, median [ms]"] = statistics.median(times)
        found[f"{kind}, p99 [ms]"] = statistics.quantiles(times, n=100)[98]
    return found


def table(found: dict[str, dict[str, float]]) -> Table:
    """Return a column for each kind of server."""
    rows = [[name, *(f"{found[kind][name]:.2f}" for kind in KINDS)] for name in found["TorchServe"]]
    return Table(["", *KINDS], rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--predictions", type=int, default=3000)
    arguments = options.parse_args()
    begun_at = now()
    found = measure(arguments.predictions)
    publish("plugin", found, table(found), begun_at)


if __name__ == "__main__":
    main()
