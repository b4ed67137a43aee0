"""Measure what the start-up hook costs an interpreter that is no TorchServe worker.

    python -m bench.interpreter [--python PATH] [--runs N] [--with-start]

Two empty virtual environments, one with the ``.pth`` file and one without, are started in turn. The difference is
smaller than the noise of a process start, so the line itself is timed too, as ``site`` runs it. Prints a table, and
the numbers as JSON on the last line. With ``--with-start`` the environment has the ``.start`` file of PEP 829 too,
which Python 3.15 and later prefer to the line.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Mapping

from bench.report import Table, now, parser, publish

HOOK = Path(__file__).resolve().parents[1] / "ts_retry_ext.pth"
START = (HOOK.with_name("ts_retry_ext_start.py"), HOOK.with_suffix(".start"))

TIME_THE_LINE = """
import site, sys, time
def microseconds():
    begin = time.perf_counter()
    site.addpackage(sys.argv[1], sys.argv[2], set())
    return (time.perf_counter() - begin) * 1e6
first = microseconds()
print(first, sorted(microseconds() for _ in range(200))[100])
"""


@dataclass(frozen=True)
class Cost:
    """What was measured.

    Attributes:
        python: version of the interpreter.
        runs: pairs of process starts.
        without_ms: median start and end of a process in the environment without the hook.
        with_ms: the same with the hook.
        paired_difference_ms: median of the differences of the pairs.
        line_first_us: reading and running the file in a fresh interpreter, median.
        line_again_us: the same in an interpreter that has run it before, median.
    """

    python: str
    runs: int
    without_ms: float
    with_ms: float
    paired_difference_ms: float
    line_first_us: float
    line_again_us: float


def measure(python: str, runs: int, *, with_start: bool = False) -> Cost:
    """Measure in temporary environments of `python`, with a ``.start`` file beside the line or without."""
    with tempfile.TemporaryDirectory() as folder:
        bare, hooked = _environment(python, folder, "bare"), _environment(python, folder, "hooked")
        (site_packages,) = hooked.parents[1].glob("lib/python3*/site-packages")
        for file in (HOOK, *(START if with_start else ())):
            shutil.copy(file, site_packages)
        for python_of_pair in (bare, hooked):
            _start(python_of_pair)  # writes the byte code
        pairs = [(_start(bare), _start(hooked)) for _ in range(runs)]
        # In a separate folder, so that the environment's own start has not warmed it up.
        line = [
            _output(bare, "-c", TIME_THE_LINE, str(HOOK.parent), HOOK.name) for _ in range(runs)
        ]
        version = _output(bare, "-c", "import platform; print(platform.python_version())")
    first, again = zip(*(map(float, text.split()) for text in line))
    return Cost(
        python=version,
        runs=runs,
        without_ms=statistics.median(without for without, _ in pairs),
        with_ms=statistics.median(with_hook for _, with_hook in pairs),
        paired_difference_ms=statistics.median(b - a for a, b in pairs),
        line_first_us=statistics.median(first),
        line_again_us=statistics.median(again),
    )


def _environment(python: str, folder: str, name: str) -> Path:
    root = Path(folder, name)
    subprocess.run([python, "-m", "venv", "--without-pip", str(root)], check=True)
    return root / "bin" / "python"


def _start(python: Path) -> float:
    begin = time.perf_counter()
    subprocess.run([str(python), "-c", "pass"], check=True)
    return (time.perf_counter() - begin) * 1e3


def _output(python: Path, *arguments: str) -> str:
    done = subprocess.run([str(python), *arguments], check=True, capture_output=True, text=True)
    return done.stdout.strip()


def table(found: Mapping[str, Any]) -> Table:
    """Return the medians."""
    rows = [
        ["a process without the hook", f"{found['without_ms']:.2f} ms"],
        ["a process with it", f"{found['with_ms']:.2f} ms"],
        ["difference within a pair", f"{found['paired_difference_ms']:.2f} ms"],
        ["the line, first time in a process", f"{found['line_first_us']:.0f} µs"],
        ["the line, run again", f"{found['line_again_us']:.0f} µs"],
    ]
    return Table([f"CPython {found['python']}, {found['runs']} pairs", "median"], rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--python", default=sys.executable, help="the interpreter to measure")
    options.add_argument("--runs", type=int, default=100, help="pairs of process starts")
    options.add_argument("--with-start", action="store_true", help="add the .start file, too")
    arguments = options.parse_args()
    begun_at = now()
    found = asdict(measure(arguments.python, arguments.runs, with_start=arguments.with_start))
    publish("interpreter", found, table(found), begun_at)


if __name__ == "__main__":
    main()
