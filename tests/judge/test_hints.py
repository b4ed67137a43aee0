"""A failure that no rule settles gets a guess for a person, and the guess never makes a verdict."""

from __future__ import annotations

from typing import Any

import pytest

from ts_retry_ext.judge import (
    Outcome,
    Phase,
    Verdict,
    failure_from_exception,
    failure_from_record,
    judge,
    rules_from_data,
)
from ts_retry_ext.judge.judging import cause_printed

APP = [["/tmp/models/0123456789abcdef0123456789abcdef/handler.py", "initialize"]]


def reason(kind: str, message: str, printed: tuple[str, ...] = (), **more: Any) -> str:
    record = {"phase": "initialize", "exc_type": kind, "message": message, **more}
    verdict = judge(failure_from_record(record), printed=printed)
    assert verdict.verdict is Outcome.UNKNOWN
    assert verdict.rule is None
    return verdict.reason


@pytest.mark.parametrize(
    ("kind", "message", "says"),
    [
        ("acme.GatewayBusyError", "x", "Probably passing: a type called GatewayBusyError"),
        ("acme.Error", "lease on the feature set is pending", "Probably passing: the text speaks"),
        ("acme.Error", "unsupported flavour of model", "Probably final: the text says"),
        ("acme.Error", "the calibration table is not ready", "the text speaks of 'not ready'"),
        ("acme.Error", "calibration drifted by 0.5", "No rule knows this failure."),
    ],
)
def test_weak_words_make_a_hint(kind: str, message: str, says: str) -> None:
    assert says in reason(kind, message)


def test_a_type_of_the_models_own_code_makes_a_hint() -> None:
    assert "own code raised BadConfigError" in reason("acme.BadConfigError", "drift", frames=APP)


def test_what_was_printed_before_is_quoted_where_a_rule_knows_it() -> None:
    printed = (
        "loading weights from /opt/models/w.pt",
        "WARNING libcudart.so.12: cannot open shared object file: No such file or directory",
        "giving up, see above",
    )
    said = reason("acme.Error", "session not created", printed)
    assert "it printed 'WARNING libcudart.so.12: cannot open" in said
    assert "shared library" in said


def test_lines_long_before_and_lines_without_trouble_are_not_quoted() -> None:
    far = ("error: libx.so.1: cannot open shared object file: No such file or directory",)
    calm = ("connection to db established",) * 20
    assert "printed" not in reason("acme.Error", "session not created", far + calm)


def test_a_secret_in_a_printed_line_is_taken_out() -> None:
    secret = "hf_" + "A1b2" * 8
    printed = (f"error: no module named 'x' (token {secret})",)
    said = reason("acme.Error", "session not created", printed)
    assert "printed" in said
    assert secret not in said


def hiding(hidden: BaseException) -> Verdict:
    """Judge a vague exception behind which the code hides another one."""
    try:
        try:
            raise hidden
        except type(hidden):
            raise RuntimeError("the scorer did not come up") from None
    except RuntimeError as exc:
        return judge(failure_from_exception(exc, Phase.INITIALIZE))


def test_what_from_none_hides_is_a_hint_and_halts_nothing() -> None:
    verdict = hiding(ModuleNotFoundError("No module named 'ujson'", name="ujson"))
    assert (verdict.verdict, verdict.rule) == (Outcome.UNKNOWN, None)
    assert "Probably final: the code hides \"ModuleNotFoundError: No module named 'ujson'" in (
        verdict.reason
    )
    assert "ujson that the code imports is not installed" in verdict.reason


def test_what_from_none_hides_can_let_it_retry() -> None:
    verdict = hiding(ConnectionResetError(104, "Connection reset by peer"))
    assert verdict.verdict is Outcome.RECOVERABLE


def test_a_rule_of_the_user_sees_what_from_none_hides() -> None:
    rules, problems = rules_from_data(
        [
            {
                "id": "no-ujson",
                "when": {"type": "ModuleNotFoundError"},
                "verdict": "non_recoverable",
                "reason": "x",
            }
        ],
        "mine",
    )
    assert not problems
    try:
        try:
            raise ModuleNotFoundError("No module named 'ujson'", name="ujson")
        except ImportError:
            raise RuntimeError("the scorer did not come up") from None
    except RuntimeError as exc:
        verdict = judge(failure_from_exception(exc, Phase.INITIALIZE), rules=rules)
    assert (verdict.verdict, verdict.rule) == (Outcome.NON_RECOVERABLE, "no-ujson")


def test_a_secret_in_a_hidden_exception_is_taken_out() -> None:
    secret = "hf_" + "A1b2" * 8
    verdict = hiding(ModuleNotFoundError(f"No module named 'x' (token {secret})", name="x"))
    assert "the code hides" in verdict.reason
    assert secret not in verdict.reason


def test_what_was_printed_is_quoted_where_a_rule_says_that_the_evidence_settles_nothing() -> None:
    printed = ("ERROR EngineCore failed: No module named 'flash_attn'",)
    message = "Engine core initialization failed. See root cause above. Failed core proc(s): {}"
    record = {"phase": "initialize", "exc_type": "RuntimeError", "message": message}
    verdict = judge(failure_from_record(record), printed=printed)
    assert (verdict.verdict, verdict.rule) == (Outcome.UNKNOWN, "engine-wrapper")
    assert "No module named 'flash_attn'" in verdict.reason


def test_what_is_quoted_of_an_output_stands_above_the_last_traceback_however_long_that_is() -> None:
    loader = "E: libcudart.so.12: cannot open shared object file: No such file or directory"
    handled = ("Traceback (most recent call last):", "KeyError: 'optional'", "going on without it")
    deep = [f'  File "h.py", line {line}, in f' for line in range(60)]
    outer = ("", "During handling of the above exception, another exception occurred:", "")
    head = "Traceback (most recent call last):"
    lines = (*handled, loader, head, *deep, "E: denied", *outer, head, *deep, "acme.Error: vague")
    own = "ts-retry: model 'm' failed in phase initialize with ModuleNotFoundError: No module named 'x'"
    assert "libcudart.so.12" in cause_printed("\n".join((*lines, own)))
    assert cause_printed(f"{own}\nbye") == ""
