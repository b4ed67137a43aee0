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

import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, fields
from typing import Any

from ts_retry_ext.judge.rule import Rule, When
from ts_retry_ext.judge.user_rule_fields import (
    WrongFieldError,
    condition,
    kind_of,
    names,
    one_of,
    sentence,
    shown,
)
from ts_retry_ext.judge.verdict import Outcome, Scope

#: Keys of a pack: a mapping with rules.
_PACK_KEYS = ("name", "version", "rules")
_PACK_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.\-]{0,59}$")
_RULE_KEYS = ("id", "when", "verdict", "scope", "max_attempts", "reason", "remedy", "since")
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
        problem = (
            f"must be a list of rules, or a mapping with one under 'rules', not {kind_of(data)}"
        )
        return (), (*pack_problems, RuleProblem(source, "", "", problem))
    rules: list[Rule] = []
    problems = list(pack_problems)
    seen: set[str] = set()
    for number, item in enumerate(data, start=1):
        name = item.get("id") if isinstance(item, Mapping) else None
        name = name if isinstance(name, str) and name else f"rule {number}"
        faults: list[WrongFieldError] = []
        rule = _rule(item, source, faults)
        if rule is not None and rule.id in seen:
            faults.append(WrongFieldError("id", "is used twice; every rule needs its own"))
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
            told = f"got {shown(value)}; letters, digits, '-', '_', '.', at most 60 of them"
            problems.append(RuleProblem(source, "", key, told))
            continue
        words.append(text)
    return " ".join(words), tuple(problems)


@contextmanager
def _collected(faults: list[WrongFieldError]) -> Iterator[None]:
    """Add what is wrong with one field to `faults`, so that the next field is looked at, too."""
    try:
        yield
    except WrongFieldError as fault:
        faults.append(fault)


def _rule(item: object, source: str, faults: list[WrongFieldError]) -> Rule | None:
    """Return the rule, or None where one of its fields is wrong; each of these is added to `faults`."""
    if not isinstance(item, Mapping):
        faults.append(WrongFieldError("", f"must be a mapping, not {kind_of(item)}"))
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
        values["scope"] = one_of(Scope, item.get("scope", Scope.MODEL.value), "scope")
    with _collected(faults):
        told = sentence(item.get("reason"), "reason")
        values["reason"] = told or f"Rule {values.get('id')} of {source} matches."
    with _collected(faults):
        values["remedy"] = sentence(item.get("remedy"), "remedy")
    with _collected(faults):
        values["since"] = sentence(str(item["since"]), "since") if item.get("since") else ""
    return None if faults else Rule(**values)


def _id(value: object) -> str:
    if not isinstance(value, str) or not _ID.match(value):
        msg = "id"
        raise WrongFieldError(
            msg, f"got {shown(value)}; letters, digits, '-', '_', '.', at most 100 of them"
        )
    return value


def _verdict(item: Mapping[Any, Any]) -> Outcome:
    if "verdict" not in item:
        msg = "verdict"
        raise WrongFieldError(msg, f"is missing; one of {names(Outcome)}")
    verdict: Outcome = one_of(Outcome, item["verdict"], "verdict")
    return verdict


def _max_attempts(value: object, verdict: Outcome | None) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = "max_attempts"
        raise WrongFieldError(msg, f"got {shown(value)}; a whole number, 0 for never")
    if value and verdict not in (Outcome.RECOVERABLE, None):
        msg = "max_attempts"
        raise WrongFieldError(msg, "goes with the verdict recoverable only")
    return value


def _when(data: object, faults: list[WrongFieldError]) -> When:
    if not isinstance(data, Mapping) or not data:
        msg = "when"
        raise WrongFieldError(msg, f"must be a mapping with at least one field, got {shown(data)}")
    known = tuple(field.name for field in fields(When))
    before = len(faults)
    _known_keys(data, known, "when.", faults)
    values: dict[str, Any] = {}
    for key in filter(known.__contains__, data):
        with _collected(faults):
            values[key] = condition(key, data[key])
    if len(faults) == before and set(values) <= {"where", "unless", "unless_type", "unless_frame"}:
        msg = "when"
        raise WrongFieldError(msg, "says only what must not be, and would match every failure")
    return When(**values)


def _known_keys(
    data: Mapping[Any, Any],
    allowed: tuple[str, ...],
    prefix: str,
    faults: list[WrongFieldError],
) -> None:
    told = f"is no field; allowed: {', '.join(allowed)}"
    faults += [WrongFieldError(f"{prefix}{key}", told) for key in data if key not in allowed]
