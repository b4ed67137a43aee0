"""The kinds of worker that a model's configuration makes, and loads that only some of them fail."""

from __future__ import annotations

import os
import sys

from tests.ports import own_ports

FOUR = "minWorkers: 4\nmaxWorkers: 4\n"
ASYNC = "asyncCommunication: true\nstartupTimeout: 60\n"
#: Needs ``install_py_dep_per_model=true`` in the server's configuration.
VENV = "useVenv: true\n"
#: Where the frontend finds torchrun and python, the CPU launcher's.
PATH = {"PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}
CPU_LAUNCHER = {
    "cpu_launcher_enable": "true",
    "cpu_launcher_args": "--ninstances 1 --ncores-per-instance 1",
}
#: One of four workers meets a device that is not there, until its name is no more in the file "bad-worker".
ONE_DEVICE = """
    import os, sys
    bad = os.path.join(os.environ["TEMP"], "bad-worker")
    try:
        stream = open(bad, "x")
    except FileExistsError:
        pass
    else:
        with stream:
            stream.write(" ".join(sys.argv))
    with open(bad) as stream:
        if stream.read() == " ".join(sys.argv):
            raise RuntimeError("CUDA error: invalid device ordinal")
"""


def ranks() -> str:
    """Two ranks that meet at a port of their own: docs/torchserve-defects.md tells why."""
    torchrun = f"torchrun:\n  nproc-per-node: 2\n  rdzv-endpoint: 127.0.0.1:{own_ports(1)[0]}\n"
    return "parallelType: pp\nparallelLevel: 2\n" + torchrun


def asynchronous(handler: str) -> str:
    """Return the source of `handler` for ``asyncCommunication``, with a ``handle`` that can be awaited.

    Its load takes a moment: TorchServe loses a worker that answers at once (docs/torchserve-defects.md).
    """
    begins = "def initialize(self, context):\n"
    moment = f"{begins}            __import__('time').sleep(1)\n"
    return handler.replace("def handle(self", "async def handle(self").replace(begins, moment)
