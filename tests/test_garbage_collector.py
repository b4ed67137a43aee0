from __future__ import annotations

import gc
import subprocess
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Iterator

import pytest
from yaml import YAMLError

from ts_retry_ext.archive.snake_yaml import MisfitError, load
from ts_retry_ext.frontend.process import MAIN_CLASS
from ts_retry_ext.garbage_collector import PausedCollector
from ts_retry_ext.worker import startup

ROOT = str(Path(__file__).resolve().parents[1])
#: A load like TorchServe's, in a process of its own, that says whether the collector runs meanwhile.
LOAD = """
import gc, os, sys, types
sys.path.insert(0, {root!r})
from tests.faults.killing import in_child, lay_out, open_worker
from ts_retry_ext.worker.guard import LoadGuard

class TsModelLoader:
    def load(self, name):
        os.write(1, b"loading %d, " % gc.isenabled())

def worker():
    guard = LoadGuard(open_worker(model_dir))
    guard.install()
    guard._wrap(types.SimpleNamespace(TsModelLoader=TsModelLoader))
    TsModelLoader().load("m")
    os.write(1, b"loaded %d" % gc.isenabled())

model_dir = lay_out(os.getcwd())
assert in_child(worker) == 0
"""


@pytest.fixture(autouse=True)
def runs() -> Iterator[None]:
    yield
    gc.enable()


def test_the_collector_is_paused_and_runs_again_even_after_an_error() -> None:
    with pytest.raises(KeyError), PausedCollector():
        assert not gc.isenabled()
        raise KeyError
    assert gc.isenabled()


def test_one_that_somebody_has_switched_off_stays_off() -> None:
    gc.disable()
    with PausedCollector():
        pass
    assert not gc.isenabled()


@pytest.mark.parametrize("text", ["a: 1", "a: \x00", "{", "!!int x"])
def test_no_model_configuration_leaves_it_off(text: str) -> None:
    with suppress(YAMLError, MisfitError):
        load(text)
    assert gc.isenabled()


def test_what_is_allocated_meanwhile_counts_for_one_round() -> None:
    gc.collect()
    before = gc.get_stats()[0]["collections"]
    with PausedCollector():
        kept: list[Any] = [[] for _ in range(20 * gc.get_threshold()[0])]
    kept.append([])
    assert gc.get_stats()[0]["collections"] <= before + 2


def test_a_process_that_holds_has_its_collector(monkeypatch: pytest.MonkeyPatch) -> None:
    """It may hold for weeks."""
    session: Any = object()
    held = []
    monkeypatch.setattr(startup, "active", None)
    monkeypatch.setattr(startup, "_tried", False)
    monkeypatch.setattr(startup, "_open", lambda _: (session, session))
    monkeypatch.setattr(startup, "_wait_if_last", lambda _: None)
    monkeypatch.setattr("ts_retry_ext.worker.guard.LoadGuard.install", lambda _: None)
    startup._activate(lambda: True, lambda *_: held.append(gc.isenabled()))
    assert held == [True]
    assert gc.isenabled()


def test_a_model_is_loaded_and_serves_with_the_collector_running(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOAD.format(root=ROOT), MAIN_CLASS],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert done.stdout == "loading 1, loaded 1"
