"""Users' rules: right ones work, wrong ones are named with what is allowed."""

from __future__ import annotations

from typing import Any

import pytest

from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.failure import Failure, Phase
from ts_retry_ext.judge.judging import judge
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.user_rules import rules_from_data, rules_of_packs
from ts_retry_ext.judge.verdict import Outcome, Scope

GOOD: dict[str, Any] = {
    "id": "our-store",
    "when": {
        "type": "ValueError",
        "message": "feature store",
        "errno": [111, "ENOENT"],
        "http_status": [429, "5xx"],
        "phase": ["initialize"],
        "where": "any",
        "path": "missing_in_model_dir",
        "memory": "request_exceeds_total",
        "module": ["torch*"],
        "frame": "boto3",
        "cause": ["OSError"],
        "unless": "not this",
        "exact_type": ["ValueError"],
    },
    "verdict": "recoverable",
    "scope": "host",
    "reason": "Warming up.",
    "remedy": "Wait.",
    "since": "2026-01-01",
}


def test_all_faults_of_a_rule_are_named() -> None:
    wrong = {
        "id": "no blanks",
        "verdict": "perhaps",
        "remdy": "a typo",
        "reason": 1,
        "when": {"message": "(", "typ": "OSError", "errno": "ENOPE", "where": "here"},
    }
    rules, problems = rules_from_data([wrong, GOOD], "my.yaml")

    assert [rule.id for rule in rules] == ["our-store"]
    assert {problem.field for problem in problems} == {
        *("id", "verdict", "remdy", "reason"),
        *("when.message", "when.typ", "when.errno", "when.where"),
    }


def test_every_field_is_read() -> None:
    rules, problems = rules_from_data([GOOD], "my.yaml")
    assert problems == ()
    assert rules[0].when == When(
        type=("ValueError",),
        exact_type=("ValueError",),
        message="feature store",
        errno=("ECONNREFUSED", "ENOENT"),
        http_status=("429", "5xx"),
        where="any",
        cause=("OSError",),
        unless="not this",
        phase=(Phase.INITIALIZE,),
        module=("torch*",),
        frame=("boto3",),
        path="missing_in_model_dir",
        memory="request_exceeds_total",
    )
    assert (rules[0].verdict, rules[0].scope, rules[0].source) == (
        Outcome.RECOVERABLE,
        Scope.HOST,
        "my.yaml",
    )


@pytest.mark.parametrize(
    ("change", "field", "says"),
    [
        ({"verdict": "maybe"}, "verdict", "non_recoverable, recoverable, unknown"),
        ({"verdict": ["recoverable"]}, "verdict", "one of"),
        ({"scope": "world"}, "scope", "model, device, host"),
        ({"max_attempts": 3}, "max_attempts", "recoverable only"),
        ({"verdict": "recoverable", "max_attempts": -1}, "max_attempts", "a whole number"),
        ({"verdict": "recoverable", "max_attempts": "3"}, "max_attempts", "a whole number"),
        ({"id": "has blank"}, "id", "letters"),
        ({"id": None}, "id", "letters"),
        ({"whem": {}}, "whem", "allowed: id, when"),
        ({"reason": 3}, "reason", "a text"),
        ({"when": {}}, "when", "at least one field"),
        ({"when": None}, "when", "at least one field"),
        ({"when": {"unless": "x"}}, "when", "would match every failure"),
        ({"when": {"message": "("}}, "when.message", "no regular expression"),
        ({"when": {"message": "(a+)+$"}}, "when.message", "in two ways"),
        ({"when": {"message": "x" * 3000}}, "when.message", "longer than"),
        ({"when": {"message": 3}}, "when.message", "a regular expression"),
        ({"when": {"types": ["a"]}}, "when.types", "allowed: type"),
        ({"when": {"type": []}}, "when.type", "empty list"),
        ({"when": {"type": [3]}}, "when.type", "a text"),
        ({"when": {"errno": "ENOPE"}}, "when.errno", "ECONNREFUSED"),
        ({"when": {"http_status": 999}}, "when.http_status", "429"),
        ({"when": {"phase": "later"}}, "when.phase", "startup, import"),
        ({"when": {"memory": "big"}}, "when.memory", "request_exceeds_total"),
        ({"when": {"path": "there"}}, "when.path", "missing_in_model_dir"),
        ({"when": {"where": "here"}}, "when.where", "outermost"),
    ],
)
def test_a_wrong_rule_is_named_and_the_rest_works(
    change: dict[str, Any], field: str, says: str
) -> None:
    wrong = {"id": "wrong", "when": {"type": "ValueError"}, "verdict": "unknown", **change}
    rules, problems = rules_from_data({"rules": [wrong, GOOD]}, "my.yaml")
    assert [rule.id for rule in rules] == ["our-store"]
    assert len(problems) == 1
    assert problems[0].field == field
    assert says in problems[0].message
    assert str(problems[0]).startswith("my.yaml: ")


@pytest.mark.parametrize("data", ["text", 3, {"a": 1}, {"rules": {"id": "x"}}])
def test_something_else_than_a_list_is_refused(data: object) -> None:
    rules, problems = rules_from_data(data, "my.yaml")
    assert rules == ()
    assert "list of rules" in problems[0].message


def test_nothing_is_fine_and_an_id_may_be_used_once() -> None:
    assert rules_from_data(None, "s") == ((), ())
    rules, problems = rules_from_data([GOOD, GOOD], "s")
    assert (len(rules), problems[0].field) == (1, "id")


def test_users_rules_come_first() -> None:
    failure = Failure(
        type="SyntaxError", message="invalid syntax", phase=Phase.IMPORT, mro=("SyntaxError",)
    )
    mine, _ = rules_from_data(
        [{"id": "mine", "when": {"type": "SyntaxError"}, "verdict": "recoverable"}], "s"
    )
    assert judge(failure).rule == "syntax-error"
    assert judge(failure, rules=(*mine, *BUILTIN_RULES)).rule == "mine"


def test_a_pack_has_a_name_and_a_version_that_are_its_rules_source() -> None:
    data = {"name": "acme-platform", "version": 2026.11, "rules": [GOOD]}
    rules, problems = rules_from_data(data, "acme.yaml")
    assert problems == ()
    assert rules[0].source == "acme-platform 2026.11 (acme.yaml)"


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("name", "two words", "got 'two words'"),
        ("version", [1], "got [1]"),
        ("version", True, "got True"),
        ("author", "me", "is no key of a pack; allowed: name, version, rules"),
    ],
)
def test_what_is_wrong_with_a_pack_is_named_and_its_rules_count(
    key: str, value: object, says: str
) -> None:
    rules, problems = rules_from_data({key: value, "rules": [GOOD]}, "acme.yaml")
    assert [rule.id for rule in rules] == ["our-store"]
    assert [problem.field for problem in problems] == [key]
    assert says in problems[0].message


def test_several_packs_are_asked_in_order_and_an_id_counts_once() -> None:
    other = {**GOOD, "id": "other"}
    rules, problems = rules_of_packs(
        [({"name": "one", "rules": [GOOD]}, "1.yaml"), ([other, GOOD], "2.yaml")]
    )
    assert [(rule.id, rule.source) for rule in rules] == [
        ("our-store", "one (1.yaml)"),
        ("other", "2.yaml"),
    ]
    assert str(problems[0]).startswith("2.yaml: our-store: id: is that of a rule of one (1.yaml)")
