"""Measure what one verdict costs, by length of the message and by how many rules have to be tried.

    python -m bench.judge [--runs N]

Failures of known rules, of none, and with messages up to 5 MB, under the built-in rules; then one that
no rule knows under up to 1,000 rules of a user besides. Prints a table, and the numbers as JSON on the
last line.
"""

from __future__ import annotations

import time
from typing import Any, Callable, Mapping, Sequence

from bench.report import Table, now, parser, publish
from bench.spread import Spread, spread
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.judging import judge
from ts_retry_ext.judge.redact import redacted
from ts_retry_ext.judge.rule import Rule
from ts_retry_ext.judge.user_rules import rules_from_data

UNKNOWN = "unknown: 40 bytes"
USER_RULES = (10, 100, 1000)


def measure(runs: int) -> dict[str, dict[str, float]]:
    """Return milliseconds of processor time from the live exception to the redacted, judged failure."""
    cases = _cases()
    found = {name: _spread(make, runs) for name, make in cases.items()}
    for count in USER_RULES:
        rules = (*user_rules(count), *BUILTIN_RULES)
        name = f"{UNKNOWN}, {count:,} rules of a user first"
        found[name] = _spread(cases[UNKNOWN], runs, rules)
    return found


def user_rules(count: int) -> tuple[Rule, ...]:
    """Return rules as a user writes them, none of which matches."""
    rules, problems = rules_from_data(
        [
            {
                "id": f"licence-{number}",
                "when": {"type": ["RuntimeError"], "message": f"licence {number} .*refused"},
                "verdict": "non_recoverable",
                "reason": "The licence server has no seat left.",
                "remedy": "Ask for one.",
            }
            for number in range(count)
        ],
        "bench",
    )
    assert not problems, problems
    return rules


def _cases() -> dict[str, Callable[[], BaseException]]:
    return {
        "known: a missing module": lambda: ModuleNotFoundError("No module named 'x'", name="x"),
        "known: a refused connection": lambda: ConnectionRefusedError(111, "Connection refused"),
        UNKNOWN: lambda: RuntimeError("calibration drifted by 0.5 in 3 of 8 bands"),
        "unknown: 10 kB": lambda: RuntimeError("drift in band 7; " * 600),
        "unknown: 5 MB": lambda: RuntimeError("drift in band 7; " * 300_000),
    }


def _spread(
    make: Callable[[], BaseException], runs: int, rules: Sequence[Rule] = BUILTIN_RULES
) -> Spread:
    times = []
    for _ in range(runs):
        exc = make()
        begin = time.process_time()
        failure = failure_from_exception(exc, Phase.INITIALIZE)
        judge(failure, rules=rules)
        redacted(failure)
        times.append((time.process_time() - begin) * 1e3)
    return {"first": times[0], **spread(times[1:])}


def table(found: Mapping[str, Any]) -> Table:
    """Return a row for each kind of failure."""
    kinds = ("first", "median", "p99")
    rows = [
        [name, *(f"{row[kind]:.2f} ms" for kind in kinds)]
        for name, row in found["failures_ms"].items()
    ]
    return Table([f"{found['rules']} built-in rules", *kinds], rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--runs", type=int, default=50, help="failures of each kind, 2 or more")
    arguments = options.parse_args()
    begun_at = now()
    found = {"rules": len(BUILTIN_RULES), "failures_ms": measure(arguments.runs)}
    publish("judge", found, table(found), begun_at)


if __name__ == "__main__":
    main()
