"""A process that looks like TorchServe's frontend, with an API that answers for it."""

from __future__ import annotations

import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator

from tests.frontend.api import Api, described, serving
from ts_retry_ext.cli.main import main
from ts_retry_ext.frontend.process import MAIN_CLASS, frontend_at
from ts_retry_ext.store.directory import ServerRun, create_server_directory

#: For each line that it is sent it starts a child, as a frontend starts a worker, and names it.
_WAIT = """
import subprocess, sys
print(flush=True)
children = [print(child.pid, flush=True) or child
            for child in (subprocess.Popen(["sleep", "600"]) for _ in sys.stdin)]
for child in children:
    child.kill()
"""


class Frontend:
    """The process.

    Attributes:
        pid: its process id.
        folder: its working directory.
        api: what answers at its management address.
        kept: where its workers keep their state.
    """

    def __init__(self, process: subprocess.Popen[bytes], folder: Path, api: Api) -> None:
        pid = process.pid
        found = frontend_at(pid)
        assert found is not None
        self._process = process
        self.pid = pid
        self.folder = folder
        self.api = api
        run = ServerRun(
            pid, found.start, found.started_at, None, str(folder), api.address, "0.12.0"
        )
        self.kept = Path(create_server_directory(str(folder / "logs" / "ts_retry"), run))

    def register(self, *entries: dict[str, Any]) -> None:
        """Let the API answer as if these models were registered."""
        names = [entry["modelName"] for entry in entries]
        self.api.answers["GET /models"] = {"models": [{"modelName": name} for name in names]}
        for entry in entries:
            self.api.answers["GET /models/" + entry["modelName"]] = [entry]
            self.api.answers["GET /models/" + entry["modelName"] + "/all"] = [entry]

    def child(self) -> int:
        """Return the process id of a new child, which ends with it."""
        sent, told = self._process.stdin, self._process.stdout
        assert sent is not None
        assert told is not None
        sent.write(b"\n")
        sent.flush()
        return int(told.readline())

    def run(self, command: str, *options: str) -> int:
        """Run a command about this server and return its exit code."""
        return main([command, "--pid", str(self.pid), *options])


@contextmanager
def frontend(folder: Path) -> Iterator[Frontend]:
    """Run such a process for the time of the context."""
    folder.mkdir(parents=True, exist_ok=True)
    with serving({"OPTIONS /": {"info": {"version": "0.12.0"}}}) as api:
        (folder / "config.properties").write_text(
            f"disable_token_authorization=true\nmanagement_address={api.address}\nmodel_store=.\n"
        )
        command = [sys.executable, "-c", _WAIT, MAIN_CLASS, "--python", sys.executable]
        command += ["-f", "config.properties", "-ncs"]
        with subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            yield Frontend(process, folder, api)


__all__ = ["Frontend", "described", "frontend"]
