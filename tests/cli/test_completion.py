from __future__ import annotations

import subprocess
import sys

import pytest

from ts_retry_ext.cli.completion import SHELLS
from ts_retry_ext.cli.main import COMMANDS, main


def test_bash_completes_commands_and_options_of_one(capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", "bash"]) == 0
    script = capsys.readouterr().out
    ask = """
    for words in "ts-retry st" "ts-retry status --wa"; do
        COMP_WORDS=($words) COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
        COMPREPLY=()
        _shtab_ts_retry
        echo "${COMPREPLY[@]}"
    done
    """
    done = subprocess.run(["bash", "-c", script + ask], capture_output=True, text=True, check=False)
    assert done.stdout.splitlines() == ["status", "--watch"], done.stderr


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_is_told_every_command(shell: str, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("shtab")
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert not [name for name in COMMANDS if name not in script]


def test_what_is_missing_is_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert main(["completion", "bash"]) == 1
    assert "pip install shtab" in capsys.readouterr().err
