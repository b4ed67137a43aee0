"""Which rule decides a failure that several rules with different verdicts match.

The order of rules decides silently. Here each such pair of a rule that decides and a later one that
would have said otherwise is written down, so that a new pair is decided on purpose: look at the failures
that `python -m tests.corpus.pairs` prints for it, and add it here if the first rule is right.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from tests.corpus.shapes import SHAPES, record
from tests.judge.test_builtin_rules import ROWS
from ts_retry_ext.judge import Failure, Host, failure_from_record
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.builtin.examples import EXAMPLES, example_of
from ts_retry_ext.judge.evidence import evidence_of
from ts_retry_ext.judge.matching import matches


def failures() -> Iterator[tuple[Failure, Host]]:
    """Yield every failure of the corpus that is plain data."""
    for rows in SHAPES.values():
        for row in rows:
            yield failure_from_record(record(row)), Host()
    for _rule, _verdict, kind, message, more in ROWS:
        data = {"phase": "initialize", "exc_type": kind, "mro": [], "message": message, **more}
        yield failure_from_record(data), Host()
    for rule in EXAMPLES:
        example = example_of(rule)
        yield example.failure, example.host


def pairs() -> dict[str, dict[str, list[str]]]:
    """Return rule that decides -> later rule of another verdict -> messages that both match."""
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for failure, host in failures():
        evidence = evidence_of(failure, host)
        hits = [rule for rule in BUILTIN_RULES if matches(rule.when, evidence)]
        for rule in hits[1:]:
            if rule.verdict is not hits[0].verdict:
                found[hits[0].id][rule.id].append(failure.message)
    return found


def main() -> None:
    """Print every pair with its failures."""
    for first, later in sorted(pairs().items()):
        for rule, messages in sorted(later.items()):
            print(f"{first} before {rule}:")
            for message in messages:
                print(f"    {' '.join(message.split())[:160]}")


if __name__ == "__main__":
    main()
