"""`ts-retry rules`: list the rules in the order in which they are asked, or check a file of them."""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import fields
from pathlib import Path
from typing import Any

from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.rule import Rule, When
from ts_retry_ext.judge.user_rules import RuleProblem, rules_from_data

_RULES_VARIABLE = "TS_RETRY_RULES"


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add the command to the parser."""
    parser = commands.add_parser(
        "rules",
        help="list the rules in order, or check a file of your own",
        description="List the rules in the order in which they are asked; the first that matches "
        "decides, and your own come before the built-in ones.",
    )
    parser.add_argument(
        "--check", metavar="FILE", help="check a YAML file of rules and list what is wrong"
    )
    parser.add_argument(
        "--rules",
        metavar="FILE",
        default=os.environ.get(_RULES_VARIABLE) or None,
        help=f"your own rules to list before the built-in ones (default: ${_RULES_VARIABLE})",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 fine, 1 the file can't be read, 3 a rule is wrong."""
    if args.check:
        return _check(args.check, as_json=args.json)
    own: tuple[Rule, ...] = ()
    problems: tuple[RuleProblem, ...] = ()
    if args.rules:
        try:
            own, problems = read_rules(args.rules)
        except RulesUnreadableError as exc:
            print(f"ts-retry rules: {exc}", file=sys.stderr)
            return 1
    for problem in problems:
        print(f"ts-retry rules: {problem}", file=sys.stderr)
    rules = (*own, *BUILTIN_RULES)
    if args.json:
        print(json.dumps([rule_record(rule) for rule in rules], indent=2))
    else:
        print("\n".join(_table(rules)))
    return 3 if problems else 0


class RulesUnreadableError(Exception):
    """Say why a file of rules can't be read at all."""


def read_rules(path: str) -> tuple[tuple[Rule, ...], tuple[RuleProblem, ...]]:
    """Read a YAML file of rules.

    Raises:
        RulesUnreadableError: the file can't be opened or isn't YAML, or PyYAML is missing.
    """
    try:
        import yaml
    except ImportError:
        msg = f"{path}: PyYAML isn't installed here; install it with: pip install pyyaml"
        raise RulesUnreadableError(msg) from None
    try:
        data = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except OSError as exc:
        msg = f"{path}: can't be read: {exc.strerror}"
        raise RulesUnreadableError(msg) from None
    except (yaml.YAMLError, UnicodeDecodeError) as exc:
        msg = f"{path}: isn't valid YAML: {' '.join(str(exc).split())}"
        raise RulesUnreadableError(msg) from None
    return rules_from_data(data, path)


def rule_record(rule: Rule) -> dict[str, Any]:
    """Return the JSON form of a rule; empty fields of `when` are left out."""
    return {
        "id": rule.id,
        "source": rule.source,
        "since": rule.since,
        "when": _when_record(rule.when),
        "verdict": rule.verdict.value,
        "scope": rule.scope.value,
        "max_attempts": rule.max_attempts,
        "reason": rule.reason,
        "remedy": rule.remedy,
    }


def _when_record(when: When) -> dict[str, Any]:
    record: dict[str, Any] = {}
    for field in fields(When):
        value = getattr(when, field.name)
        if value == field.default:
            continue
        record[field.name] = (
            [str(getattr(part, "value", part)) for part in value]
            if isinstance(value, tuple)
            else value
        )
    return record


def _table(rules: tuple[Rule, ...]) -> list[str]:
    rows = [("#", "RULE", "VERDICT", "SCOPE", "SOURCE", "SINCE", "WHAT IS WRONG")]
    rows += [
        (
            str(number),
            rule.id,
            rule.verdict.value,
            rule.scope.value,
            rule.source,
            rule.since,
            rule.reason,
        )
        for number, rule in enumerate(rules, start=1)
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(6)]
    return [
        "  ".join([cell.ljust(width) for cell, width in zip(row, widths)] + [row[6]]).rstrip()
        for row in rows
    ]


def _check(path: str, *, as_json: bool) -> int:
    try:
        rules, problems = read_rules(path)
    except RulesUnreadableError as exc:
        if as_json:
            print(
                json.dumps(
                    {"rules": 0, "problems": [{"rule": "", "field": "", "message": str(exc)}]}
                )
            )
        else:
            print(f"ts-retry rules: {exc}", file=sys.stderr)
        return 1
    if as_json:
        found = [
            {"rule": problem.rule, "field": problem.field, "message": problem.message}
            for problem in problems
        ]
        print(json.dumps({"rules": len(rules), "problems": found}))
    else:
        for problem in problems:
            print(problem)
        wrong = f", {len(problems)} wrong" if problems else ", none wrong"
        print(f"{path}: {len(rules)} rule{'' if len(rules) == 1 else 's'} in order{wrong}")
    return 3 if problems else 0
