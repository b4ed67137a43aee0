from __future__ import annotations

import time

import pytest

from tests.snapshot.writing import marker
from ts_retry_ext.judge.failure import Failure, Phase
from ts_retry_ext.judge.verdict import Basis, Outcome, Scope, Verdict
from ts_retry_ext.settings import OnFatal
from ts_retry_ext.store.marker import Marker
from ts_retry_ext.store.times import to_text
from ts_retry_ext.worker.failure_report import failure_line

FAILURE = Failure(type="RuntimeError", message="not ready", phase=Phase.INITIALIZE)
WHAT = "model 'm' failed in phase initialize with RuntimeError: not ready; "


def verdict(outcome: Outcome, basis: Basis, reason: str) -> Verdict:
    rule = "r" if basis is Basis.RULE else None
    return Verdict(outcome, basis, rule, Scope.MODEL, reason, "", "f00", 1)


FINAL = verdict(Outcome.NON_RECOVERABLE, Basis.RULE, "It is broken.")
REPEATED = verdict(
    Outcome.NON_RECOVERABLE, Basis.REPEATED, "It failed the same way 3 times in a row."
)
PASSING = verdict(Outcome.RECOVERABLE, Basis.RULE, "It passes.")
SOON = marker(waits_for=("files", "time"), next_trial_at=to_text(0))
CHANGE = marker(waits_for=("files",))
CHANGED = "It waits for a change, and is then tried again by itself: the model's files."
STOPPED = "the server is stopped, on_fatal is shutdown."
SAME = "It failed the same way 3 times in a row. Next trial load: in 60 min; it also waits for the model's files."
END = "If it has not loaded by the end of TorchServe's retry window, the server is stopped, because on_fatal is shutdown."
MORE = "More on the rule: ts-retry rules r."
NOW = "To try it now: ts-retry resume m"


@pytest.mark.parametrize(
    ("judged", "action", "stands", "line"),
    [
        (PASSING, "hold", None, f"recoverable (rule r, fingerprint f00): TorchServe retries it. It passes. {MORE}"),
        (FINAL, "observe", None, "non_recoverable (rule r, fingerprint f00): nothing is halted, on_fatal is observe"),
        (FINAL, "hold", CHANGE, f"non_recoverable (rule r, fingerprint f00). It is broken. {CHANGED} {MORE} {NOW}"),
        (FINAL, "shutdown", CHANGE, f"non_recoverable (rule r, fingerprint f00): {STOPPED} It is broken."),
        (REPEATED, "hold", SOON, f"not now (repeated, fingerprint f00). {SAME} {NOW}"),
        (REPEATED, "shutdown", SOON, f"not now (repeated, fingerprint f00). {SAME} {END} {NOW}"),
    ],
)  # fmt: skip
def test_the_line_says_what_failed_and_what_follows(
    judged: Verdict, action: str, stands: Marker | None, line: str
) -> None:
    if stands is SOON:
        stands = SOON._replace(next_trial_at=to_text(time.time() + 3600))
    assert failure_line("m", FAILURE, judged, OnFatal(action), stands) == WHAT + line
