"""Where a failure was raised decides whose line a remedy tells to correct."""

from __future__ import annotations

import pytest

from ts_retry_ext.judge import NO_HOST, failure_from_record
from ts_retry_ext.judge.evidence import evidence_of
from ts_retry_ext.judge.matching import matches
from ts_retry_ext.judge.rule import When
from ts_retry_ext.judge.user_rules import rules_from_data
from ts_retry_ext.judge.where_raised import RaisedIn

SITE = "/opt/venv/lib/python3.10/site-packages"
OWN = "/tmp/models/0123456789abcdef0123456789abcdef/handler.py"


@pytest.mark.parametrize(
    ("files", "place"),
    [
        ((f"{SITE}/ts/model_loader.py", OWN), RaisedIn("own")),
        ((f"{SITE}/ts/model_loader.py",), RaisedIn("torchserve")),
        ((OWN, f"{SITE}/peft/config.py"), RaisedIn("library", "peft")),
        ((OWN, f"{SITE}/x/a.py", "<frozen importlib._bootstrap>"), RaisedIn("library", "x")),
        ((OWN, "/usr/lib/python3.10/json/__init__.py"), RaisedIn("own")),
        ((OWN, "pyarrow/error.pxi"), RaisedIn("library", "pyarrow")),
        ((OWN, "_catboost.pyx"), RaisedIn("library", "catboost")),
        (("/usr/lib/python3.10/runpy.py",), RaisedIn()),
        ((), RaisedIn()),
    ],
)
def test_the_innermost_frame_that_is_not_the_interpreters(
    files: tuple[str, ...], place: RaisedIn
) -> None:
    record = {"exc_type": "TypeError", "message": "x", "frames": [[file, "f"] for file in files]}
    evidence = evidence_of(failure_from_record(record), NO_HOST)
    assert evidence.raised == place
    assert matches(When(raised_in="library"), evidence) is (place.kind == "library")


def test_a_rule_of_a_user_can_ask_for_it() -> None:
    rule = {"id": "a", "verdict": "unknown", "when": {"raised_in": "library", "message": "x"}}
    rules, problems = rules_from_data([rule], "rules.yaml")
    assert rules[0].when.raised_in == "library"
    assert not problems
    rule["when"] = {"raised_in": "kernel"}
    _, problems = rules_from_data([rule], "rules.yaml")
    assert "one of own, library, torchserve" in str(problems[0])
