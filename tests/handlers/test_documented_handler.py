"""The handler of ``docs/how-to/let-a-handler-decide.md`` is packed and checked as that page says, and answers as it shows."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import sysconfig
from pathlib import Path

PAGE = Path(__file__).resolve().parents[2] / "docs" / "how-to" / "let-a-handler-decide.md"
SAVE = "import torch; torch.jit.script(torch.nn.Linear(2, 2)).save('model.pt')"


def run_as_told(folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the commands of the page in a folder and return what the last one says."""
    commands = re.findall(
        r"^    ((?:torch-model-archiver|ts-retry) .*)$", PAGE.read_text(), re.MULTILINE
    )
    assert len(commands) == 2
    return [_run(command, folder) for command in commands][-1]


def _run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(command)
    return subprocess.run(
        [Path(sysconfig.get_path("scripts"), program), *arguments],
        cwd=folder,
        env={**os.environ, "TMPDIR": str(folder)},  # The archiver deletes TMPDIR/<model name>.
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_documented_handler_loads_until_its_license_ends(tmp_path: Path) -> None:
    text = PAGE.read_text()
    for source, name in re.findall(r"```python\n(# (\S+)\n.*?)```", text, re.DOTALL):
        (tmp_path / name).write_text(source)
    subprocess.run([sys.executable, "-c", SAVE], cwd=tmp_path, check=True, timeout=300)
    done = run_as_told(tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr

    features = tmp_path / "features.py"
    features.write_text(features.read_text().replace("2030", "2020"))
    (tmp_path / "licensed.mar").unlink()
    done = run_as_told(tmp_path)
    assert done.returncode == 3, done.stdout + done.stderr
    (shown,) = re.findall(r"```\n(licensed.*?)```", text, re.DOTALL)
    assert shown.replace("2030", "2020") in done.stdout
