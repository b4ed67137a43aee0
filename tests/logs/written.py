"""The log of a real TorchServe 0.12.0 without the package, and what is known to have happened.

Eight models on one server for 75 s, at the end of which it was killed: see `KNOWN`. Made with
tests/e2e/torchserve.py; paths and the host's name are made neutral, nothing is left out.
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import Any, Iterable

from ts_retry_ext.analyze.analysis import Analysis
from ts_retry_ext.analyze.judged_failure import FailureJudge
from ts_retry_ext.analyze.log_report import LogReport, report_of
from ts_retry_ext.judge import Limits
from ts_retry_ext.judge.builtin import BUILTIN_RULES
from ts_retry_ext.logs.log_files import find_files
from ts_retry_ext.logs.open_logs import Reading

DATA = Path(__file__).parent / "data" / "stock"

#: Of each model: state, worker starts, failed loads, loads that came out well. Starts were counted
#: by hand from "Worker cmdline", waits from "Retry worker".
KNOWN = {
    # A KeyError in initialize; two workers, maxRetryTimeoutInSec 20.
    "broken": ("failed", 8, 8, 0),
    # An import that fails, in the default window.
    "missing_module": ("failed", 7, 7, 0),
    # Refused connections, three times.
    "flaky": ("recovered", 4, 3, 1),
    # A real segmentation fault; maxRetryTimeoutInSec 9.
    "segfault": ("failed", 2, 2, 0),
    # SIGKILL as from the kernel; maxRetryTimeoutInSec "twenty". The last start saw the server's end.
    "oom_killed": ("failed", 8, 7, 0),
    # A RuntimeError, which is answered with 500; maxRetryTimeoutInSec 0.
    "no_retry": ("failed", 1, 1, 0),
    # Never ends its load; startupTimeout 5, maxRetryTimeoutInSec 12.
    "hangs": ("failed", 2, 2, 0),
    # Two workers that serve.
    "sound": ("serving", 2, 0, 2),
}


def log(name: str) -> bytes:
    """Return ts_log.log, model_log.log or console.log of that server."""
    return gzip.decompress((DATA / f"{name}.gz").read_bytes())


def analyzed(*paths: Path | str) -> LogReport:
    """Return what is made of files and folders."""
    files, problems = find_files([str(path) for path in paths])
    analysis = Analysis(JUDGE, Limits())
    reading = Reading(files, lambda _: None)
    for server, at, record in reading.records():
        analysis.take(server, at, record)
    analysis.finish()
    names = [file.path for file in files]
    problems = [*problems, *reading.problems]
    return report_of(analysis, names, 0, problems, zone_known=reading.zone_known)


JUDGE = FailureJudge(BUILTIN_RULES)


def outcome(report: LogReport) -> dict[str, tuple[object, ...]]:
    """Return what `KNOWN` has of each model."""
    keys = ("state", "worker_starts", "failures", "loaded")
    return {model["model"]: tuple(model[key] for key in keys) for model in report.models}


def model(report: LogReport, name: str) -> dict[str, Any]:
    """Return the one model of that name."""
    (found,) = (model for model in report.models if model["model"] == name)
    return found


def written(folder: Path, lines: Iterable[str], name: str = "ts_log.log") -> Path:
    """Write lines into a file, and return its path."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text("".join(f"{line}\n" for line in lines))
    return path
