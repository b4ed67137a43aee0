"""Fuzz one parser with atheris, which looks for inputs that reach code no other input has reached.

    python -m tests.faults.fuzz TARGET [--seconds N] [--runs N] [--seed N] [--keep DIR] [--again FILE]

TARGET is a name in `tests.faults.fuzz_targets`, or ``all``, where the first byte of each input names one.
An input that breaks a promise ends it with its traceback, and lies in the temporary directory then;
``--again`` tries it once more.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import Callable

#: What is watched for new code: ours, and the readers that most of an input goes through.
WATCHED = ["ts_retry_ext", "tarfile", "zipfile", "yaml"]
#: An input that takes longer is a finding: patterns that backtrack are what a judge has to fear.
SLOW_SEC = 30
#: Longest input, in bytes.
LONGEST = 20_000

Check = Callable[[bytes, Path], object]


def main() -> int:
    """Fuzz in a process of its own, which libFuzzer ends; return how it ended."""
    parser = argparse.ArgumentParser(description="Fuzz one parser with atheris.")
    parser.add_argument("target")
    parser.add_argument(
        "--seconds", type=int, default=0, help="stop after so many (default: never)"
    )
    parser.add_argument("--runs", type=int, default=-1, help="stop after so many inputs")
    parser.add_argument("--seed", type=int, default=0, help="of chance (default: another one)")
    parser.add_argument(
        "--keep", type=Path, help="keep inputs that reach new code, for the next time"
    )
    parser.add_argument("--again", type=Path, help="try this input only")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="ts-retry-fuzz-") as folder:
        child = os.fork()
        if child == 0:
            _fuzz(options, Path(folder))
        _, status = os.waitpid(child, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else 1


def _fuzz(options: argparse.Namespace, folder: Path) -> None:
    import atheris

    with atheris.instrument_imports(include=WATCHED):
        from tests.faults.fuzz_targets import TARGETS

    names = list(TARGETS) if options.target == "all" else [options.target]
    if not TARGETS.keys() >= set(names):
        sys.exit(f"there is no target {options.target!r} but all, {', '.join(TARGETS)}")
    corpus, words = options.keep or folder / "corpus", folder / "words"
    corpus.mkdir(parents=True, exist_ok=True)
    for number, name in enumerate(names):
        choice = bytes([number]) if len(names) > 1 else b""
        for index, seed in enumerate(TARGETS[name].seeds):
            (corpus / f"{name}-{index}").write_bytes(choice + seed)
    told = [word for name in names for word in TARGETS[name].words]
    words.write_text("# words\n" + "".join(f'"{_escaped(word)}"\n' for word in told))
    limits = [
        f"-seed={options.seed}",
        f"-max_total_time={options.seconds}",
        f"-runs={options.runs}",
        f"-timeout={SLOW_SEC}",
    ]
    found = os.path.join(tempfile.gettempdir(), f"ts-retry-fuzz-{options.target}-")
    inputs = [f"-max_len={LONGEST}", f"-artifact_prefix={found}", str(options.again or corpus)]
    if told:
        inputs.insert(0, f"-dict={words}")
    check = _chosen([TARGETS[name].check for name in names], folder)
    atheris.Setup([sys.argv[0], "-verbosity=0", "-print_final_stats=1", *limits, *inputs], check)
    atheris.Fuzz()


def _chosen(checks: list[Check], folder: Path) -> Callable[[bytes], None]:
    def check(data: bytes) -> None:
        if len(checks) == 1:
            checks[0](data, folder)
        elif data:
            checks[data[0] % len(checks)](data[1:], folder)

    return check


def _escaped(word: str) -> str:
    return "".join(f"\\x{byte:02x}" for byte in word.encode("utf-8", "replace"))


if __name__ == "__main__":
    sys.exit(main())
