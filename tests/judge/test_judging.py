"""Declared types first, then the first rule that matches; never an exception."""

from __future__ import annotations

import pytest

from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.failure import Cause, Failure, Phase
from ts_retry_ext.judge.judging import Declared, judge
from ts_retry_ext.judge.rule import Rule, When
from ts_retry_ext.judge.user_rules import rules_from_data
from ts_retry_ext.judge.verdict import Basis, Outcome


def failure(
    type_name: str, *bases: str, message: str = "m", chain: tuple[Cause, ...] = ()
) -> Failure:
    return Failure(
        type=type_name,
        message=message,
        phase=Phase.INITIALIZE,
        mro=(type_name, *bases),
        chain=chain,
    )


def test_no_rule_means_unknown() -> None:
    verdict = judge(failure("Odd"), rules=())
    assert (verdict.verdict, verdict.basis, verdict.rule) == (Outcome.UNKNOWN, Basis.NONE, None)


def test_the_first_rule_that_matches_decides() -> None:
    rules = (
        Rule("other", When(type=("KeyError",)), Outcome.RECOVERABLE, "r"),
        Rule("first", When(type=("OSError",)), Outcome.NON_RECOVERABLE, "r"),
        Rule("second", When(type=("OSError",)), Outcome.RECOVERABLE, "r"),
    )
    assert judge(failure("FileNotFoundError", "OSError"), rules=rules).rule == "first"


@pytest.mark.parametrize(
    ("seen", "declared", "outcome"),
    [
        (failure("x.NonRecoverableError"), Declared(), Outcome.NON_RECOVERABLE),
        (
            failure("my.Sub", "ts_retry_ext.errors.RecoverableError"),
            Declared(),
            Outcome.RECOVERABLE,
        ),
        (
            failure("LicenseError"),
            Declared(non_recoverable=("LicenseError",)),
            Outcome.NON_RECOVERABLE,
        ),
        (
            failure("a.LicenseError"),
            Declared(non_recoverable=("a.LicenseError",)),
            Outcome.NON_RECOVERABLE,
        ),
        (failure("a.LicenseError"), Declared(non_recoverable=("b.LicenseError",)), Outcome.UNKNOWN),
        (
            failure("FileNotFoundError", "OSError"),
            Declared(non_recoverable=("FileNotFoundError",), recoverable=("OSError",)),
            Outcome.NON_RECOVERABLE,
        ),
        (
            failure("FileNotFoundError", "OSError"),
            Declared(non_recoverable=("OSError",), recoverable=("OSError",)),
            Outcome.RECOVERABLE,
        ),
        (
            failure("Odd", chain=(Cause("KeyError", "k", ("KeyError",)),)),
            Declared(non_recoverable=("KeyError",)),
            Outcome.UNKNOWN,
        ),
        (
            failure("Odd", chain=(Cause("NonRecoverableError", "k"),)),
            Declared(),
            Outcome.NON_RECOVERABLE,
        ),
    ],
)
def test_what_the_handler_declares(seen: Failure, declared: Declared, outcome: Outcome) -> None:
    verdict = judge(seen, rules=(), declared=declared)
    assert verdict.verdict is outcome
    assert verdict.basis is (Basis.NONE if outcome is Outcome.UNKNOWN else Basis.DECLARED)


def test_a_declared_failure_passes_its_remedy_on() -> None:
    seen = Failure(
        type="NonRecoverableError",
        message="licence ended",
        phase=Phase.INITIALIZE,
        remedy="Renew it.",
    )
    verdict = judge(seen)
    assert "licence ended" in verdict.reason
    assert verdict.remedy == "Renew it."


def test_a_broken_rule_does_not_match_and_does_not_raise() -> None:
    broken = Rule("broken", When(message="("), Outcome.NON_RECOVERABLE, "r")
    good = Rule("good", When(message="m"), Outcome.RECOVERABLE, "r")
    assert judge(failure("E"), rules=(broken, good)).rule == "good"


def test_a_users_rules_that_take_too_long_make_the_verdict_unknown() -> None:
    rules, _ = rules_from_data(
        [
            {"id": f"mine-{number}", "when": {"message": "no"}, "verdict": "unknown"}
            for number in range(3)
        ],
        "mine.yaml",
    )
    failure = Failure(
        type="SyntaxError", message="invalid syntax", phase=Phase.IMPORT, mro=("SyntaxError",)
    )
    assert judge(failure, rules=(*rules, *BUILTIN_RULES)).rule == "syntax-error"
    asked = iter((False, True))
    late = judge(failure, rules=(*rules, *BUILTIN_RULES), out_of_time=lambda: next(asked))
    assert (late.verdict, late.rule) == (Outcome.UNKNOWN, None)
    assert "mine-1" in late.reason
