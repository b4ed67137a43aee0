"""Fields of a user's rule: each value is checked, and a wrong one is named with what is allowed."""

from __future__ import annotations

import errno as errno_numbers
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any

from ts_retry_ext.judge.facts import LINUX_ERRNO, errno_name
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.memory_figures import MEMORY_PREDICATES
from ts_retry_ext.judge.paths import PATH_PREDICATES
from ts_retry_ext.judge.pattern_cost import why_it_can_run_for_ever
from ts_retry_ext.judge.rule import WHERE
from ts_retry_ext.judge.where_raised import PLACES

#: Longest pattern accepted, and longest text for people.
PATTERN_LIMIT = 2_000
TEXT_LIMIT = 1_000
_STATUS = re.compile(r"[1-5](?:\d\d|xx)$")
#: Fields of ``when`` with one of a few words.
_CHOICES = {
    "where": WHERE,
    "path": tuple(PATH_PREDICATES),
    "shadowed": ("yes",),
    "memory": tuple(MEMORY_PREDICATES),
    "raised_in": PLACES,
}


class WrongFieldError(ValueError):
    """A field has a value that it cannot have; the message says which one, and what is allowed."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def condition(key: str, value: object) -> Any:
    """Return the value of one field of ``when``, as `When` has it. Raises WrongFieldError, as all below."""
    name = f"when.{key}"
    if key in ("message", "unless"):
        return _pattern(value, name)
    if key == "phase":
        return tuple(one_of(Phase, part, name) for part in _texts(value, name))
    if key == "errno":
        return tuple(_errno(part, name) for part in _listed(value, name))
    if key == "http_status":
        return tuple(_status(part, name) for part in _listed(value, name))
    if key in _CHOICES:
        return _choice(value, _CHOICES[key], name)
    return _texts(value, name)


def _listed(value: object, field: str) -> list[object]:
    found = value if isinstance(value, list) else [value]
    if not found:
        raise WrongFieldError(field, "is an empty list")
    return found


def _texts(value: object, field: str) -> tuple[str, ...]:
    for part in _listed(value, field):
        if not isinstance(part, str) or not part:
            raise WrongFieldError(field, f"got {shown(part)}; a text or a list of texts")
    return tuple(str(part) for part in _listed(value, field))


def _pattern(value: object, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise WrongFieldError(field, f"got {shown(value)}; a regular expression")
    if len(value) > PATTERN_LIMIT:
        raise WrongFieldError(field, f"is longer than {PATTERN_LIMIT} characters")
    try:
        re.compile(value, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as exc:
        raise WrongFieldError(field, f"{value!r} is no regular expression: {exc}") from None
    slow = why_it_can_run_for_ever(value)
    if slow:
        raise WrongFieldError(
            field, f"{value!r} {slow}: it can take for ever; write it flat, or bound it: .{{0,200}}"
        )
    return value


def _errno(value: object, field: str) -> str:
    known = {*errno_numbers.errorcode.values(), *LINUX_ERRNO.values()}
    if isinstance(value, str) and value.upper() in known:
        return value.upper()
    if isinstance(value, int) and not isinstance(value, bool):
        name = errno_name(value)
        if name:
            return name
    raise WrongFieldError(
        field, f"got {shown(value)}; an error number, or its name as ECONNREFUSED"
    )


def _status(value: object, field: str) -> str:
    text = str(value).lower()
    if isinstance(value, (int, str)) and not isinstance(value, bool) and _STATUS.match(text):
        return text
    raise WrongFieldError(field, f"got {shown(value)}; a status code as 429, or a class as 5xx")


def _choice(value: object, allowed: tuple[str, ...], field: str) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise WrongFieldError(field, f"got {shown(value)}; one of {', '.join(allowed)}")


def one_of(kind: Any, value: object, field: str) -> Any:
    """Return the member of an enum that a word names, in any case."""
    if isinstance(value, str):
        try:
            return kind(value.lower())
        except ValueError:
            pass
    raise WrongFieldError(field, f"got {shown(value)}; one of {names(kind)}")


def names(kind: Any) -> str:
    """Return the words of an enum, for people."""
    members: list[Enum] = list(kind)
    return ", ".join(str(member.value) for member in members)


def sentence(value: object, field: str) -> str:
    """Return a text for people, at most `TEXT_LIMIT` characters of it."""
    if value is None:
        return ""
    if not isinstance(value, str):
        raise WrongFieldError(field, f"got {shown(value)}; a text")
    return value.strip()[:TEXT_LIMIT]


def shown(value: object) -> str:
    """Return a value as a message quotes it."""
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def kind_of(value: object) -> str:
    """Return in words what a value is."""
    return "a mapping" if isinstance(value, Mapping) else f"{type(value).__name__} {shown(value)}"
