r"""Late: the service that it needs is not there before the fourth load, when TorchServe has long given up.

It stands for an outage that lasts longer than maxRetryTimeoutInSec. Its model-config.yaml sets that to 2 seconds, so
that TorchServe alone loads it twice. Attempts are counted in a file in the directory that LATE_DIRECTORY names, by
default the one for temporary files.

    torch-model-archiver --model-name late_service --version 1.0 --export-path model_store \
        --handler handlers/broken/late_service/handler.py \
        --config-file handlers/broken/late_service/model-config.yaml
"""

from __future__ import annotations

import os
import socket
import tempfile
from pathlib import Path
from typing import Any

REFUSALS = 3


class Handler:
    """Answers every request with the number of loads it took."""

    def initialize(self, context: Any) -> None:
        """Connect to the service: a closed port of this machine at first, later an open one."""
        # The directory's name is made anew at each registration, and with it the count.
        registration = os.path.basename(context.system_properties["model_dir"])
        directory = Path(os.environ.get("LATE_DIRECTORY") or tempfile.gettempdir())
        attempts = directory / f"late-service-{registration}"
        with attempts.open("ab") as counter:
            counter.write(b".")
            self.loads = counter.tell()
        with socket.socket() as service:
            service.bind(("127.0.0.1", 0))
            if self.loads > REFUSALS:
                service.listen()
            socket.create_connection(service.getsockname(), timeout=5).close()

    def handle(self, data: list[Any], context: Any) -> list[dict[str, int]]:
        """Return the number of loads."""
        return [{"loads": self.loads} for _ in data]
