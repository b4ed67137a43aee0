"""Print for people and for programs: tables, JSON, and text that cannot harm a terminal."""

from __future__ import annotations

import json
import sys
import unicodedata
from typing import Sequence

OK, ERROR, USAGE, HALTED = 0, 1, 2, 3
"""Exit codes of every command."""


class CommandError(Exception):
    """A command cannot do what it was asked; the message is one line fit for people.

    Attributes:
        exit_code: what the command exits with.
    """

    def __init__(self, message: str, exit_code: int = ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code


def print_json(content: object) -> None:
    """Print `content` as indented JSON, in ASCII, so that any terminal and pipe takes it."""
    print(json.dumps(content, indent=2))


def print_line(text: str = "") -> None:
    """Print one line; control characters are shown, not obeyed."""
    print(visible(text))


def warn(text: str) -> None:
    """Print one line on stderr."""
    print(visible(text), file=sys.stderr)


def visible(text: str, *, keep: str = "") -> str:
    """Return `text` with escapes for control characters and for what no encoding holds.

    Args:
        text: what to show.
        keep: control characters to leave as they are, such as a line feed.
    """
    return "".join(
        c if c in keep or unicodedata.category(c)[0] != "C" else _escape(c) for c in text
    )


def print_table(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table: drawn by rich on a terminal, else plain columns of full width.

    Args:
        columns: titles.
        rows: a cell for each column; None is shown as a dash.
    """
    cells = [["-" if cell is None else visible(str(cell)) for cell in row] for row in rows]
    if sys.stdout.isatty():
        _print_rich(columns, cells)
        return
    widths = [max(map(len, column)) for column in zip(columns, *cells)]
    for row in [list(columns), *cells]:
        line = "  ".join(cell.ljust(width) for cell, width in zip(row, widths))
        print(line.rstrip())


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False)
    for title in columns:
        table.add_column(title, overflow="fold")
    for row in rows:
        # Text, so that [brackets] in a message are not taken for markup.
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    Console().print(table)


_STYLES = {
    "halted": "bold red",
    "retired": "red",
    "recovering": "yellow",
    "failed": "bold red",
    "retrying": "yellow",
    "recovered": "yellow",
    "serving": "green",
    "loads": "green",
    "fails": "bold red",
    "refused": "bold red",
    "error": "yellow",
    "wrong": "bold red",
    "warning": "yellow",
    "ok": "green",
}


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
