"""A real worker script of TorchServe; only torch is a stub, for time."""

from __future__ import annotations

import json
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Iterator

import psutil
import pytest

from tests.archive.packing import write_folder, write_mar, write_tar
from tests.check.models import entries, options, pack
from tests.e2e.archives import initialize
from tests.e2e.kinds import ASYNC, asynchronous
from ts_retry_ext.check.check_report import CheckReport, CheckResult
from ts_retry_ext.check.loading import check
from ts_retry_ext.trial import driven_worker

SOUND = initialize("pass")
ECHO = """
import os, sys
class Echo:
    def initialize(self, context):
        self.context = context
    def handle(self, data, context):
        props = context.system_properties
        told = dict(data=str(data), cwd=os.getcwd(), dir=props["model_dir"], path=sys.path[:2])
        return [dict(told, name=context.model_name, batch=props["batch_size"])] * len(data)
"""


@pytest.fixture(autouse=True)
def temp(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Have every temporary folder made below one that can be looked into; a socket's path is short."""
    with tempfile.TemporaryDirectory(prefix="t", dir="/tmp") as folder:
        monkeypatch.setattr(tempfile, "tempdir", folder)
        yield Path(folder)


def checked(tmp_path: Path, handler: str, *, pack_as: dict[str, Any] | None = None,
            **more: Any) -> CheckReport:  # fmt: skip
    tmp_path.mkdir(exist_ok=True)
    return check(pack(tmp_path, "m", handler, **(pack_as or {})), options(tmp_path, **more))


def wait_until_gone(pid: int) -> None:
    """Wait until a process that was killed is no more than an entry in the table."""
    until = time.monotonic() + 60
    while psutil.pid_exists(pid) and psutil.Process(pid).status() != psutil.STATUS_ZOMBIE:
        assert time.monotonic() < until, "the process goes on"
        time.sleep(0.02)


@pytest.mark.timeout(60)
def test_an_asynchronous_worker_that_loaded_is_ended_since_it_would_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(driven_worker, "END_TIMEOUT_SEC", 600.0)
    report = checked(tmp_path, asynchronous(SOUND), pack_as={"config": ASYNC})
    assert report.result is CheckResult.LOADS, report


def test_a_sound_model_loads_and_answers_as_on_a_server(tmp_path: Path, temp: Path) -> None:
    config = "batchSize: 3\nmaxRetryTimeoutInSec: 20\nstartupTimeout: 33\n"
    report = checked(
        tmp_path, ECHO, pack_as={"config": config}, data=b'{"a": 1}',
        content_type="application/json; charset=utf-8",
    )  # fmt: skip
    assert report.result is CheckResult.LOADS, report
    row = report.to_json()
    assert (row["max_retry_timeout_sec"], row["startup_timeout_sec"]) == (20, 33)
    assert row["peak_memory_bytes"] > 5_000_000
    assert row["load_sec"] < row["startup_timeout_sec"]
    answer = json.loads(row["request"]["body"])
    assert row["request"]["status"] == 200
    assert answer["data"] == "[{'body': {'a': 1}}]"
    assert (answer["name"], answer["batch"]) == ("m", 3)
    assert answer["cwd"] == answer["dir"]
    assert answer["dir"] in answer["path"]
    assert not list(temp.iterdir())


@pytest.mark.parametrize(
    ("handler", "named", "body"),
    [
        ("def entry(data, context):\n    return data and ['x']\n", "h.py:entry", "x"),
        ("def handle(data, context):\n    return data and ['y']\n", "h", "y"),
    ],
)
def test_a_function_is_a_handler(tmp_path: Path, handler: str, named: str, body: str) -> None:
    report = checked(tmp_path, handler, pack_as={"handler": named}, data=b"")
    assert report.request is not None
    assert (report.result, report.request.body) == (CheckResult.LOADS, body)


def test_an_envelope_of_the_server_unwraps_the_request(tmp_path: Path) -> None:
    report = checked(
        tmp_path, ECHO, config="service_envelope=body\n", data=b"plain"
    )  # fmt: skip
    assert report.request is not None
    assert json.loads(report.request.body)["data"] == "[bytearray(b'plain')]"


def test_a_folder_is_used_where_it_is_and_stays_as_it_was(tmp_path: Path, temp: Path) -> None:
    folder = write_folder(tmp_path / "model", entries(ECHO))
    before = sorted(tmp_path.joinpath("model").rglob("*"))
    report = check(str(folder), options(tmp_path, data=b"x"))
    assert report.request is not None, report
    answer = json.loads(report.request.body)
    assert answer["cwd"] == str(folder)
    assert answer["dir"].startswith(str(temp))
    assert sorted(folder.rglob("*")) == before


def test_a_gzipped_tar_loads(tmp_path: Path) -> None:
    path = write_tar(tmp_path / "m.tgz", entries(SOUND))
    assert check(str(path), options(tmp_path)).result is CheckResult.LOADS


def test_a_failed_load_is_judged_and_its_paths_are_those_of_the_archive(tmp_path: Path) -> None:
    body = "import os\nopen(os.path.join(os.getcwd(), 'weights.pt'))"
    row = checked(tmp_path, initialize(body)).to_json()
    assert (row["result"], row["verdict"], row["phase"]) == (
        "fails",
        "non_recoverable",
        "initialize",
    )
    assert row["exception"]["type"] == "FileNotFoundError"
    assert "'weights.pt'" in row["exception"]["message"]
    assert 'File "h.py"' in row["traceback"]
    assert len(row["fingerprint"]) == 16
    assert row["remedy"]


def test_what_the_worker_printed_above_a_long_traceback_is_quoted(tmp_path: Path) -> None:
    deep = """
        print("E: libcudart.so.12: cannot open shared object file: No such file or directory", flush=True)
        def deep(calls):
            if calls:
                deep(calls - 1)
            raise Exception("session not created")
        deep(40)
    """
    report = checked(tmp_path, initialize(deep))
    assert report.failure is not None
    assert (report.failure.verdict, report.failure.rule) == ("unknown", None)
    assert "it printed 'E: libcudart.so.12: cannot open" in report.reason


def test_an_archive_that_shadows_a_module_fails_before_any_load(tmp_path: Path) -> None:
    report = checked(tmp_path, SOUND, pack_as={"files": {"json.py": "raise OSError('mine')\n"}})
    assert report.to_json()["phase"] == "startup"
    assert report.cause == "OSError: mine"


def test_a_process_that_dies_is_told_with_its_signal_and_stack(tmp_path: Path) -> None:
    report = checked(
        tmp_path, initialize("import os, signal\nos.kill(os.getpid(), signal.SIGSEGV)")
    )
    assert report.cause == "ProcessDied: Segmentation fault"
    assert "It was ended by SIGSEGV." in report.reason
    assert "in initialize" in report.traceback


def test_a_load_that_hangs_is_ended_with_all_it_started(tmp_path: Path, temp: Path) -> None:
    note = tmp_path / "child"
    body = f"""
        import subprocess, time
        child = subprocess.Popen(["sleep", "1000"])
        open({str(note)!r}, "w").write(str(child.pid))
        time.sleep(1000)
    """
    report = checked(tmp_path, initialize(body), timeout_sec=3.0)
    assert report.result is CheckResult.FAILS
    assert report.reason.startswith("The load did not end within 3 s (--timeout)")
    assert "in initialize" in report.traceback
    assert report.to_json()["verdict"] == "unknown"
    wait_until_gone(int(note.read_text()))
    assert not list(temp.iterdir())


def test_a_daemon_that_a_sound_model_leaves_behind_is_ended(tmp_path: Path) -> None:
    note = tmp_path / "child"
    body = f"""
        import subprocess
        child = subprocess.Popen(["sleep", "1000"], start_new_session=True, env={{}})
        open({str(note)!r}, "w").write(str(child.pid))
    """
    assert checked(tmp_path, initialize(body)).result is CheckResult.LOADS
    wait_until_gone(int(note.read_text()))


def test_ranks_without_torchrun_say_nothing_of_the_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    ranks = {"config": "parallelType: pp\nparallelLevel: 2\n"}
    report = checked(tmp_path, SOUND, pack_as=ranks)
    assert report.result is CheckResult.ERROR
    assert "parallelLevel needs torchrun, which is not on the PATH." in report.reason


def test_a_worker_that_becomes_a_daemon_is_told_and_ended(tmp_path: Path) -> None:
    note = tmp_path / "child"
    body = f"""
        import os, time
        if os.fork():
            os._exit(0)
        os.setsid()
        open({str(note)!r}, "w").write(str(os.getpid()))
        time.sleep(1000)
    """
    report = checked(tmp_path, initialize(body), timeout_sec=2.0)
    assert "another one that it started keeps its connection open" in report.reason
    wait_until_gone(int(note.read_text()))


def test_secrets_that_a_worker_writes_do_not_come_through(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DB_PASSWORD", "correct horse")
    body = """
        import os
        print(os.environ["DB_PASSWORD"], "https://me:hunter2hunter2@host/", flush=True)
        os._exit(3)
    """
    report = checked(tmp_path, initialize(body))
    assert "https://me:[redacted]@host/" in report.output
    assert "correct horse" not in report.output
    handler = SOUND.replace("return ['sound'] * len(data)", "raise KeyError('password=hunter2')")
    report = checked(tmp_path / "again", handler, data=b"x")
    assert report.result is CheckResult.FAILS
    assert "hunter2" not in json.dumps(report.to_json())


def test_a_request_that_fails_is_judged(tmp_path: Path) -> None:
    handler = SOUND.replace("return ['sound'] * len(data)", "raise KeyError('image')")
    report = checked(tmp_path, handler, data=b"x")
    row = report.to_json()
    assert (row["result"], row["phase"], row["request"]["status"]) == ("fails", "inference", 503)
    assert report.cause == "KeyError: 'image'"


def test_a_request_that_kills_the_worker_fails(tmp_path: Path) -> None:
    handler = SOUND.replace("return ['sound'] * len(data)", "import os; os._exit(9)")
    report = checked(tmp_path, handler, data=b"x")
    assert report.result is CheckResult.FAILS
    assert "Its exit code is 9." in report.reason
    assert report.load_sec is not None


def test_a_request_that_takes_too_long_fails(tmp_path: Path) -> None:
    handler = SOUND.replace("return ['sound'] * len(data)", "import time; time.sleep(1000)")
    report = checked(
        tmp_path, handler, pack_as={"config": "responseTimeout: 1\n"}, data=b"x"
    )  # fmt: skip
    assert report.reason == "The request was not answered within 1 s (responseTimeout)."


def test_packages_that_no_requirement_brings_are_named(tmp_path: Path) -> None:
    parts = {"files": {"needs.txt": "psutil>=5\n"}, "requirementsFile": "needs.txt"}
    handler = "import pytest, psutil, yaml, json\n" + SOUND
    report = checked(tmp_path, handler, pack_as=parts)
    assert report.missing_requirements == ("pytest",)
    assert report.problems[-1][0] == "requirements-missing"
    assert "needs.txt" in report.problems[-1][1]


def test_a_missing_module_points_at_requirements_that_were_not_installed(tmp_path: Path) -> None:
    parts = {"files": {"needs.txt": "nosuch\n"}, "requirementsFile": "needs.txt"}
    report = checked(tmp_path, "import nosuch\n" + SOUND, pack_as=parts)
    assert report.to_json()["rule"] == "module-missing"
    assert report.problems[-1][0] == "requirements-not-installed"


def test_requirements_are_installed_where_the_server_would_do_so(tmp_path: Path) -> None:
    info = {"METADATA": "Metadata-Version: 2.1\nName: tinywheel\nVersion: 1.0\n", "RECORD": "",
            "WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"}  # fmt: skip
    wheel = {f"tinywheel-1.0.dist-info/{name}": text.encode() for name, text in info.items()}
    path = tmp_path / "tinywheel-1.0-py3-none-any.whl"
    write_mar(path, {**wheel, "tinywheel.py": b""})
    parts = {"files": {"needs.txt": f"{path}\n"}, "requirementsFile": "needs.txt"}
    handler = "import tinywheel\n" + SOUND
    report = checked(tmp_path, handler, pack_as=parts, config="install_py_dep_per_model=true\n")
    assert report.result is CheckResult.LOADS, report
    assert report.missing_requirements == ()


@pytest.mark.parametrize(
    ("config", "code"),
    [
        ("maxRetryTimeoutInSec: '5'\n", "not-an-integer"),
        ("retry:\n  onFatl: x\n", "retry-settings"),
    ],
)
def test_what_the_configuration_says_in_vain_is_named(
    tmp_path: Path, config: str, code: str
) -> None:
    report = checked(tmp_path, SOUND, pack_as={"config": config})
    assert report.result is CheckResult.LOADS
    assert [found for found, _ in report.problems] == [code]


def test_a_configuration_that_ends_the_registration_fails_without_a_load(tmp_path: Path) -> None:
    report = checked(tmp_path, SOUND, pack_as={"config": "[]\n"})
    assert (report.result, report.start_sec) == (CheckResult.FAILS, None)
    assert "The registration fails" in report.reason


def test_a_dangerous_archive_is_refused_and_not_run(tmp_path: Path, temp: Path) -> None:
    note = tmp_path / "ran"
    handler = f"open({str(note)!r}, 'w')\n" + SOUND
    path = write_mar(tmp_path / "m.mar", {**entries(handler), "../x.py": b""})
    report = check(str(path), options(tmp_path))
    assert report.result is CheckResult.REFUSED
    assert report.reason.startswith(f"{path}: ")
    assert "'../x.py'" in report.reason
    assert not note.exists()
    assert not list(temp.iterdir())


def test_a_folder_with_a_link_out_of_it_is_taken_only_when_asked_for(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "model", entries(SOUND))
    (folder / "weights.pt").symlink_to("/dev/null")
    made = options(tmp_path)
    assert check(str(folder), made).result is CheckResult.REFUSED
    followed = type(made)(**{**vars(made), "follow_links": True})
    assert check(str(folder), followed).result is CheckResult.LOADS


def test_a_long_temporary_path_does_not_hinder_a_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 90)
    deep.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(deep))
    assert checked(tmp_path, SOUND).result is CheckResult.LOADS
    assert not os.listdir(deep)
