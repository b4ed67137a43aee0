"""The arguments the frontend gives a worker (0.12.0 WorkerLifeCycle, ``ts/arg_parser.py``).

Read by hand: a holder has to be ready in 100 ms and argparse alone would take a tenth of that.
"""

from __future__ import annotations

import os
from typing import Mapping, NamedTuple, Sequence

WORKER_SCRIPT = "model_service_worker.py"
DEFAULT_HOST = "127.0.0.1"


class WorkerAddress(NamedTuple):
    """Where a worker listens.

    Attributes:
        path: path of the Unix socket, or None for TCP.
        port: port for TCP, 0 for a Unix socket.
    """

    path: str | None
    host: str
    port: int

    def __str__(self) -> str:
        """Return the socket's path, or ``host:port``: the worker's name in journals."""
        return self.path if self.path is not None else f"{self.host}:{self.port}"


def is_worker_script(argv: Sequence[str]) -> bool:
    """Tell whether `argv` starts TorchServe's worker script, and not a launcher that names it."""
    return bool(argv) and os.path.basename(argv[0]) == WORKER_SCRIPT


def worker_address(argv: Sequence[str], environ: Mapping[str, str]) -> WorkerAddress:
    """Return where the worker started with `argv` will listen, its rank counted in.

    Raises:
        ValueError: the arguments name no socket; TorchServe's own parser will say so as well.
    """
    options = _options(argv[1:])
    rank = int(environ.get("LOCAL_RANK", "0"))
    kind = options.get("--sock-type")
    if kind == "unix" and "--sock-name" in options:
        stem, _, number = options["--sock-name"].rpartition(".")
        return WorkerAddress(f"{stem}.{int(number) + rank}", "", 0)
    if kind == "tcp" and "--port" in options:
        host = options.get("--host", DEFAULT_HOST)
        return WorkerAddress(None, host, int(options["--port"]) + rank)
    msg = f"no socket in the worker's arguments {list(argv[1:])!r}"
    raise ValueError(msg)


def launch_address(address: WorkerAddress, environ: Mapping[str, str]) -> str:
    """Return the name of what the frontend launched: the worker, or the first of torchrun's ranks.

    The frontend knows one worker where torchrun starts a process for each rank, and numbers their
    sockets from its own on (0.12.0 WorkerThread.connect).
    """
    rank = int(environ.get("LOCAL_RANK", "0"))
    if address.path is None:
        return str(address._replace(port=address.port - rank))
    stem, _, number = address.path.rpartition(".")
    return f"{stem}.{int(number) - rank}"


def is_asynchronous(argv: Sequence[str]) -> bool:
    """Tell whether the model has ``asyncCommunication: true`` (0.12.0 WorkerLifeCycle)."""
    return "--async" in argv[1:]


def _options(arguments: Sequence[str]) -> dict[str, str]:
    options: dict[str, str] = {}
    pending = None
    for argument in arguments:
        if argument.startswith("--"):
            name, equals, value = argument.partition("=")
            if equals:
                options[name] = value
            pending = None if equals else name
        elif pending is not None:
            options[pending] = argument
            pending = None
    return options
