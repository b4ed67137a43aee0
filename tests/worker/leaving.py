"""Workers whose model does something odd to their process and fails then; run by `test_in_hand`.

The command line names the frontend's main class: this process is the frontend.
"""

from __future__ import annotations

import json
import os
import sys
import types
from typing import Any

from tests.faults.killing import in_child, lay_out, open_worker
from ts_retry_ext.store import directory, journal
from ts_retry_ext.worker import guard, startup
from ts_retry_ext.worker.marker_in_force import applicable_marker

HANDLER = """
import os, sys, time
def initialize():
    {act}
    {fail}
"""


def main(folder: str, act: str, fail: str, workers: int) -> None:
    """Let workers load a model one after the other; print what they wrote, and which held."""
    model_dir = lay_out(folder)
    os.chdir(folder)
    code = HANDLER.format(act=act, fail=fail)
    held = [in_child(lambda: _load(model_dir, code)) == 0 for _ in range(workers)]
    (run,) = directory.server_runs(os.path.join(folder, "logs", "ts_retry"))
    (path,) = directory.model_directories(run)
    failed = [record for record in journal.read(path) if record.is_failure]
    told = [(record.event.value, record.rule or record.reason) for record in failed]
    waits_for = failed[-1].waits_for
    left = {
        "held": held,
        "failures": told,
        "waits_for": waits_for,
        "files": sorted(os.listdir(path)),
    }
    print(json.dumps(left))


def _load(model_dir: str, code: str) -> bool:
    session = open_worker(model_dir)
    if applicable_marker(session) or startup._judge_crashes(session):
        return True

    class TsModelLoader:
        def load(self, _: str) -> None:
            module: dict[str, Any] = {}
            exec(compile(code, os.path.join(model_dir, "h.py"), "exec"), module)
            module["initialize"]()

    watch = guard.LoadGuard(session)
    watch.install()
    watch._wrap(types.SimpleNamespace(TsModelLoader=TsModelLoader))  # type: ignore[arg-type]
    try:
        TsModelLoader().load("m")
    finally:
        os._exit(1)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]))
