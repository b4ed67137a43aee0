"""Measure what one verdict costs, by length of the message and by how many rules have to be tried.

    python -m bench.judge [--runs N]

Failures of known rules, of none, and with messages up to 5 MB. Prints a table, and the numbers as
JSON on the last line.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from typing import Callable

from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import Phase
from ts_retry_ext.judge.judging import judge
from ts_retry_ext.judge.redact import redacted


def measure(runs: int) -> dict[str, dict[str, float]]:
    """Return milliseconds from the live exception to the redacted, judged failure."""
    return {name: _spread(make, runs) for name, make in _cases().items()}


def _cases() -> dict[str, Callable[[], BaseException]]:
    return {
        "known: a missing module": lambda: ModuleNotFoundError("No module named 'x'", name="x"),
        "known: a refused connection": lambda: ConnectionRefusedError(111, "Connection refused"),
        "unknown: 40 bytes": lambda: RuntimeError("calibration drifted by 0.5 in 3 of 8 bands"),
        "unknown: 10 kB": lambda: RuntimeError("drift in band 7; " * 600),
        "unknown: 5 MB": lambda: RuntimeError("drift in band 7; " * 300_000),
    }


def _spread(make: Callable[[], BaseException], runs: int) -> dict[str, float]:
    times = []
    for _ in range(runs):
        exc = make()
        begin = time.perf_counter()
        failure = failure_from_exception(exc, Phase.INITIALIZE)
        judge(failure)
        redacted(failure)
        times.append((time.perf_counter() - begin) * 1e3)
    return {"first_ms": times[0], "median_ms": statistics.median(times), "max_ms": max(times[1:])}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=50, help="failures of each kind")
    found = measure(parser.parse_args().runs)
    print(f"{len(BUILTIN_RULES)} built-in rules")
    print(f"{'':28} {'first':>9} {'median':>9} {'max':>9}")
    for name, row in found.items():
        print(f"{name:28}", *(f"{value:6.2f} ms" for value in row.values()))
    print(json.dumps({"rules": len(BUILTIN_RULES), "failures": found}))


if __name__ == "__main__":
    main()
