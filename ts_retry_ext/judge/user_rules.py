"""Users' rules: parsed YAML checked field by field; a wrong rule is left out, and each of its faults is named.

The form is a list of rules, or a mapping with such a list under `rules`, which can give the pack a name
and a version:

    name: acme-platform
    version: "2026.11"
    rules:

    - id: our-feature-store
      when: {type: [ConnectionError], message: "feature store .* warming up"}
      verdict: recoverable
      reason: The feature store is warming up.
      remedy: Wait.
"""

from __future__ import annotations

import errno as errno_numbers
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from enum import Enum
from typing import Any

from ts_retry_ext.judge.facts import LINUX_ERRNO, errno_name
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.memory_figures import MEMORY_PREDICATES
from ts_retry_ext.judge.paths import PATH_PREDICATES
from ts_retry_ext.judge.pattern_cost import why_it_can_run_for_ever
from ts_retry_ext.judge.rule import WHERE, Rule, When
from ts_retry_ext.judge.verdict import Outcome, Scope

#: Longest pattern accepted, and longest text for people.
PATTERN_LIMIT = 2_000
TEXT_LIMIT = 1_000
_STATUS = re.compile(r"[1-5](?:\d\d|xx)$")
#: Keys of a pack: a mapping with rules.
_PACK_KEYS = ("name", "version", "rules")
_PACK_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,59}$")
_RULE_KEYS = ("id", "when", "verdict", "scope", "max_attempts", "reason", "remedy", "since")
#: Fields of ``when`` with one of a few words.
_CHOICES = {
    "where": WHERE,
    "path": tuple(PATH_PREDICATES),
    "shadowed": ("yes",),
    "memory": tuple(MEMORY_PREDICATES),
}
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,99}$")


@dataclass(frozen=True)
class RuleProblem:
    """Name what is wrong with a rule.

    Attributes:
        source: file, or the name of the place the rules came from.
        rule: id of the rule, else `rule <n>` counted from 1, else empty.
        field: dotted name of the field, empty where the whole is meant.
        message: what it is, and what is allowed.
    """

    source: str
    rule: str
    field: str
    message: str

    def __str__(self) -> str:
        parts = [part for part in (self.source, self.rule, self.field) if part]
        return f"{': '.join(parts)}: {self.message}"


class _WrongFieldError(ValueError):
    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field


def rules_from_data(data: object, source: str) -> tuple[tuple[Rule, ...], tuple[RuleProblem, ...]]:
    """Build rules from parsed YAML.

    Args:
        data: a list of rules, a mapping with a list under `rules`, or None for an empty file.
        source: shown with each rule and problem; the name and version of a pack come before it.
    """
    pack_problems: tuple[RuleProblem, ...] = ()
    if isinstance(data, Mapping) and "rules" in data:
        pack, pack_problems = _pack_of(data, source)
        source = f"{pack} ({source})" if pack else source
        data = data["rules"]
    if data is None:
        return (), pack_problems
    if not isinstance(data, list):
        problem = f"must be a list of rules, or a mapping with one under 'rules', not {_kind(data)}"
        return (), (*pack_problems, RuleProblem(source, "", "", problem))
    rules: list[Rule] = []
    problems = list(pack_problems)
    seen: set[str] = set()
    for number, item in enumerate(data, start=1):
        name = item.get("id") if isinstance(item, Mapping) else None
        name = name if isinstance(name, str) and name else f"rule {number}"
        faults: list[_WrongFieldError] = []
        rule = _rule(item, source, faults)
        if rule is not None and rule.id in seen:
            faults.append(_WrongFieldError("id", "is used twice; every rule needs its own"))
        problems += [RuleProblem(source, name, fault.field, str(fault)) for fault in faults]
        if rule is not None and not faults:
            seen.add(rule.id)
            rules.append(rule)
    return tuple(rules), tuple(problems)


def rules_of_packs(
    packs: Iterable[tuple[object, str]],
) -> tuple[tuple[Rule, ...], tuple[RuleProblem, ...]]:
    """Build the rules of several files, in order; an id that an earlier file has is left out and named.

    Args:
        packs: parsed YAML, and the file that it was read from.
    """
    rules: dict[str, Rule] = {}
    problems: list[RuleProblem] = []
    for data, source in packs:
        found, wrong = rules_from_data(data, source)
        problems += wrong
        for rule in found:
            if rule.id in rules:
                told = f"is that of a rule of {rules[rule.id].source}, which is asked before"
                problems.append(RuleProblem(rule.source, rule.id, "id", told))
                continue
            rules[rule.id] = rule
    return tuple(rules.values()), tuple(problems)


def _pack_of(data: Mapping[Any, Any], source: str) -> tuple[str, tuple[RuleProblem, ...]]:
    """Return name and version of a pack, and what is wrong with its own keys."""
    problems = []
    words = []
    for key in data:
        if key not in _PACK_KEYS:
            told = f"is no key of a pack; allowed: {', '.join(_PACK_KEYS)}"
            problems.append(RuleProblem(source, "", str(key), told))
    for key in ("name", "version"):
        value = data.get(key)
        if value is None:
            continue
        text = str(value) if isinstance(value, (str, int, float)) else ""
        if isinstance(value, bool) or not _PACK_WORD.match(text):
            told = f"got {_shown(value)}; letters, digits, '-', '_', '.', at most 60 of them"
            problems.append(RuleProblem(source, "", key, told))
            continue
        words.append(text)
    return " ".join(words), tuple(problems)


@contextmanager
def _collected(faults: list[_WrongFieldError]) -> Iterator[None]:
    """Add what is wrong with one field to `faults`, so that the next field is looked at, too."""
    try:
        yield
    except _WrongFieldError as fault:
        faults.append(fault)


def _rule(item: object, source: str, faults: list[_WrongFieldError]) -> Rule | None:
    """Return the rule, or None where one of its fields is wrong; each of these is added to `faults`."""
    if not isinstance(item, Mapping):
        faults.append(_WrongFieldError("", f"must be a mapping, not {_kind(item)}"))
        return None
    _known_keys(item, _RULE_KEYS, "", faults)
    values: dict[str, Any] = {"source": source}
    with _collected(faults):
        values["id"] = _id(item.get("id"))
    with _collected(faults):
        values["verdict"] = _verdict(item)
    with _collected(faults):
        values["when"] = _when(item.get("when"), faults)
    with _collected(faults):
        values["max_attempts"] = _max_attempts(item.get("max_attempts", 0), values.get("verdict"))
    with _collected(faults):
        values["scope"] = _one_of(Scope, item.get("scope", Scope.MODEL.value), "scope")
    with _collected(faults):
        told = _sentence(item.get("reason"), "reason")
        values["reason"] = told or f"Rule {values.get('id')} of {source} matches."
    with _collected(faults):
        values["remedy"] = _sentence(item.get("remedy"), "remedy")
    with _collected(faults):
        values["since"] = _sentence(str(item["since"]), "since") if item.get("since") else ""
    return None if faults else Rule(**values)


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.match(value):
        msg = "id"
        raise _WrongFieldError(
            msg, f"got {_shown(value)}; letters, digits, '-', '_', '.', at most 100 of them"
        )
    return value


def _verdict(item: Mapping[Any, Any]) -> Outcome:
    if "verdict" not in item:
        msg = "verdict"
        raise _WrongFieldError(msg, f"is missing; one of {_names(Outcome)}")
    verdict: Outcome = _one_of(Outcome, item["verdict"], "verdict")
    return verdict


def _max_attempts(value: object, verdict: Outcome | None) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = "max_attempts"
        raise _WrongFieldError(msg, f"got {_shown(value)}; a whole number, 0 for never")
    if value and verdict not in (Outcome.RECOVERABLE, None):
        msg = "max_attempts"
        raise _WrongFieldError(msg, "goes with the verdict recoverable only")
    return value


def _when(data: object, faults: list[_WrongFieldError]) -> When:
    if not isinstance(data, Mapping) or not data:
        msg = "when"
        raise _WrongFieldError(
            msg, f"must be a mapping with at least one field, got {_shown(data)}"
        )
    known = tuple(field.name for field in fields(When))
    before = len(faults)
    _known_keys(data, known, "when.", faults)
    values: dict[str, Any] = {}
    for key in filter(known.__contains__, data):
        with _collected(faults):
            values[key] = _condition(key, data[key])
    if len(faults) == before and set(values) <= {"where", "unless", "unless_type", "unless_frame"}:
        msg = "when"
        raise _WrongFieldError(msg, "says only what must not be, and would match every failure")
    return When(**values)


def _condition(key: str, value: object) -> Any:
    """Return the value of one field of ``when``, as `When` has it."""
    name = f"when.{key}"
    if key in ("message", "unless"):
        return _pattern(value, name)
    if key == "phase":
        return tuple(_one_of(Phase, part, name) for part in _texts(value, name))
    if key == "errno":
        return tuple(_errno(part, name) for part in _listed(value, name))
    if key == "http_status":
        return tuple(_status(part, name) for part in _listed(value, name))
    if key in _CHOICES:
        return _choice(value, _CHOICES[key], name)
    return _texts(value, name)


def _known_keys(
    data: Mapping[Any, Any],
    allowed: tuple[str, ...],
    prefix: str,
    faults: list[_WrongFieldError],
) -> None:
    told = f"is no field; allowed: {', '.join(allowed)}"
    faults += [_WrongFieldError(f"{prefix}{key}", told) for key in data if key not in allowed]


def _listed(value: object, field: str) -> list[object]:
    found = value if isinstance(value, list) else [value]
    if not found:
        raise _WrongFieldError(field, "is an empty list")
    return found


def _texts(value: object, field: str) -> tuple[str, ...]:
    for part in _listed(value, field):
        if not isinstance(part, str) or not part:
            raise _WrongFieldError(field, f"got {_shown(part)}; a text or a list of texts")
    return tuple(str(part) for part in _listed(value, field))


def _pattern(value: object, field: str) -> str:
    if not isinstance(value, str) or not value:
        raise _WrongFieldError(field, f"got {_shown(value)}; a regular expression")
    if len(value) > PATTERN_LIMIT:
        raise _WrongFieldError(field, f"is longer than {PATTERN_LIMIT} characters")
    try:
        re.compile(value, re.IGNORECASE)
    except (re.error, OverflowError, RecursionError) as exc:
        raise _WrongFieldError(field, f"{value!r} is no regular expression: {exc}") from None
    slow = why_it_can_run_for_ever(value)
    if slow:
        raise _WrongFieldError(
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
    raise _WrongFieldError(
        field, f"got {_shown(value)}; an error number, or its name as ECONNREFUSED"
    )


def _status(value: object, field: str) -> str:
    text = str(value).lower()
    if isinstance(value, (int, str)) and not isinstance(value, bool) and _STATUS.match(text):
        return text
    raise _WrongFieldError(field, f"got {_shown(value)}; a status code as 429, or a class as 5xx")


def _choice(value: object, allowed: tuple[str, ...], field: str) -> str:
    if isinstance(value, str) and value in allowed:
        return value
    raise _WrongFieldError(field, f"got {_shown(value)}; one of {', '.join(allowed)}")


def _one_of(kind: Any, value: object, field: str) -> Any:
    if isinstance(value, str):
        try:
            return kind(value.lower())
        except ValueError:
            pass
    raise _WrongFieldError(field, f"got {_shown(value)}; one of {_names(kind)}")


def _names(kind: Any) -> str:
    members: list[Enum] = list(kind)
    return ", ".join(str(member.value) for member in members)


def _sentence(value: object, field: str) -> str:
    if value is None:
        return ""
    if not isinstance(value, str):
        raise _WrongFieldError(field, f"got {_shown(value)}; a text")
    return value.strip()[:TEXT_LIMIT]


def _shown(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 80 else text[:77] + "..."


def _kind(value: object) -> str:
    return "a mapping" if isinstance(value, Mapping) else f"{type(value).__name__} {_shown(value)}"
