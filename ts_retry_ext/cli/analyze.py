"""``ts-retry analyze``: what happened on a server that never had the package, from its logs."""

from __future__ import annotations

import argparse
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Callable, Iterator, Sequence

from ts_retry_ext.cli.printing import (
    HALTED,
    OK,
    CommandError,
    as_command_error,
    print_json,
    print_line,
    print_table,
    print_wrapped,
    warn,
)
from ts_retry_ext.cli.shared_options import add_rules_option, rules_named
from ts_retry_ext.plain_text import counted

if TYPE_CHECKING:
    from ts_retry_ext.analyze.log_report import LogReport
    from ts_retry_ext.judge import Rule
    from ts_retry_ext.logs.log_files import LogFile

MISSING = (
    "--html needs {name}, which is not installed: python -m pip install 'ts-retry-ext[report]'"
)


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "analyze",
        help="read TorchServe's logs, and report what failed, for what cause, and at what cost",
        description="Read logs of a TorchServe, with or without this package: ts_log.log, "
        "model_log.log, console output; rotated, compressed, in JSON, or collected by Kubernetes, "
        "Docker or CloudWatch. A line that several files have is counted once. Exits with 3 if a model "
        "is down at the end of the log, a model could not be registered, or the server did not start.",
        epilog="examples:\n"
        "  ts-retry analyze logs\n"
        "  kubectl logs my-pod | ts-retry analyze -\n"
        "  ts-retry analyze logs --html report.html",
    )
    parser.add_argument(
        "logs",
        nargs="+",
        metavar="LOG",
        help="a log, a folder that is searched for logs, or - for standard input",
    )
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--html",
        metavar="FILE",
        help="also write a report with a time line: one file, which needs no network",
    )
    add_rules_option(parser)


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.logs.log_files import LogFilesError, find_files

    write_page = _page_writer() if arguments.html else None
    rules = rules_named(arguments.rules)
    with as_command_error(LogFilesError):
        files, problems = find_files(arguments.logs)
    report = _analyze(files, problems, rules)
    for problem in report.content["problems"]:
        warn(f"ts-retry: {problem}")
    if report.is_empty:
        msg = (
            "no line of a TorchServe worker was found; give ts_log.log, model_log.log or the console output. "
            "ts-retry classify reads tracebacks of any program"
        )
        raise CommandError(msg)
    if write_page is not None:
        try:
            write_page(report, arguments.html)
        except OSError as error:
            msg = f"{arguments.html}: cannot be written: {error.strerror}"
            raise CommandError(msg) from error
    if arguments.json:
        print_json(report.content)
    else:
        _print(report)
        if arguments.html:
            print_line(f"report: {arguments.html}")
    return HALTED if report.has_failed else OK


def _page_writer() -> Callable[[LogReport, str], None]:
    try:
        from ts_retry_ext.analyze.page import write_page
    except ModuleNotFoundError as error:
        raise CommandError(MISSING.format(name=error.name)) from error
    return write_page


def _analyze(files: Sequence[LogFile], problems: Sequence[str], rules: Sequence[Rule]) -> LogReport:
    from ts_retry_ext.analyze.analysis import Analysis
    from ts_retry_ext.analyze.judged_failure import FailureJudge
    from ts_retry_ext.analyze.log_report import report_of
    from ts_retry_ext.judge import Limits
    from ts_retry_ext.logs.open_logs import Reading

    total = sum(file.size for file in files)
    read = [0]
    with _progress(total) as shown:

        def told(count: int) -> None:
            read[0] += count
            shown(count)

        reading = Reading(files, told)
        analysis = Analysis(FailureJudge(rules), Limits())
        take = analysis.take
        for server, at, record in reading.records():
            take(server, at, record)
        analysis.finish()
    return report_of(
        analysis,
        [file.path for file in files],
        read[0],
        [*problems, *reading.problems],
        zone_known=reading.zone_known,
    )


@contextmanager
def _progress(total: int) -> Iterator[Callable[[int], None]]:
    """Show how far reading is, where a person watches."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    columns = (TextColumn("reading"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
    with Progress(
        *columns, TimeRemainingColumn(), console=Console(stderr=True), transient=True
    ) as progress:
        task = progress.add_task("", total=total or None)
        yield lambda count: progress.advance(task, count)


def _print(report: LogReport) -> None:
    from ts_retry_ext.analyze.report_in_words import (
        duration,
        model_lines,
        moment,
        names,
        savings,
        server_lines,
        size,
        window,
    )

    content, totals = report.content, report.content["totals"]
    zone = "UTC" if content["time_zone_known"] else "the log's own time"
    print_wrapped(
        f"{counted(len(content['files']), 'file')}, {size(content['bytes'])}, from "
        f"{moment(content['from'])} to {moment(content['to'])} ({zone})"
    )
    servers = content["servers"]
    for number, server in enumerate(servers, start=1):
        mark = f"#{number} " if len(servers) > 1 else ""
        print_wrapped(f"{mark}TorchServe {server['torchserve'] or '?'}: {server['name']}")
        for line in server_lines(server):
            print_wrapped(line)
    if not report.models:
        print_line("No line of a worker is in it.")
        return
    named = list(zip(report.models, names(report.models)))
    rows = [
        (
            name,
            model["state"],
            model["worker_starts"],
            model["failures"],
            duration(model["wasted_start_sec"]) if model["failures"] else None,
            window(model),
            savings(model),
        )
        for model, name in named
    ]
    print_table(("MODEL", "STATE", "STARTS", "FAILED", "WASTED", "WINDOW", "SAVED"), rows)
    print_line()
    for model, name in named:
        for line in model_lines(model, name):
            print_wrapped(line)
    total = (
        f"{counted(totals['worker_starts'], 'worker start')}, "
        f"{counted(totals['failures'], 'failed load')}, "
        f"{duration(totals['wasted_start_sec'])} of starting in vain."
    )
    if totals["saved_loads"]:
        saved = counted(totals["saved_loads"], "load")
        took = duration(totals["saved_start_sec"])
        total += f" With ts-retry-ext {saved} ({took}) would not have taken place."
    print_wrapped(total)
