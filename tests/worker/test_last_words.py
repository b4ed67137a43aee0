"""What TorchServe's worker script says last: what is seen of it, and what a worker's log reads like then.

For the log the start-up hook itself acts, in a script that is called like TorchServe's and ends like it.
"""

from __future__ import annotations

import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Iterator

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS
from ts_retry_ext.worker.last_words import watch_log

LOGS = """
import logging
try:
    raise ConnectionRefusedError(111, "refused")
except Exception as error:
    logging.exception({message!r}, "m", error)
"""


@pytest.fixture(autouse=True)
def _stock_factory() -> Iterator[None]:
    stock = logging.getLogRecordFactory()
    yield
    logging.setLogRecordFactory(stock)


def run(file: Path, message: str) -> None:
    """Run a program at `file` that logs an exception."""
    exec(compile(LOGS.format(message=message), str(file), "exec"), {"__name__": "__main__"})


@pytest.mark.parametrize(
    ("file", "message", "seen"),
    [
        ("model_service_worker.py", "Failed to load model %s, exception %s", True),
        ("model_service_worker.py", "Load model %s cuda OOM, exception %s", True),
        ("model_service_worker.py", "Backend worker process died. %s %s", True),
        ("model_service_worker.py", "Something else of %s: %s", False),
        ("my_handler.py", "Failed to load model %s: %s, loading the spare one", False),
        ("torch/hub.py", "Failed to load model %s from the cache: %s", False),
    ],
)
def test_only_what_the_worker_script_itself_logs_are_last_words(
    tmp_path: Path, file: str, message: str, seen: bool
) -> None:
    found: list[BaseException] = []
    watch_log(lambda: False, found.append)
    run(tmp_path / file, message)
    assert [type(exc) for exc in found] == [ConnectionRefusedError] * seen


def test_when_it_is_over_the_factory_before_is_back() -> None:
    stock = logging.getLogRecordFactory()
    over = False
    watch_log(lambda: over, lambda _: None)
    assert logging.getLogRecordFactory() is not stock
    over = True
    logging.getLogger("any").warning("a line")
    assert logging.getLogRecordFactory() is stock


def test_a_message_that_cannot_be_put_in_words_harms_nobody() -> None:
    class UnreadableError(Exception):
        def __str__(self) -> str:
            raise ValueError

    watch_log(lambda: False, lambda _: None)
    factory = logging.getLogRecordFactory()
    record = factory("n", logging.ERROR, "p", 1, UnreadableError(), (), (None, None, None))
    assert record.levelno == logging.ERROR


FRONTEND = """
import subprocess, sys
script = ["ts/model_service_worker.py", "--sock-type", "unix", "--sock-name", sys.argv[2] + "/.s.9000"]
subprocess.run([sys.executable, sys.argv[2] + "/" + script[0], *script[1:]], cwd=sys.argv[2] + "/model", stderr=subprocess.STDOUT)
"""
SCRIPT = """
import logging, os, socket, sys
sys.path.insert(0, os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
from ts.model_loader import TsModelLoader

def load_model():
    try:
        TsModelLoader().load("m")
    except RuntimeError as ex:
        logging.exception("Failed to load model %s, exception %s", "m", str(ex))
        return 500

if __name__ == "__main__":
    try:
        logging.basicConfig(stream=sys.stdout, format="%(message)s", level=logging.INFO)
        if load_model() != 200:
            raise RuntimeError("500 - Unknown exception")
    except socket.timeout:
        logging.error("Backend worker did not receive connection in: %d", 30)
    except Exception:
        logging.error("Backend worker process died.", exc_info=True)
    sys.exit(1)
"""
LOADER = """
import os, subprocess, sys
{at_import}
class TsModelLoader:
    def load(self, name):
        initialize()

def initialize():
    {fails}
"""


def log_of(folder: Path, at_import: str, fails: str, *, enabled: bool) -> str:
    """Return what a worker prints, with the package or without."""
    (folder / "ts").mkdir(exist_ok=True)
    (folder / "ts" / "__init__.py").write_text("")
    (folder / "ts" / "model_service_worker.py").write_text(SCRIPT)
    (folder / "ts" / "model_loader.py").write_text(LOADER.format(at_import=at_import, fails=fails))
    (folder / "model" / "MAR-INF").mkdir(parents=True, exist_ok=True)
    manifest = {"model": {"modelName": "m", "handler": "h.py"}}
    (folder / "model" / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
    command = [sys.executable, "-c", FRONTEND, MAIN_CLASS, str(folder)]
    environ = {
        **os.environ,
        "TS_RETRY_ENABLED": str(enabled).lower(),
        "TS_RETRY_STATE_DIR": str(folder / "state"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("at_import", "fails"),
    [
        ("", "raise ConnectionRefusedError(111, 'refused')"),
        ("", "raise RuntimeError('the weights are of another model')"),
        ("", "assert os.environ is None"),
        ("", "raise KeyboardInterrupt"),
        ("import no_such_module_anywhere", "pass"),
        ("raise ValueError('numpy is broken')", "pass"),
    ],
)
def test_the_log_reads_as_without_us_and_our_lines_come_after_it(
    tmp_path: Path, at_import: str, fails: str
) -> None:
    stock = log_of(tmp_path, at_import, fails, enabled=False)
    ours = log_of(tmp_path, at_import, fails, enabled=True)
    assert "ts-retry" not in stock
    assert ours.startswith(stock)
    (line,) = ours[len(stock) :].splitlines()
    assert line.startswith("ts-retry: model 'm' failed in phase ")


@pytest.mark.parametrize(
    "fails", ["sys.exit('no licence')", "raise __import__('socket').timeout()"]
)
def test_a_failure_without_a_traceback_is_told_before_the_connection_closes(
    tmp_path: Path, fails: str
) -> None:
    stock = log_of(tmp_path, "", fails, enabled=False)
    ours = log_of(tmp_path, "", fails, enabled=True)
    line, separator, rest = ours.partition("\n")
    assert line.startswith("ts-retry: model 'm' failed in phase ")
    assert (separator, rest) == ("\n", stock)


def test_a_failure_without_a_message_is_named_by_its_type_alone(tmp_path: Path) -> None:
    log = log_of(tmp_path, "", "raise AssertionError", enabled=True)
    assert " with AssertionError; unknown (" in log.splitlines()[-1]


def test_a_program_of_the_handler_that_is_called_like_the_worker_script_says_nothing(
    tmp_path: Path,
) -> None:
    (tmp_path / "tool").mkdir()
    (tmp_path / "tool" / "model_service_worker.py").write_text("print('the tool ran')\n")
    tool = str(tmp_path / "tool" / "model_service_worker.py")
    socket = ["--sock-type", "unix", "--sock-name", "/tmp/.s.9001"]
    for arguments in ([], socket):
        runs = f"print(subprocess.run([sys.executable, {tool!r}, *{arguments!r}], capture_output=True, text=True))"
        log = log_of(tmp_path, "", f"{runs}; raise ValueError(1)", enabled=True)
        assert r"stdout='the tool ran\n', stderr='')" in log
