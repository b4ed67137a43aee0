from __future__ import annotations

import json
import os
import pty
import subprocess
import sys

import pytest

from ts_retry_ext.cli.output import print_json, print_line, print_table, visible, warn


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain é 漢", "plain é 漢"),
        ("\x1b[31mred\x07", "\\x1b[31mred\\x07"),
        ("a\r\nb\tc", "a\\x0d\\x0ab\\x09c"),
        ("\u202eright to left", "\\u202eright to left"),
        ("\ud800", "\\ud800"),
    ],
)
def test_control_characters_are_shown_not_obeyed(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_line_feeds_are_kept_where_asked_for() -> None:
    assert visible("a\n\tb\x1b", keep="\n\t") == "a\n\tb\\x1b"


def test_json_is_ascii_and_indented(capsys: pytest.CaptureFixture[str]) -> None:
    print_json({"a": "é\ud800"})

    out = capsys.readouterr().out
    assert out == '{\n  "a": "\\u00e9\\ud800"\n}\n'
    assert json.loads(out) == {"a": "é\ud800"}


def test_table_without_a_terminal_is_plain_columns_of_full_width(
    capsys: pytest.CaptureFixture[str],
) -> None:
    print_table(("A", "LONG TITLE"), [("x" * 200, None), (1, "[b]\x1b")])

    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "A" + " " * 199 + "  LONG TITLE"
    assert lines[1] == "x" * 200 + "  -"
    assert lines[2] == "1" + " " * 199 + "  [b]\\x1b"


def test_warning_goes_to_standard_error(capsys: pytest.CaptureFixture[str]) -> None:
    warn("beware\n")
    print_line("fine")

    assert capsys.readouterr() == ("fine\n", "beware\\x0a\n")


def test_table_on_a_terminal_is_drawn_and_brackets_are_no_markup() -> None:
    code = (
        "from ts_retry_ext.cli.output import print_table\n"
        "print_table(('MODEL', 'STATE'), [('[bold]m', 'halted')])"
    )
    near, far = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": "80", "NO_COLOR": ""}
    subprocess.run([sys.executable, "-c", code], stdout=far, env=environ, check=True)
    os.close(far)
    shown = os.read(near, 10_000).decode()
    os.close(near)

    assert "[bold]m" in shown
    assert "\x1b[1;31mhalted" in shown
