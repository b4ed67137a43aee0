"""The start-up hook in real environments of every supported Python."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.packaging import environment
from tests.packaging.conftest import write_script
from tests.packaging.environment import Environment
from tests.packaging.interpreters import Interpreter

WORKER = "model_service_worker.py"
RAN = f"hook ran in {WORKER}"
FAILED = "ts-retry: start-up hook failed, TorchServe goes on as without it: "


def test_the_hook_lies_in_site_packages(installed: Environment) -> None:
    assert {"ts_retry_ext.pth", "ts_retry_ext_start.py"} <= installed.installed()


def test_the_start_file_is_left_out_where_pip_builds_for_a_python_that_still_runs_the_line(
    installed: Environment,
) -> None:
    """A wheel has it, whatever installs it; an editable install is built by the Python that it is for."""
    editable = any(name.startswith("__editable__") for name in installed.installed())
    runs_both = installed.interpreter.version in {"3.15", "3.16", "3.17"}
    assert ("ts_retry_ext.start" in installed.installed()) is not (editable and runs_both)


@pytest.mark.parametrize("form", ["absolute", "relative", "in a folder", "symlink"])
def test_it_runs_before_the_worker_script(
    installed: Environment, worker_script: Path, form: str, tmp_path: Path
) -> None:
    arguments = {
        "absolute": str(worker_script),
        "relative": WORKER,
        "in a folder": f"../{tmp_path.name}/{WORKER}",
        "symlink": f"link/{WORKER}",
    }
    (tmp_path / "link").mkdir()
    (tmp_path / "link" / WORKER).symlink_to(write_script(tmp_path / "real.py"))
    done = installed.run(arguments[form], "--sock-type", "unix", cwd=tmp_path)
    lines = done.stdout.splitlines()
    assert lines[0] == RAN
    assert lines[-1] == "script ran"
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    "form", ["script", "similar name", "-c", "-m", "stdin", "worker as argument"]
)
def test_it_is_silent_everywhere_else(installed: Environment, form: str, tmp_path: Path) -> None:
    show = "import sys; print('script ran', 'ts_retry_ext' in sys.modules)"
    for name in ("train.py", "xmodel_service_worker.py", "module.py"):
        (tmp_path / name).write_text(show)
    arguments = {
        "script": ["train.py"],
        "similar name": ["xmodel_service_worker.py"],
        "-c": ["-c", show],
        "-m": ["-m", "module"],
        "stdin": ["-"],
        "worker as argument": ["train.py", f"/ts/{WORKER}"],
    }
    done = installed.run(*arguments[form], cwd=tmp_path, text=show)
    assert (done.stdout, done.stderr) == ("script ran False\n", "")


@pytest.mark.parametrize(
    "error", ["SystemExit", "KeyboardInterrupt", "GeneratorExit", "RuntimeError", "Outcast"]
)
def test_no_exception_of_the_hook_ends_the_interpreter(
    installed: Environment, worker_script: Path, error: str
) -> None:
    done = installed.run(str(worker_script), environ={"PROBE_RAISES": error})
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "script ran"
    assert done.stderr == f"{FAILED}{error}: first line second line\n"


def test_an_exception_that_cannot_be_shown_does_not_end_it_either(
    installed: Environment, worker_script: Path
) -> None:
    done = installed.run(str(worker_script), environ={"PROBE_RAISES": "MuteError"})
    assert done.returncode == 0
    assert done.stdout.splitlines()[-1] == "script ran"


def test_without_an_error_stream_nothing_reaches_the_output(
    installed: Environment, worker_script: Path
) -> None:
    """The frontend reads the worker's standard output; a failure is no part of it."""
    command = f'exec "{installed.python}" "{worker_script}" 2>&-'
    environ = {**environment.clean_environ(), "PROBE_RAISES": "RuntimeError"}
    done = subprocess.run(
        ["sh", "-c", command], env=environ, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0
    assert set(done.stdout.splitlines()) == {RAN, "script ran"}


def test_a_second_run_of_the_line_is_harmless(
    interpreter: Interpreter, probe_wheel: Path, worker_script: Path, tmp_path: Path
) -> None:
    """A child environment with --system-site-packages runs the parent's line after its own."""
    child = environment.create(
        tmp_path / "child", interpreter, "--without-pip", "--system-site-packages"
    )
    environ = {"PYTHONUSERBASE": str(tmp_path / "user")}
    parent = Path(child.run("-m", "site", "--user-site", environ=environ).stdout.strip())
    for folder in (child.site_packages, parent):
        shutil.unpack_archive(probe_wheel, folder, "zip")
    done = child.run(str(worker_script), environ=environ)
    assert done.stdout.splitlines().count(RAN) >= 2
    assert done.stdout.splitlines()[-1] == "script ran"
    assert (done.returncode, done.stderr) == (0, "")
    done = child.run(str(worker_script), environ={**environ, "PROBE_RAISES": "RuntimeError"})
    assert done.stderr.count(FAILED) == 1, "one clear line, however often the hook runs"


def test_a_package_that_is_gone_costs_one_line_in_workers_only(
    interpreter: Interpreter, probe_wheel: Path, worker_script: Path, tmp_path: Path
) -> None:
    """Someone removes the package's directory by hand and leaves the hook."""
    made = environment.create(tmp_path / "venv", interpreter, "--without-pip")
    shutil.unpack_archive(probe_wheel, made.site_packages, "zip")
    shutil.rmtree(made.site_packages / "ts_retry_ext")
    done = made.run(str(worker_script))
    assert (done.returncode, done.stdout) == (0, "script ran\n")
    assert done.stderr == f"{FAILED}ModuleNotFoundError: No module named 'ts_retry_ext'\n"
    assert made.run("-c", "pass").stderr == ""


def test_uninstalling_leaves_nothing(
    installed: Environment, worker_script: Path, tmp_path: Path
) -> None:
    made = installed.copy(tmp_path / "copy")
    made.pip("uninstall", "--yes", "ts-retry-ext")
    assert made.installed() == made.bare
    assert not list((made.root / "bin").glob("ts-retry*"))
    done = made.run(str(worker_script))
    assert (done.stdout, done.stderr) == ("script ran\n", "")
