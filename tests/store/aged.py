"""Runs of servers that ended long ago, as a state directory keeps them."""

from __future__ import annotations

import os
import time
from pathlib import Path

from ts_retry_ext.store.directory import ServerRun, create_server_directory
from ts_retry_ext.store.pruning import KEPT_SEC

RUN = ServerRun(
    pid=1,
    start="0c0ffee0-0",
    started_at=1795448245.67,
    config_file=None,
    cwd="/srv",
    management_address="http://127.0.0.1:8081",
    torchserve="0.12.0",
)


def aged_runs(state_dir: Path, count: int) -> list[Path]:
    """Make directories of runs that nothing was written to for long, oldest first."""
    made = []
    for number in range(count):
        path = Path(create_server_directory(str(state_dir), RUN._replace(pid=number + 1)))
        model = path / "digits-0a0b0c0d"
        model.mkdir()
        (model / "journal.jsonl").write_text("{}\n")
        old = time.time() - 2 * KEPT_SEC + number
        for entry in (model / "journal.jsonl", path / "server.json", model, path):
            os.utime(entry, (old, old))
        made.append(path)
    return made
