"""What became of one model in the check."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from ts_retry_ext.plain_text import cause_line
from ts_retry_ext.snapshot.effective import Effective
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.record import Record
from ts_retry_ext.trial.one_load import Answer

_VERDICT_KEYS = ("verdict", "basis", "rule", "scope", "fingerprint", "fingerprint_version", "phase")
_DIED = "ProcessDied"  # see judge.crash_failure
#: Share of ``startupTimeout`` that a load may take before it is called tight.
_ROOM = 0.5


class CheckResult(str, Enum):
    """Say what a server would do with the model; the check itself may fail, too."""

    LOADS = "loads"
    FAILS = "fails"
    REFUSED = "refused"
    ERROR = "error"


@dataclass(frozen=True)
class CheckReport:
    """What is known of one archive or folder after its check.

    Attributes:
        archive: as it was named.
        effective: window and what the frontend ignores, or None where it was not read.
        reason: what is wrong, one sentence; empty where nothing is.
        remedy: what to do, one sentence, or empty.
        failure: the journal's record of the failure, or None where the model's code did not fail.
        startup_timeout_sec: how long the frontend lets a load take.
        start_sec: seconds until the worker listened: Python, torch, TorchServe's worker script.
        load_sec: seconds from LOAD to its answer.
        peak_memory_bytes: largest resident size of the worker; of torchrun's ranks the sum.
        peak_gpu_memory_bytes: what torch reserved at most on GPUs, None where it used none.
        request: the request with ``--data``, or None.
        missing_requirements: packages that are imported and that no requirement brings.
        problems: code and message of each thing that works, and needs a look.
        output: the end of what the worker wrote.
    """

    archive: str
    result: CheckResult
    effective: Effective | None = None
    reason: str = ""
    remedy: str = ""
    failure: Record | None = None
    startup_timeout_sec: int | None = None
    start_sec: float | None = None
    load_sec: float | None = None
    peak_memory_bytes: int | None = None
    peak_gpu_memory_bytes: int | None = None
    request: Answer | None = None
    missing_requirements: tuple[str, ...] = ()
    problems: tuple[tuple[str, str], ...] = ()
    output: str = ""

    @property
    def name(self) -> str:
        """Return the model's name, or the archive's where that is not known."""
        return (self.effective and self.effective.model) or self.archive

    @property
    def cause(self) -> str:
        """Return type and message of the exception in one line, or an empty text."""
        exception = self.exception
        return "" if exception is None else cause_line(exception.type, exception.message, None)

    @property
    def exception(self) -> ExceptionRecord | None:
        """Return what failed, or None where the model's code did not fail."""
        return self.failure.exception if self.failure else None

    @property
    def traceback(self) -> str:
        """Return the whole traceback, or an empty text."""
        return self.exception.traceback if self.exception else ""

    def to_json(self) -> dict[str, Any]:
        """Return the row of ``check --json``."""
        effective = self.effective
        window = effective.to_json() if effective else {}
        exception = self.exception
        return {
            "archive": self.archive,
            "model": window.get("model"),
            "version": window.get("version"),
            "result": self.result.value,
            **{key: getattr(self.failure, key, None) for key in _VERDICT_KEYS},
            "reason": self.reason or None,
            "remedy": self.remedy or None,
            "exception": {"type": exception.type, "message": exception.message}
            if exception
            else None,
            "at": exception.at._asdict() if exception and exception.at else None,
            "traceback": self.traceback or None,
            "start_sec": _rounded(self.start_sec),
            "load_sec": _rounded(self.load_sec),
            "startup_timeout_sec": self.startup_timeout_sec,
            "peak_memory_bytes": self.peak_memory_bytes,
            "peak_gpu_memory_bytes": self.peak_gpu_memory_bytes,
            "request": self.request._asdict() if self.request else None,
            "missing_requirements": list(self.missing_requirements),
            "max_retry_timeout_sec": window.get("max_retry_timeout_sec"),
            "max_retry_timeout_source": window.get("source"),
            "problems": [{"code": code, "message": text} for code, text in self.problems],
            "output": self.output or None,
        }


def is_death(failure: Record | None) -> bool:
    """Tell whether a failure is the end of a process without an exception."""
    return bool(failure and failure.exception and failure.exception.type == _DIED)


def timed(report: CheckReport) -> CheckReport:
    """Return a report on a model that loads, with what its load time means on a server."""
    load_sec, limit = report.load_sec, report.startup_timeout_sec
    if load_sec is None or limit is None or load_sec <= limit * _ROOM:
        return report
    enough = f"set startupTimeout: {max(2, int(load_sec * 3))} in model-config.yaml"
    if load_sec > limit:
        why = (
            f"The load took {load_sec:.0f} s. TorchServe ends it after {limit} s (startupTimeout) "
            "and starts it again."
        )
        return replace(
            report, result=CheckResult.FAILS, reason=why, remedy=f"Make it faster, or {enough}."
        )
    message = (
        f"the load took {load_sec:.1f} s of the {limit} s that startupTimeout allows; if it takes "
        f"longer, TorchServe ends it and starts it again: {enough}"
    )
    return replace(report, problems=(*report.problems, ("startup-timeout-tight", message)))


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 3)
