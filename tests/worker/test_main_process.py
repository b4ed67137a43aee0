from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = str(Path(__file__).resolve().parents[2])
# As TorchServe's script imports the handler, and the handler spawns.
SCRIPT = """
import sys
sys.path.append({root!r})
if __name__ == "__main__":
    import handler
    from ts_retry_ext.worker.main_process import is_main_interpreter
    print("script", handler.is_called, is_main_interpreter(), flush=True)
    handler.spawn()
"""
HANDLER = """
import multiprocessing, sys
from ts_retry_ext.worker.command_line import is_worker_script
from ts_retry_ext.worker.main_process import is_called_by_worker_script
is_called = is_called_by_worker_script()
def tell():
    print("spawned", is_called, "in", is_worker_script(sys.argv), flush=True)
def spawn():
    process = multiprocessing.get_context("spawn").Process(target=tell)
    process.start()
    process.join()
    interpreters = __import__("_interpreters" if sys.version_info >= (3, 13) else "_xxsubinterpreters")
    made = interpreters.create()
    interpreters.run_string(made, (
        "import sys; sys.path[:] = %r\\n"
        "from ts_retry_ext.worker.main_process import is_main_interpreter\\n"
        "print('made', is_main_interpreter(), flush=True)") % sys.path)
"""


def test_only_the_worker_itself_is_taken_for_the_worker(tmp_path: Path) -> None:
    script = tmp_path / "model_service_worker.py"
    script.write_text(SCRIPT.format(root=ROOT))
    (tmp_path / "handler.py").write_text(HANDLER)
    command = [sys.executable, str(script), "--sock-type", "unix"]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=tmp_path)
    assert done.stdout.splitlines() == [
        "script True True",
        "spawned False in True",
        "made False",
    ], done.stderr
