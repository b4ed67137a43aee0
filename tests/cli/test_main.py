from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.cli.main import COMMANDS, _parser, main

RUN = "import sys; from ts_retry_ext.cli.main import main; sys.exit(main())"


def test_help_names_every_command_and_the_exit_codes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(["--help"])

    shown = capsys.readouterr().out
    assert caught.value.code == 0
    assert all(f"\n    {command} " in shown for command in COMMANDS)
    assert "3 at least one model is down" in " ".join(shown.split())


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help(command: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])

    assert caught.value.code == 0
    shown = capsys.readouterr().out
    assert f"usage: ts-retry {command}" in shown
    examples = shown.partition("\nexamples:\n")[2].splitlines()
    assert examples
    for example in examples:  # A wrong option would exit.
        *_, words = example.strip().partition(f"ts-retry {command}")
        _parser([command]).parse_args([command, *words.partition(" > ")[0].split()])


@pytest.mark.parametrize(
    ("argv", "usage", "nearest"),
    [
        (["statsu"], "usage: ts-retry [", "did you mean status?"),
        (["status", "--jsn"], "usage: ts-retry status", "did you mean --json?"),
        (["resume", "m", "--timout=3"], "usage: ts-retry resume", "did you mean --timeout?"),
    ],
)
def test_typo_gets_the_nearest_word_and_the_right_usage(
    argv: list[str], usage: str, nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)

    err = capsys.readouterr().err
    assert caught.value.code == 2
    assert usage in err
    assert nearest in err


def test_without_a_command_the_commands_are_shown(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([]) == 2
    err = capsys.readouterr().err
    assert all(f"\n    {command} " in err for command in COMMANDS)


@pytest.mark.parametrize("argv", [["help", "status"], ["help"], ["-V"]])
def test_what_people_try_is_answered(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)

    assert caught.value.code == 0
    assert "ts-retry" in capsys.readouterr().out


def test_the_package_is_a_command_too() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ts_retry_ext", "-V"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0
    assert done.stdout.startswith("ts-retry ")


@pytest.mark.parametrize("argv", [["nonsense"], ["config", "--nonsense"], ["show"]])
def test_wrong_use_exits_with_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        main(argv)

    assert caught.value.code == 2
    assert "usage: ts-retry" in capsys.readouterr().err


def test_error_is_one_line_on_standard_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    missing = str(tmp_path / "nope.mar")

    assert main(["config", missing]) == 1
    assert capsys.readouterr() == ("", f"ts-retry: {missing}: there is no such file or folder\n")


def test_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    for number in range(2000):
        (tmp_path / f"{number:04}.mar").write_bytes(b"x" * 40)
    command = f"{sys.executable} -c '{RUN}' config {tmp_path} | head -1"

    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=True)

    assert done.stdout.startswith("MODEL")
    assert done.stderr == ""


@pytest.mark.parametrize("words", [["status", "--help"], ["--version"]])
def test_a_command_imports_only_what_it_needs(words: list[str]) -> None:
    code = (
        "import sys; from ts_retry_ext.cli.main import main\n"
        f"try: main({words!r})\n"
        "except SystemExit: pass\n"
        "print([m for m in ('rich', 'yaml', 'torch', 'ts_retry_ext.judge') if m in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.splitlines()[-1] == "[]"


def test_what_the_encoding_of_a_terminal_does_not_hold_is_shown_as_an_escape() -> None:
    done = subprocess.run(
        [sys.executable, "-c", RUN, "classify"],
        input='Traceback (most recent call last):\n  File "h.py"\nValueError: \u00e9\n'.encode(),
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        check=False,
    )

    assert (done.returncode, done.stderr) == (0, b"")
    assert b"ValueError: \\xe9" in done.stdout
