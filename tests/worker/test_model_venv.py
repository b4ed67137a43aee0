from __future__ import annotations

import subprocess
import sys
import venv
from pathlib import Path

import pytest

from ts_retry_ext.worker.model_venv import is_setup_script

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("argv", "expected"),
    [
        (["/x/ts/utils/setup_model_venv.py", "/tmp/models/1/venv"], True),
        (["/x/ts/utils/setup_model_venv.py"], False),
        (["my_setup_model_venv.py", "/tmp/models/1/venv"], False),
        ([], False),
    ],
)
def test_only_torchserves_own_script_makes_a_models_environment(
    argv: list[str], expected: bool
) -> None:
    assert is_setup_script(argv) is expected


def test_the_environment_gets_a_hook_that_finds_the_package(tmp_path: Path) -> None:
    venv.create(tmp_path / "venv")
    code = (
        "import sys; from ts_retry_ext.worker.model_venv import take_part; take_part(sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "venv")],
        check=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    script = tmp_path / "model_service_worker.py"
    script.write_text("import sys; print('ts_retry_ext.worker.startup' in sys.modules)")
    done = subprocess.run(
        [str(tmp_path / "venv" / "bin" / "python"), str(script)],
        check=True,
        capture_output=True,
        text=True,
    )
    assert done.stdout == "True\n", done.stderr


def test_a_python_that_ignores_lines_gets_the_start_file_that_the_package_has(
    tmp_path: Path,
) -> None:
    """There is no Python 3.18 yet: the one that runs this is taken for it, and the file is compared."""
    venv.create(tmp_path / "venv")
    code = (
        "import sys; from ts_retry_ext.worker import model_venv; "
        "model_venv._IGNORES_LINES = (3, 8); model_venv.take_part(sys.argv[1])"
    )
    subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "venv")],
        check=True,
        env={"PYTHONPATH": str(ROOT)},
    )
    (written,) = (tmp_path / "venv").glob("lib/*/site-packages/ts_retry_ext.start")
    assert written.read_text() in (ROOT / "ts_retry_ext.start").read_text()
