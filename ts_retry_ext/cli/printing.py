"""Print for people and for programs: tables, JSON, and text that cannot harm a terminal."""

from __future__ import annotations

import json
import shutil
import sys
import textwrap
from contextlib import contextmanager
from typing import Collection, Iterator, Sequence

from ts_retry_ext.plain_text import some_of, visible

#: Exit codes of every command.
OK, ERROR, USAGE, HALTED = 0, 1, 2, 3

#: Characters a line of prose on a wider terminal.
WIDTH = 100
#: Characters that rich draws between two columns, and beside them.
_BETWEEN, _MARGIN = 2, 2


class CommandError(Exception):
    """A command cannot do what it was asked; the message is one line fit for people."""

    def __init__(self, message: str, exit_code: int = ERROR) -> None:
        super().__init__(message)
        self.exit_code = exit_code


@contextmanager
def as_command_error(*errors: type[Exception]) -> Iterator[None]:
    """Raise errors whose messages are fit for people as the command's own."""
    try:
        yield
    except errors as error:
        raise CommandError(str(error)) from error


def print_json(content: object) -> None:
    """Print `content` as indented JSON, in ASCII, so that any terminal and pipe takes it."""
    print(json.dumps(content, indent=2))


def print_line(text: str = "") -> None:
    """Print one line; control characters are shown, not obeyed."""
    print(visible(text))


def warn(text: str) -> None:
    """Print one line on stderr."""
    print(visible(text), file=sys.stderr)


def print_wrapped(text: str, indent: int | None = None) -> None:
    """Print a line, broken at blanks where a person reads it.

    Args:
        indent: blanks that further lines begin with; by default two more than the first one.
    """
    if not sys.stdout.isatty():
        print_line(text)
        return
    further = len(text) - len(text.lstrip()) + 2 if indent is None else indent
    # What has no blank is left whole: a path is there to be copied.
    wrapped = textwrap.wrap(
        visible(text),
        max(40, min(WIDTH, shutil.get_terminal_size().columns)),
        subsequent_indent=" " * further,
        break_on_hyphens=False,
        break_long_words=False,
    )
    print("\n".join(wrapped))


def print_labelled(label: str, text: str, width: int) -> None:
    """Print a text behind its label, which takes `width` characters; further lines stand below the text."""
    line = f"{label:<{width}}{text}"
    if " " in text:
        print_wrapped(line, width)
    else:
        print_line(line)


def print_table(
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    aside: Collection[str] = (),
    spare: Sequence[str] = (),
) -> None:
    """Print a table: drawn by rich on a terminal, else plain columns of full width.

    Args:
        columns: titles; the first one says whose row it is.
        rows: a cell for each column; None is shown as a dash.
        aside: columns of words. Where a terminal is too narrow for them they are lines below the
            table, one for all rows with the same words.
        spare: columns that are left out, one after the other, where it is too narrow even then.
    """
    cells = [["-" if cell is None else visible(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells)]
    if not sys.stdout.isatty():
        for shown in [list(columns), *cells]:
            line = "  ".join(cell.ljust(width) for cell, width in zip(shown, widths))
            print(line.rstrip())
        return
    inside = list(range(len(columns)))
    if not aside or _fits(widths):
        _print_rich(columns, cells)
        return
    for left_out in (aside, *([title] for title in spare)):
        inside = [number for number in inside if columns[number] not in left_out]
        if _fits([widths[number] for number in inside]):
            break
    _print_rich([columns[number] for number in inside], [[row[n] for n in inside] for row in cells])
    whose: dict[str, list[str]] = {}
    for row, shown in zip(rows, cells):
        words = ": ".join(
            text
            for title, cell, text in zip(columns, row, shown)
            if title in aside and cell is not None
        )
        whose.setdefault(words, []).append(shown[0])
    for words, names in whose.items():
        if words:
            print_wrapped(f"{some_of(names)}: {words}")


def print_timeline(columns: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    """Print a table whose last column is words.

    Where a terminal leaves them too little room beside the others, they stand below each row.
    """
    cells = [["-" if cell is None else visible(str(cell)) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells)]
    others = [*widths[:-1], min(widths[-1], _LEAST_WORDS)]
    if not sys.stdout.isatty() or _fits(others):
        print_table(columns, rows)
    else:
        _print_words_below(columns, cells, widths)


def _print_words_below(
    columns: Sequence[str], cells: Sequence[Sequence[str]], widths: Sequence[int]
) -> None:
    from rich.console import Console
    from rich.padding import Padding
    from rich.text import Text

    console = Console()
    for row in ((*columns[:-1], ""), *cells):
        *others, words = (Text(cell, style=_STYLES.get(cell, "")) for cell in row)
        for cell, width in zip(others, widths):
            cell.align("left", width)
        console.print(Text(" " * _BETWEEN).join(others))
        if words:
            console.print(Padding(words, (0, 0, 0, 2 * _BETWEEN)))


def _fits(widths: Sequence[int]) -> bool:
    drawn = sum(widths) + _BETWEEN * (len(widths) - 1) + _MARGIN
    return drawn <= shutil.get_terminal_size().columns


def _print_rich(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False, padding=(0, 1, 0, 0))
    console = Console()
    for title, whole in zip(columns, _whole(columns, rows, console.width)):
        table.add_column(title, overflow="fold", min_width=len(title), no_wrap=whole)
    for row in rows:
        # Text, so that [brackets] in a message are not taken for markup.
        table.add_row(*(Text(cell, style=_STYLES.get(cell, "")) for cell in row))
    console.print(table)


def _whole(columns: Sequence[str], rows: Sequence[Sequence[str]], width: int) -> Sequence[bool]:
    """Tell of each column whether it must not be broken: numbers and single words, where they fit.

    The first one names something, and rather gives way than a verdict does.
    """
    widths = [max(map(len, column)) + _BETWEEN for column in zip(columns, *rows)]
    whole = [at > 0 and size <= _WORD + _BETWEEN for at, size in enumerate(widths)]
    broken = whole.count(False)
    fits = sum(w for w, is_whole in zip(widths, whole) if is_whole) + broken * _LEAST <= width
    return whole if fits else [False] * len(whole)


#: Characters of what is no more than a word: ``non_recoverable`` has 15.
_WORD = 16
#: Characters that words beside other columns need to be read.
_LEAST_WORDS = 30
#: Characters that a column which is broken has to have left.
_LEAST = 12


_STYLES = {
    "halted": "bold red",
    "not-registered": "bold red",
    "waiting": "yellow",
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
