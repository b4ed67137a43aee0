"""Run TorchServe's own tests with the package and without it, and list what comes out differently.

    git clone --depth 1 --branch v0.12.0 https://github.com/pytorch/serve CHECKOUT
    pip install orjson requests mock pytest-mock grpcio-tools
    python -m tests.upstream_suites CHECKOUT [FILE…]

It fetches nothing itself. FILE is a path below CHECKOUT; the default is every test file of `SUITES`,
which takes hours on two cores. TorchServe's tests use its default ports and stop every TorchServe of
this user, so none may run beside them.

Each file runs in two environments by turns: this one, and this one without the start-up hook. Some of
TorchServe's tests fail now and then by themselves, so a file with a difference runs twice more on both
sides, and a test counts only if it differs each time. Exit status: 0 no difference, 3 differences, 2 a
checkout that does not fit.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from importlib.metadata import version
from pathlib import Path
from typing import Dict
from xml.etree import ElementTree

import psutil

from tests.e2e.environments import Environment

#: TorchServe's suites that need no GPU, and the directory that its own scripts run each in.
SUITES = {"ts/tests": ".", "test/pytest": "test/pytest"}
HOOK_FILES = ("ts_retry_ext.pth", "ts_retry_ext.start")
ROUNDS = 3
#: A file of tests that takes longer hangs, in seconds.
LONGEST_SEC = 1800
#: Stands in the environment of all that a run starts, so that what it leaves can be ended.
RUN_VARIABLE = "TS_RETRY_UPSTREAM_RUN"
#: What came of each test, by its class and name.
Outcomes = Dict[str, str]


class Side:
    """One of the two environments, and where its runs write.

    Args:
        root: an empty directory.
        without: files of site-packages that this environment lacks.
    """

    def __init__(self, root: Path, without: tuple[str, ...]) -> None:
        self._python = Environment(root / "venv", without).python
        self._temp = root / "tmp"
        _copy_commands(Path(self._python).parent)

    def run(self, tests: Path, directory: Path) -> Outcomes:
        """Run one file of tests in `directory` and return what came of each test in it."""
        shutil.rmtree(self._temp, ignore_errors=True)
        self._temp.mkdir()
        report, run = self._temp / "report.xml", secrets.token_hex(8)
        environ = {**os.environ, "TEMP": str(self._temp), "TMPDIR": str(self._temp)}
        environ.update(
            {RUN_VARIABLE: run, "PATH": f"{Path(self._python).parent}:{os.environ['PATH']}"}
        )
        command = [self._python, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(tests)]
        with (self._temp / "output.txt").open("wb") as output:
            process = subprocess.Popen(
                [*command, f"--junitxml={report}"],
                cwd=directory, env=environ, stdout=output, stderr=output,
            )  # fmt: skip
            try:
                process.wait(LONGEST_SEC)
            except subprocess.TimeoutExpired:
                pass
            finally:
                _end_all(run)
        return _outcomes(report)


def _copy_commands(folder: Path) -> None:
    """Put the commands of this environment into another one, with that one's interpreter."""
    folder_of_ours = Path(sys.executable).parent
    for command in filter(Path.is_file, folder_of_ours.iterdir()):
        with command.open("rb") as file:
            is_ours = file.readline().startswith(f"#!{folder_of_ours}/python".encode())
            rest = file.read() if is_ours else b""
        if is_ours:
            copy = folder / command.name
            copy.write_bytes(f"#!{folder / 'python'}\n".encode() + rest)
            copy.chmod(0o755)


def _end_all(run: str) -> None:
    """End every process that belongs to `run`: a test that fails leaves its server running."""
    left = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(RUN_VARIABLE) == run:
                process.kill()
                left.append(process)
        except psutil.Error:  # noqa: PERF203 - another user's, or one that has just ended
            pass
    psutil.wait_procs(left, timeout=20)


def _outcomes(report: Path) -> Outcomes:
    if not report.exists():
        return {"(the run)": "ended without a report"}
    found = {}
    for case in ElementTree.parse(report).iter("testcase"):
        kinds = {child.tag for child in case} & {"failure", "error", "skipped"}
        found[f"{case.get('classname')}::{case.get('name')}"] = min(kinds, default="passed")
    return found


def compare(
    tests: Path, directory: Path, sides: tuple[Side, Side]
) -> tuple[Counter[str], dict[str, list[str]]]:
    """Return how many tests of a file passed, failed or were skipped, and those that differ.

    Returns:
        Counts with the package by outcome, and for each test that differs in every round what came
        of it without and with the package, a round after the other.
    """
    differing: dict[str, list[str]] = {}
    counts: Counter[str] = Counter()
    for turn in range(ROUNDS):
        without, with_package = (side.run(tests, directory) for side in sides)
        counts = counts or Counter(with_package.values())
        now = {
            name: f"{without.get(name, 'not run')} without, {with_package.get(name, 'not run')} with"
            for name in {**without, **with_package}
            if without.get(name) != with_package.get(name)
        }
        differing = {
            name: [*differing.get(name, ()), outcome]
            for name, outcome in now.items()
            if turn == 0 or name in differing
        }
        if not differing:
            break
    return counts, differing


def main() -> int:
    """Compare, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.upstream_suites")
    parser.add_argument("checkout", type=Path, help="a checkout of pytorch/serve")
    parser.add_argument("file", nargs="*", help="paths of tests below it")
    options = parser.parse_args()
    checkout, installed = options.checkout.resolve(), version("torchserve")
    stated = checkout / "ts" / "version.txt"
    if not stated.exists() or stated.read_text().strip() != installed:
        parser.error(
            f"{stated} does not say {installed}, the TorchServe that is installed; git clone --depth 1 "
            f"--branch v{installed} https://github.com/pytorch/serve"
        )
    named = [checkout / name for name in options.file]
    files = named or sorted(
        path for suite in SUITES for path in (checkout / suite).rglob("test_*.py")
    )
    total: Counter[str] = Counter()
    differences = 0
    with tempfile.TemporaryDirectory() as folder:
        sides = Side(Path(folder, "without"), HOOK_FILES), Side(Path(folder, "with"), ())
        for tests in files:
            suite = "/".join(tests.relative_to(checkout).parts[:2])
            counts, differing = compare(tests, checkout / SUITES.get(suite, "."), sides)
            total += counts
            differences += len(differing)
            shown = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.items()))
            print(f"{tests.relative_to(checkout)}: {shown}", flush=True)
            for name, rounds in differing.items():
                print(f"    {name}: {'; '.join(rounds)}", flush=True)
    print(
        f"{sum(total.values())} tests, {total['passed']} pass with the package; {differences} differ"
    )
    return 3 if differences else 0


if __name__ == "__main__":
    sys.exit(main())
