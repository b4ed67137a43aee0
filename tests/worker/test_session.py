from __future__ import annotations

import os
from pathlib import Path

from tests.store.aged import RUN, aged_runs
from ts_retry_ext.frontend.process import start_of
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
