"""Measure how fast `ts-retry analyze` reads, and how much memory that takes.

    python -m bench.analyze [--sizes 50 500]

Two logs of each size in megabytes: the real one of tests/logs/data again and again, a crash loop
of seven models, and the same with requests in between, as of a server that mostly serves.
Each is read by a process of its own. Speed is by processor time, start-up included, with the bytecode
of the package at hand as pip leaves it, whatever PYTHONDONTWRITEBYTECODE says; "plain" is the ratio to
a program that looks for one word in each line. Prints a table, and JSON on the last line.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from itertools import count, repeat
from pathlib import Path
from typing import Any, Mapping, Sequence

from bench.report import Table, now, parser, publish

DATA = Path(__file__).parents[1] / "tests" / "logs" / "data" / "stock" / "ts_log.log.gz"
#: What TorchServe 0.12.0 writes for one request, in ts_log.log twice each.
REQUEST = (
    "[INFO ] W-9010-sound_1.0 org.pytorch.serve.wlm.WorkerThread - Flushing req.cmd PREDICT repeats 1 to backend at: 1795463376542",
    "[INFO ] W-9010-sound_1.0 org.pytorch.serve.wlm.WorkerThread - Looping backend response at: 1795463376542",
    "[INFO ] W-9010-sound_1.0-stdout MODEL_LOG - Backend received inference at: 1795463376",
    "[INFO ] W-9010-sound_1.0 org.pytorch.serve.wlm.BatchAggregator - Sending response for jobId 53a04f8c-3e3a-4f8e-a3c9-5e80c3e5e6c5",
    '[INFO ] W-9010-sound_1.0 ACCESS_LOG - /127.0.0.1:46844 "POST /predictions/sound HTTP/1.1" 200 12',
    "[INFO ] W-9010-sound_1.0-stdout org.pytorch.serve.wlm.WorkerLifeCycle - result=[METRICS]HandlerTime.Milliseconds:0.11|#ModelName:sound,Level:Model|#type:GAUGE|#hostname:host,1795463376,53a04f8c-3e3a-4f8e-a3c9-5e80c3e5e6c5, pattern=[METRICS]",
)
REQUESTS_BETWEEN = 8_000
COMMAND = (sys.executable, "-m", "ts_retry_ext.cli.main", "analyze", "--json")
#: The least that a program in Python does with a log: look for one word in each line.
PLAIN = "import sys; sum(b'Retry worker' in line for line in open(sys.argv[1], 'rb'))"
_STAMP = re.compile(r"^\d{4}-\d\d-\d\dT(\d\d):(\d\d):(\d\d)")


def table(found: Sequence[Mapping[str, Any]]) -> Table:
    """Return speed and memory of each log."""
    columns = ["log", "size", "speed", "time against a plain pass", "peak memory", "failures"]
    rows = [
        [
            row["log"],
            f"{row['mb']:.0f} MB",
            f"{row['mb_per_sec']:.0f} MB/s",
            f"{row['of_plain']:.1f}",
            f"{row['peak_mb']:.0f} MB",
            f"{row['failures']:,}",
        ]
        for row in found
    ]
    return Table(columns, rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--sizes", type=int, nargs="+", default=[50, 500], help="megabytes")
    sizes = options.parse_args().sizes
    begun_at = now()
    found = []
    with tempfile.TemporaryDirectory() as folder:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "bytecode")
        _run([*COMMAND, str(DATA)])
        path = Path(folder) / "ts_log.log"
        for kind, requests in (("crash loop", 0), ("serving", REQUESTS_BETWEEN)):
            for size in sizes:
                write_log(path, size * 1_000_000, requests)
                found.append({"log": kind, **measure(path)})
    publish("analyze", {"logs": found}, table(found), begun_at)


def write_log(path: Path, size: int, requests: int) -> None:
    """Write a log of about `size` bytes: the real one again and again, with its clock going on.

    Args:
        path: where to.
        size: bytes.
        requests: requests served between two repetitions.
    """
    with gzip.open(DATA, "rt", encoding="utf-8") as stream:
        lines = stream.read().splitlines(keepends=True)
    told = [(_seconds(line), line) for line in lines]
    first = min(seconds for seconds, _ in told if seconds is not None)
    with path.open("w", encoding="utf-8") as out:
        for round_ in count():
            begin = 1_790_000_000 + round_ * 600
            for seconds, line in told:
                out.write(line if seconds is None else _at(begin + seconds - first, line[19:]))
            if requests:
                served = "".join(_at(begin + 120, f",000 {line}\n") * 2 for line in REQUEST)
                out.writelines(repeat(served, requests))
            if out.tell() >= size:
                return


def _seconds(line: str) -> int | None:
    """Return the time of day that a line begins with, in seconds."""
    found = _STAMP.match(line)
    if found is None:
        return None
    hour, minute, second = map(int, found.groups())
    return (hour * 60 + minute) * 60 + second


def _at(seconds: int, rest: str) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + rest


def measure(path: Path) -> dict[str, Any]:
    """Return what reading one log took, with the command and line by line, and how much memory."""
    content, cpu_sec, peak_mb = _run([*COMMAND, str(path)])
    _, plain_sec, _ = _run([sys.executable, "-c", PLAIN, str(path)])
    size = path.stat().st_size / 1e6
    return {
        "mb": size,
        "cpu_sec": cpu_sec,
        "mb_per_sec": size / cpu_sec,
        "of_plain": cpu_sec / plain_sec,
        "peak_mb": peak_mb,
        "failures": json.loads(content)["totals"]["failures"],
    }


def _run(command: list[str]) -> tuple[bytes, float, float]:
    """Return what a command wrote, its processor time in seconds, and its peak memory in MB."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    assert process.stdout is not None
    content = process.stdout.read()
    _, _, usage = os.wait4(process.pid, 0)
    return content, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


if __name__ == "__main__":
    main()
