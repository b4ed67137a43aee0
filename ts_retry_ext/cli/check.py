"""``ts-retry check``: will a model load on TorchServe, told before it is deployed."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

from ts_retry_ext.cli.printing import ERROR, HALTED, OK, CommandError, as_command_error, print_json
from ts_retry_ext.cli.shared_options import archives_named, positive_count, positive_number

if TYPE_CHECKING:
    from ts_retry_ext.check.loading import Options
    from ts_retry_ext.check.side_by_side import CheckProgress
    from ts_retry_ext.frontend.server_configuration import ServerConfiguration

from typing import Iterator, Sequence

from ts_retry_ext.check.check_report import CheckReport, CheckResult, is_death
from ts_retry_ext.cli.printing import print_labelled, print_line, print_table
from ts_retry_ext.plain_text import in_one_line, verdict_line, visible

GIB = 1024**3
#: Lines of a worker's output that are shown where there is no traceback.
OUTPUT_LINES = 10
_OF_EVERY_WORKER = (
    "s_name_part0=", "Listening on ", "Successfully loaded ", "[PID]", "Torch worker started.",
    "Python runtime: ", "Connection accepted: ", "model_name: ", "Frontend disconnected.",
    "Backend received inference at: ", "ts-retry: ",
)  # fmt: skip
_INDENT = 4
_LABEL = 13


def add_parser(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "check",
        help="load archives as TorchServe would, before they are deployed",
        description="Load each model as a worker of TorchServe would, in a process of its own and "
        "without Java. Report whether it loads, what failed if not, how long it takes and how much memory it "
        "needs. The code of the archives runs with your rights. Exits with 3 if a model does not load.",
        epilog="examples:\n"
        "  ts-retry check model_store/my_model.mar\n"
        "  ts-retry check model_store --json\n"
        "  ts-retry check my_model.mar --data request.json",
    )
    parser.add_argument(
        "paths", nargs="+", metavar="PATH", help="archive, model folder or model store"
    )
    parser.add_argument("--data", metavar="FILE", help="send FILE to each model as one request")
    parser.add_argument(
        "--content-type",
        metavar="TYPE",
        help="content type of the request (default: application/json if FILE ends in .json)",
    )
    parser.add_argument(
        "--timeout",
        type=positive_number,
        metavar="SEC",
        help="how long a load may take (default: the model's startupTimeout)",
    )
    parser.add_argument(
        "--jobs",
        type=positive_count,
        default=1,
        metavar="N",
        help="check N models at a time (default: 1)",
    )
    parser.add_argument(
        "--ts-config",
        metavar="FILE",
        help="config.properties of the server (default: what torchserve would find here)",
    )
    parser.add_argument(
        "--max-unpacked",
        type=positive_number,
        metavar="GIB",
        help="how large an archive may become when it is unpacked (default: 100 times its size, but at least 1)",
    )
    parser.add_argument(
        "--follow-links",
        action="store_true",
        help="accept a model folder with links that lead out of it",
    )
    parser.add_argument("--junit", metavar="FILE", help="write the results as JUnit XML")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "-v",
        "--verbose",
        action="store_true",
        help="print tracebacks and the output of the workers",
    )


def run(arguments: argparse.Namespace) -> int:
    from ts_retry_ext.archive.model_config import MissingYamlError
    from ts_retry_ext.check.environment import configuration_here
    from ts_retry_ext.check.side_by_side import check_all, progress_for

    configuration = configuration_here(arguments.ts_config)
    if configuration.problems:
        raise CommandError(configuration.problems[0])
    paths = list(dict.fromkeys(archives_named(arguments.paths, configuration)))
    if arguments.junit is not None:
        _write(arguments.junit, b"", "ab")  # Told now, not after the checks.
    progress = progress_for(len(paths))
    try:
        with as_command_error(MissingYamlError):
            options = _options(arguments, configuration, progress)
            reports = check_all(paths, options, arguments.jobs, progress.done)
    finally:
        progress.close()
    if arguments.junit is not None:
        from ts_retry_ext.check.junit import junit_xml

        _write(arguments.junit, junit_xml(reports))
    if arguments.json:
        print_json([report.to_json() for report in reports])
    else:
        _print_reports(reports, verbose=arguments.verbose)
    return _exit_code(reports)


def _exit_code(reports: list[CheckReport]) -> int:
    """Return 3 where a model does not load, else 1 where one could not be checked, else 0."""
    results = {report.result for report in reports}
    if results & {CheckResult.FAILS, CheckResult.REFUSED}:
        return HALTED
    return ERROR if CheckResult.ERROR in results else OK


def _options(
    arguments: argparse.Namespace, configuration: ServerConfiguration, progress: CheckProgress
) -> Options:
    from ts_retry_ext.check.environment import NoTorchServeError, server_home
    from ts_retry_ext.check.loading import Options
    from ts_retry_ext.trial.child_processes import Children
    from ts_retry_ext.trial.launch import gpus_of_server

    with as_command_error(NoTorchServeError):
        home = server_home()
    content_type = arguments.content_type
    if content_type is None and str(arguments.data).endswith(".json"):
        content_type = "application/json"
    limit = arguments.max_unpacked
    return Options(
        configuration=configuration,
        home=home,
        gpus=gpus_of_server(configuration.properties, configuration.environ),
        children=Children(),
        data=None if arguments.data is None else _read(arguments.data),
        content_type=content_type,
        timeout_sec=arguments.timeout,
        max_unpacked=None if limit is None else int(limit * GIB),
        follow_links=arguments.follow_links,
        tell=progress.tell,
    )


def _read(path: str) -> bytes:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError as error:
        msg = f"cannot read {path}: {error.strerror}"
        raise CommandError(msg) from error


def _write(path: str, data: bytes, mode: str = "wb") -> None:
    try:
        with open(path, mode) as stream:
            stream.write(data)
    except OSError as error:
        msg = f"cannot write {path}: {error.strerror}"
        raise CommandError(msg) from error


def _print_reports(reports: Sequence[CheckReport], *, verbose: bool) -> None:
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
        None if report.load_sec is None else f"{report.load_sec:.1f} s",
        None if limit is None else f"{limit} s",
        None if report.peak_memory_bytes is None else _size(report),
        None if window is None else f"{window} s",
    )


def _size(report: CheckReport) -> str:
    host = f"{(report.peak_memory_bytes or 0) / 1024**2:.0f} MiB"
    gpu = report.peak_gpu_memory_bytes
    return host if gpu is None else f"{host}, GPU {gpu / 1024**2:.0f} MiB"


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
