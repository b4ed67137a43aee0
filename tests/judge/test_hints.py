"""A failure that no rule knows gets a guess for a person, and the guess never makes a verdict."""

from __future__ import annotations

from typing import Any

import pytest

from ts_retry_ext.judge import Outcome, failure_from_record, judge

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
