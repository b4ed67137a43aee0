"""As many workers of one model as asked for, that fail at the same moment; see `killing`."""

from __future__ import annotations

import json
import os
import shutil
import sys

from tests.faults.killing import fail_to_load, lay_out, left, open_worker


def main(folder: str, workers: int) -> None:
    """Have `workers` fail at once, for an unknown reason and then for a known one."""
    model_dir = lay_out(folder)
    os.chdir(folder)
    for cause in (RuntimeError("nobody knows this one"), None):
        shutil.rmtree(os.path.join(folder, "logs"), ignore_errors=True)
        gate, opened = os.pipe()
        pids = [_worker(model_dir, number, gate, opened, cause) for number in range(workers)]
        os.close(gate)
        os.close(opened)  # now
        ended = [os.WEXITSTATUS(os.waitpid(pid, 0)[1]) for pid in pids]
        print(json.dumps({"ended": ended, **left(folder)}))


def _worker(
    model_dir: str, number: int, gate: int, opened: int, cause: BaseException | None
) -> int:
    pid = os.fork()
    if pid:
        return pid
    try:
        os.close(opened)
        os.read(gate, 1)  # ends when the last of the others has it closed
        fail_to_load(open_worker(model_dir, number), cause)
        os._exit(0)
    except BaseException as error:
        os.write(2, f"{error!r}\n".encode())
        os._exit(3)


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[3]))
