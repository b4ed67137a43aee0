"""Judge failures: exception -> data -> fingerprint -> rule -> verdict. Pure: no file is touched."""

from __future__ import annotations

from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Cause, Failure, Frame, Phase
from ts_retry_ext.judge.fingerprint import FINGERPRINT_VERSION, explain, fingerprint
from ts_retry_ext.judge.judging import NO_HOST, Declared, Host, judge
from ts_retry_ext.judge.parse import failure_from_record, failure_from_text, record_of
from ts_retry_ext.judge.redact import redact, redacted, secret_values
from ts_retry_ext.judge.repetition import Limits, crash_failure, with_history
from ts_retry_ext.judge.rule import Rule, When
from ts_retry_ext.judge.user_rules import RuleProblem, rules_from_data
from ts_retry_ext.judge.verdict import Basis, Outcome, Scope, Verdict

__all__ = [
    "FINGERPRINT_VERSION",
    "NO_HOST",
    "Basis",
    "Cause",
    "Declared",
    "Failure",
    "Frame",
    "Host",
    "Limits",
    "Outcome",
    "Phase",
    "Rule",
    "RuleProblem",
    "Scope",
    "Verdict",
    "When",
    "crash_failure",
    "explain",
    "failure_from_exception",
    "failure_from_record",
    "failure_from_text",
    "fingerprint",
    "judge",
    "record_of",
    "redact",
    "redacted",
    "rules_from_data",
    "secret_values",
    "with_history",
]
