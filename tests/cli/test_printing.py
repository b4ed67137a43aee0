from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys

import pytest

from ts_retry_ext.cli.printing import print_json, print_line, print_table, warn
from ts_retry_ext.plain_text import visible


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


def shown_on_a_terminal(code: str, width: int) -> str:
    """Return what `code` shows on a terminal of so many characters."""
    near, far = pty.openpty()
    environ = {**os.environ, "TERM": "xterm", "COLUMNS": str(width), "NO_COLOR": ""}
    program = f"from ts_retry_ext.cli.printing import *\n{code}"
    shown = b""
    with subprocess.Popen([sys.executable, "-c", program], stdout=far, env=environ):
        os.close(far)
        try:
            while part := os.read(near, 10_000):
                shown += part
        except OSError:
            pass  # On Linux, what comes after the end.
    os.close(near)
    return shown.decode().replace("\r\n", "\n")


def test_table_on_a_terminal_is_drawn_and_brackets_are_no_markup() -> None:
    shown = shown_on_a_terminal("print_table(('MODEL', 'STATE'), [('[bold]m', 'halted')])", 80)

    assert "[bold]m" in shown
    assert "\x1b[1;31mhalted" in shown


def test_a_word_stays_whole_beside_a_name_that_is_too_long() -> None:
    titles = ("MODEL", "RESULT", "VERDICT", "LOAD", "LIMIT", "MEMORY", "WINDOW")
    row = ("store/" + "m" * 60, "fails", "non_recoverable", "0.0 s", "120 s", "222 MiB", "300 s")
    shown = shown_on_a_terminal(f"print_table({titles!r}, [{row!r}])", 80)
    assert all(word in shown for word in row[1:])
    assert shown.count("m") >= 60
    assert max(map(len, re.sub(r"\x1b\[[\d;]*m", "", shown).splitlines())) <= 80


@pytest.mark.parametrize(("width", "is_below"), [(60, True), (120, False)])
def test_words_for_which_a_terminal_is_too_narrow_stand_below_the_table(
    width: int, is_below: bool
) -> None:
    rows = [("m", "recovering", "a cause of some words " * 3), ("n", "serving", None)]
    code = f"print_table(('MODEL', 'STATE', 'CAUSE'), {rows!r}, aside=('CAUSE',))"
    lines = [line.strip() for line in shown_on_a_terminal(code, width).splitlines()]

    assert ("CAUSE" in "".join(lines)) is not is_below
    assert lines[-2:] == (
        ["m: a cause of some words a cause of some words a cause of", "some words"]
        if is_below
        else [lines[-2], ""]
    )
    assert "recovering" in "".join(lines)


@pytest.mark.parametrize(("width", "is_below"), [(53, True), (54, False)])
def test_words_of_a_time_line_stand_below_each_row_where_they_have_no_room_beside(
    width: int, is_below: bool
) -> None:
    words = "what happened, in some words " * 3
    rows = [("12:00:00 UTC", "failed", words), ("12:00:01 UTC", "served", "")]
    code = f"print_timeline(('TIME', 'EVENT', 'WHAT'), {rows!r})"
    shown = re.sub(r"\x1b\[[\d;]*m", "", shown_on_a_terminal(code, width))
    lines = [" ".join(line.split()) for line in shown.splitlines() if line.strip()]

    assert "12:00:01 UTC served" in lines
    assert ("12:00:00 UTC failed" in lines) is is_below
    assert ("TIME EVENT" in lines) is is_below
    told = " ".join(lines).split()
    assert [word for word in told if word in words.split()] == words.split()
    assert max(map(len, shown.splitlines())) <= width


def test_rows_with_the_same_words_have_one_line_below_a_table() -> None:
    rows = [(name, name * 20, "KeyError: 'x'") for name in "abcdefg"] + [("h", "h", "a KeyError")]
    code = f"print_table(('MODEL', 'STATE', 'CAUSE'), {rows!r}, aside=('CAUSE',))"
    assert shown_on_a_terminal(code, 40).splitlines()[-2:] == [
        "a, b, c, d, e and 2 more: KeyError: 'x'",
        "h: a KeyError",
    ]


@pytest.mark.parametrize(
    ("width", "columns"),
    [(30, "MODEL STATE WINDOW STARTS"), (29, "MODEL STATE STARTS"), (21, "MODEL STATE")],
)
def test_spare_columns_give_way_one_after_the_other(width: int, columns: str) -> None:
    titles = ("MODEL", "STATE", "WINDOW", "STARTS", "CAUSE")
    row = ("m", "halt", "9 s", "1", "KeyError: 'x'")
    options = "aside=('CAUSE',), spare=('WINDOW', 'STARTS')"
    shown = shown_on_a_terminal(f"print_table({titles!r}, [{row!r}], {options})", width)
    plain = re.sub(r"\x1b\[[\d;]*m", "", shown)
    assert next(line for line in plain.splitlines() if "MODEL" in line).split() == columns.split()


def test_long_line_is_broken_at_blanks_on_a_terminal_and_a_command_is_not() -> None:
    code = (
        "print_wrapped('  the model is repaired, so that it may load again, then: ts-retry resume')"
    )

    assert shown_on_a_terminal(code, 60).splitlines() == [
        "  the model is repaired, so that it may load again, then:",
        "    ts-retry resume",
    ]
