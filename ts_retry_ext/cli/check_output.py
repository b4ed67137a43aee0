"""Print the reports of ``ts-retry check`` for people."""

from __future__ import annotations

from typing import Iterator, Sequence

from ts_retry_ext.check.check_report import CheckReport, CheckResult, is_death
from ts_retry_ext.cli.printing import print_labelled, print_line, print_table
from ts_retry_ext.plain_text import in_one_line, verdict_line, visible

#: Lines of a worker's output that are shown where there is no traceback.
OUTPUT_LINES = 10
_OF_EVERY_WORKER = (
    "s_name_part0=", "Listening on ", "Successfully loaded ", "[PID]", "Torch worker started.",
    "Python runtime: ", "Connection accepted: ", "model_name: ", "Frontend disconnected.",
    "Backend received inference at: ", "ts-retry: ",
)  # fmt: skip
_INDENT = 4
_LABEL = 13


def print_reports(reports: Sequence[CheckReport], *, verbose: bool) -> None:
    """Print a table, then what is to be said of each model, then how many load."""
    columns = ("MODEL", "RESULT", "VERDICT", "LOAD", "LIMIT", "MEMORY", "WINDOW")
    print_table(columns, [_cells(report) for report in reports])
    for report in reports:
        lines = list(_lines(report))
        shown = _shown_output(report, verbose)
        if not lines and not shown:
            continue
        print_line(
            f"{report.name} ({report.archive})" if report.name != report.archive else report.name
        )
        for label, text in lines:
            label = f"{'':<{_INDENT}}{label}:"
            print_labelled(label, in_one_line(text), _INDENT + _LABEL)
        for line in shown:
            print(" " * _INDENT + visible(line, keep="\t"))
    good = sum(report.result is CheckResult.LOADS for report in reports)
    print_line(f"{good} of {len(reports)} load" if len(reports) > 1 or not good else "it loads")


def _cells(report: CheckReport) -> tuple[object, ...]:
    row = report.to_json()
    window = row["max_retry_timeout_sec"]
    limit = report.startup_timeout_sec
    return (
        report.name,
        report.result.value,
        row["verdict"],
        _seconds(report.load_sec),
        None if limit is None else f"{limit} s",
        None if report.peak_memory_bytes is None else _size(report),
        None if window is None else f"{window} s",
    )


def _size(report: CheckReport) -> str:
    host = f"{(report.peak_memory_bytes or 0) / 1024**2:.0f} MiB"
    gpu = report.peak_gpu_memory_bytes
    return host if gpu is None else f"{host}, GPU {gpu / 1024**2:.0f} MiB"


def _seconds(value: float | None) -> str | None:
    return None if value is None else f"{value:.1f} s"


def _lines(report: CheckReport) -> Iterator[tuple[str, str]]:
    if report.cause:
        yield "cause", report.cause
    if report.exception is not None and report.exception.at is not None:
        yield "at", report.exception.at.in_words()
    if report.reason:
        yield "reason", report.reason
    if report.remedy:
        yield "remedy", report.remedy
    failure = report.failure
    if failure is not None:
        judged = verdict_line(failure.verdict or "", failure.basis or "", failure.rule)
        yield "verdict", f"{judged}, scope {failure.scope}"
        yield "fingerprint", f"{failure.fingerprint}, phase {failure.phase}"
    if report.request is not None:
        request = report.request
        yield "request", f"{request.status} in {request.sec:.2f} s: {request.body}"
    for code, message in report.problems:
        yield "note", f"{message} [{code}]"


def _shown_output(report: CheckReport, verbose: bool) -> list[str]:
    """Return the lines of traceback and output that belong to the report."""
    traceback = report.traceback.splitlines()
    own = [line for line in report.output.splitlines() if not line.startswith(_OF_EVERY_WORKER)]
    if verbose:
        return [*traceback, *own]
    if report.result is CheckResult.LOADS:
        return []
    if is_death(report.failure):  # All there is to go by; an exception speaks for itself.
        return [*traceback[:OUTPUT_LINES], *own[-OUTPUT_LINES:]]
    return [] if traceback else own[-OUTPUT_LINES:]
