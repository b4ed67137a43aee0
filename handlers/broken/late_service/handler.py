r"""Late: the service that it needs starts some seconds after the first load, when TorchServe has given up.

It stands for an outage that lasts longer than maxRetryTimeoutInSec, which its model-config.yaml sets to 2 seconds.
When the service is to start is noted in a file in the directory that LATE_DIRECTORY names, by default the one for
temporary files.

    torch-model-archiver --model-name late_service --version 1.0 --export-path model_store \
        --handler handlers/broken/late_service/handler.py \
        --config-file handlers/broken/late_service/model-config.yaml
"""

from __future__ import annotations

import os
import socket
import tempfile
import time
from pathlib import Path
from typing import Any

DOWN_SEC = 12.0


class Handler:
    """Answers every request with the number of loads it took."""

    def initialize(self, context: Any) -> None:
        """Connect to the service: a closed port of this machine at first, later an open one."""
        # The directory's name is made anew at each registration, and with it the outage.
        registration = os.path.basename(context.system_properties["model_dir"])
        directory = Path(os.environ.get("LATE_DIRECTORY") or tempfile.gettempdir())
        loads = directory / f"late-service-{registration}"
        with loads.open("a+") as times:
            times.write(f"{time.time()}\n")
            times.flush()
            times.seek(0)
            begun = [float(line) for line in times]
        self.loads = len(begun)
        with socket.socket() as service:
            service.bind(("127.0.0.1", 0))
            if time.time() - begun[0] > DOWN_SEC:
                service.listen()
            socket.create_connection(service.getsockname(), timeout=5).close()

    def handle(self, data: list[Any], context: Any) -> list[dict[str, int]]:
        """Return the number of loads."""
        return [{"loads": self.loads} for _ in data]
