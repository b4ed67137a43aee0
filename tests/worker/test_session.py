from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.store.aged import RUN, aged_runs
from ts_retry_ext.frontend.process import MAIN_CLASS, start_of
from ts_retry_ext.store.directory import server_directory, server_runs
from ts_retry_ext.store.pruning import KEPT_RUNS
from ts_retry_ext.worker.session import _server_directory_in


def test_the_first_worker_of_a_server_lets_old_runs_give_way(tmp_path: Path) -> None:
    old = aged_runs(tmp_path, KEPT_RUNS + 2)
    run = RUN._replace(pid=os.getpid(), start=str(start_of(os.getpid())))
    opened = _server_directory_in(str(tmp_path), run)
    assert opened == server_directory(str(tmp_path), run.pid, run.start)
    assert [path.exists() for path in old] == [False] * 3 + [True] * (KEPT_RUNS - 1)

    more = aged_runs(tmp_path / "more", KEPT_RUNS + 2)
    for path in more:
        path.rename(tmp_path / f"{path.name}-more")
    assert _server_directory_in(str(tmp_path), run) == opened
    assert len(server_runs(str(tmp_path))) == 2 * KEPT_RUNS + 2


def test_a_time_out_under_models_is_that_of_the_worker(tmp_path: Path) -> None:
    entry = '{"m": {"1.0": {"responseTimeout": 5, "startupTimeout": 6}}}'
    (tmp_path / "config.properties").write_text(f"models={entry}\ndefault_response_timeout=60\n")
    program = (
        f"import os, sys; sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from tests.faults.killing import in_child, lay_out, open_worker\n"
        "model_dir = lay_out(os.getcwd())\n"
        "def told():\n"
        "    session = open_worker(model_dir)\n"
        "    print(session.response_timeout(), session.startup_timeout_in_words(), flush=True)\n"
        "in_child(told)\n"
    )
    command = [sys.executable, "-c", program, MAIN_CLASS]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert done.stdout == (
        "5.0 startupTimeout is 6 s (models: startupTimeout in config.properties)\n"
    ), done.stderr
