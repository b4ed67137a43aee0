"""What more than one room says or shows: text made visible, a cause in one line, what decided.

Standard library only: workers import it, and a holder nothing large with it.
"""

from __future__ import annotations

#: Characters of a cause in one line, and of a reason or remedy beside it.
CAUSE_LENGTH, ADVICE_LENGTH = 400, 300
#: A message of several lines is cut to its first where it has more characters than this.
_LONG = 200
#: Names of a list that are said before the rest is counted.
MOST_NAMED = 5
_NO_BASIS = "none"  # see judge.verdict.Basis
#: Bases that say "not now", never "not ever"; see judge.verdict.Basis.
_WEAK_BASES, _NOT_NOW = ("repeated", "crashed"), "not now"
_MINUTE, _HOUR, _DAY = 60.0, 3600.0, 86400.0


def in_one_line(text: str, limit: int | None = None) -> str:
    """Return `text` with single blanks for line breaks and runs of blanks.

    Args:
        text: what to show.
        limit: characters to keep; None for all. What is cut ends in an ellipsis.
    """
    line = " ".join(text.split())
    return line if limit is None or len(line) <= limit else line[: limit - 1].rstrip() + "…"


def cause_line(kind: str, message: str, limit: int | None = CAUSE_LENGTH) -> str:
    """Return a cause in one line: type and message of an exception, or its type alone.

    A long message of several lines is cut after its first ones where a limit is given.

    Args:
        kind: the exception's type.
        message: its message.
        limit: characters to keep, see `in_one_line`.
    """
    shown = message if limit is None else _first_lines(message)
    return in_one_line(f"{kind}: {shown}", limit).rstrip(": ")


def _first_lines(message: str) -> str:
    """Return a long message's first line, the next too where it only leads there, and how much is left.

    Of an error in loading a ``state_dict`` (torch 2.x, Module.load_state_dict) the first key and the number
    of the others are shown.
    """
    lines = [line.strip() for line in message.strip().splitlines() if line.strip()]
    if len(message) <= _LONG or len(lines) < 2:
        return message
    shown = 2 if lines[0].endswith(":") else 1
    first = " ".join(lines[:shown])
    keys = [
        key for line in lines if "key(s) in state_dict" in line for key in line.split('"')[1::2]
    ]
    if len(keys) > 1 and "state_dict: " in lines[shown - 1]:
        head = first[: first.rindex("state_dict: ")]
        more = len(keys) - 1
        return f'{head}state_dict: "{keys[0]}", and {more} more key{"s" if more > 1 else ""}'
    more = len(lines) - shown
    return f"{first}, and {more} more line{'s' if more > 1 else ''}" if more else first


def decided_by(basis: str, rule: str | None) -> str:
    """Return what a verdict rests on, such as ``rule syntax-error`` or ``repeated``."""
    return basis if rule is None else f"{basis} {rule}"


def outcome_word(verdict: str, basis: str) -> str:
    """Return a verdict for people: ``not now`` where it rests on repetition, since it may pass."""
    return _NOT_NOW if basis in _WEAK_BASES else verdict


def verdict_line(verdict: str, basis: str, rule: str | None) -> str:
    """Return a verdict and what decided, such as ``non_recoverable (syntax-error)`` or ``unknown``."""
    if basis in _WEAK_BASES:
        return f"{_NOT_NOW} ({decided_by(basis, rule)})"
    why = rule or basis
    return verdict if why == _NO_BASIS else f"{verdict} ({why})"


def halt_line(
    cause: str, decided: str, fingerprint: str, reason: str, remedy: str, place: str | None = None
) -> str:
    """Return in one line why a model is halted and what to do.

    Args:
        cause: see `cause_line`.
        decided: see `decided_by`.
        fingerprint: the fault's name.
        reason: why it is not loaded again.
        remedy: what to do, or empty.
        place: where in the model's own code it failed, or None.
    """
    advice = f" Remedy: {in_one_line(remedy, ADVICE_LENGTH)}" if remedy else ""
    why = in_one_line(reason, ADVICE_LENGTH)
    where = f"At {in_one_line(place, ADVICE_LENGTH)}. " if place else ""
    return f"{cause} [{decided}, fingerprint {fingerprint}] {where}{why}{advice}"


def some_of(names: list[str]) -> str:
    """Return names in words, the first ones: ``a, b, c, d, e and 14 more``."""
    more = len(names) - MOST_NAMED
    return ", ".join(names) if more < 1 else f"{', '.join(names[:MOST_NAMED])} and {more} more"


def counted(count: int, noun: str) -> str:
    """Return ``1 load`` or ``2 loads``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


def duration_in_words(seconds: float) -> str:
    """Return a time span in one unit, as a person says it: ``42 s``, ``7 min``, ``3 h``, ``2 days``."""
    if seconds < 2 * _MINUTE:
        return f"{max(0.0, seconds):.0f} s"
    if seconds < 2 * _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    if seconds < 2 * _DAY:
        return f"{seconds / _HOUR:.0f} h"
    return f"{seconds / _DAY:.0f} days"


def visible(text: str, *, keep: str = "") -> str:
    """Return `text` with escapes for control characters and for what no encoding holds.

    Args:
        text: what to show.
        keep: control characters to leave as they are, such as a line feed.
    """
    import unicodedata  # Here: a holder shows nothing, and the tables take 1 MB.

    return "".join(
        c if c in keep or unicodedata.category(c)[0] != "C" else _escape(c) for c in text
    )


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
