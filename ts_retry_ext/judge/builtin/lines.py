"""A long pattern written as lines that a person can read."""

from __future__ import annotations


def any_of(lines: str) -> str:
    r"""Return a pattern that matches what any line matches.

    A line holds one alternative or several; blanks at its ends do not count (write `[ ]`). A line
    that ends with a blank and `\` goes on in the next. A line that begins with `#` is a comment: it
    says whose words the lines below it are.
    """
    parts = (line.strip() for line in lines.splitlines())
    pattern = "|".join(part for part in parts if part and not part.startswith("#"))
    return pattern.replace(" \\|", "")
