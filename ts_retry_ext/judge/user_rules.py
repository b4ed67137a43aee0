"""Users' rules: parsed YAML checked field by field; a wrong rule is left out and named.

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
from collections.abc import Iterable, Mapping
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
        try:
            rule = _rule(item, source)
            if rule.id in seen:
                msg = "id"
                raise _WrongFieldError(msg, "is used twice; every rule needs its own")
        except _WrongFieldError as exc:
            problems.append(RuleProblem(source, name, exc.field, str(exc)))
            continue
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


def _rule(item: object, source: str) -> Rule:
    if not isinstance(item, Mapping):
        msg = ""
        raise _WrongFieldError(msg, f"must be a mapping, not {_kind(item)}")
    allowed = ("id", "when", "verdict", "scope", "max_attempts", "reason", "remedy", "since")
    _known_keys(item, allowed, "")
    name = item.get("id")
    if not isinstance(name, str) or not _ID.match(name):
        msg = "id"
        raise _WrongFieldError(
            msg, f"got {_shown(name)}; letters, digits, '-', '_', '.', at most 100 of them"
        )
    if "verdict" not in item:
        msg = "verdict"
        raise _WrongFieldError(msg, f"is missing; one of {_names(Outcome)}")
    verdict = _one_of(Outcome, item["verdict"], "verdict")
    return Rule(
        id=name,
        when=_when(item.get("when")),
        verdict=verdict,
        max_attempts=_max_attempts(item.get("max_attempts", 0), verdict),
        scope=_one_of(Scope, item.get("scope", Scope.MODEL.value), "scope"),
        reason=_sentence(item.get("reason"), "reason") or f"Rule {name} of {source} matches.",
        remedy=_sentence(item.get("remedy"), "remedy"),
        since=_sentence(str(item["since"]), "since") if item.get("since") else "",
        source=source,
    )


def _max_attempts(value: object, verdict: Outcome) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = "max_attempts"
        raise _WrongFieldError(msg, f"got {_shown(value)}; a whole number, 0 for never")
    if value and verdict is not Outcome.RECOVERABLE:
        msg = "max_attempts"
        raise _WrongFieldError(msg, "goes with the verdict recoverable only")
    return value


def _when(data: object) -> When:
    if not isinstance(data, Mapping) or not data:
        msg = "when"
        raise _WrongFieldError(
            msg, f"must be a mapping with at least one field, got {_shown(data)}"
        )
    _known_keys(data, tuple(field.name for field in fields(When)), "when.")
    values: dict[str, Any] = {}
    for key, value in data.items():
        name = f"when.{key}"
        if key in ("message", "unless"):
            values[key] = _pattern(value, name)
        elif key == "phase":
            values[key] = tuple(_one_of(Phase, part, name) for part in _texts(value, name))
        elif key == "errno":
            values[key] = tuple(_errno(part, name) for part in _listed(value, name))
        elif key == "http_status":
            values[key] = tuple(_status(part, name) for part in _listed(value, name))
        elif key == "where":
            values[key] = _choice(value, WHERE, name)
        elif key == "path":
            values[key] = _choice(value, tuple(PATH_PREDICATES), name)
        elif key == "shadowed":
            values[key] = _choice(value, ("yes",), name)
        elif key == "memory":
            values[key] = _choice(value, tuple(MEMORY_PREDICATES), name)
        else:
            values[key] = _texts(value, name)
    if set(values) <= {"where", "unless", "unless_type", "unless_frame"}:
        msg = "when"
        raise _WrongFieldError(msg, "says only what must not be, and would match every failure")
    return When(**values)


def _known_keys(data: Mapping[Any, Any], allowed: tuple[str, ...], prefix: str) -> None:
    for key in data:
        if key not in allowed:
            msg = f"{prefix}{key}"
            raise _WrongFieldError(msg, f"is no field; allowed: {', '.join(allowed)}")


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
