"""Whatever a layout or a collector puts around TorchServe's lines, the answer stays the same."""

from __future__ import annotations

import gzip
import html
import json
import re
from pathlib import Path
from typing import Callable

import pytest

from tests.logs.written import JUDGE, KNOWN, analyzed, log, model, outcome
from ts_retry_ext.analyze.log_report import LogReport
from ts_retry_ext.analyze.text_failures import failures_in
from ts_retry_ext.store.times import to_seconds

CONSOLE = log("console.log").decode()
LINES = CONSOLE.splitlines()
_RECORD = re.compile(r"^(\S+) \[(\w+) *\] (.+?) ([\w.$]+) - (.*)$")
TIME, AGO = "2026-11-23T20:01:02.123456789Z", 1_795_463_400_123


def each(make: Callable[[str], str]) -> str:
    return "\n".join(map(make, LINES)) + "\n"


def event(line: str) -> dict[str, object]:
    return {"timestamp": AGO, "message": line, "ingestionTime": AGO + 1, "eventId": "36"}


def json_layout(line: str) -> str:
    """Return a line as log4j2's JsonLayout writes it; the rest of a Java exception is within `thrown`."""
    found = _RECORD.match(line)
    if found is None:
        return ""
    at, level, thread, logger, message = found.groups()
    record: dict[str, object] = {
        "instant": {"epochSecond": _epoch(at), "nanoOfSecond": int(at[20:23]) * 1_000_000},
        "thread": thread,
        "level": level,
        "loggerName": logger,
        "message": message,
    }
    if message == "Backend worker error":
        text = "Backend worker did not respond in given time"
        record["thrown"] = {"name": "org.pytorch.serve.wlm.WorkerInitializationException", "message": text}  # fmt: skip
    return json.dumps(record)


def ecs_layout(line: str) -> str:
    """Return a line as log4j2's EcsLayout writes it."""
    found = _RECORD.match(line)
    if found is None:
        return ""
    at, level, thread, logger, message = found.groups()
    record = {"@timestamp": at.replace(",", ".") + "Z", "log.level": level, "message": message,
              "process.thread.name": thread, "log.logger": logger}  # fmt: skip
    if message == "Backend worker error":
        told = "org.pytorch.serve.wlm.WorkerInitializationException: Backend worker did not respond in given time"
        record["error.stack_trace"] = (
            told + "\n\tat java.base/java.lang.Thread.run(Unknown Source)\n"
        )
    return json.dumps(record)


def _epoch(at: str) -> int:
    return int(to_seconds(at.replace(",", ".") + "Z"))


def json_pattern(line: str) -> str:
    """Return a line of a PatternLayout that writes JSON; Java's exceptions follow as they are."""
    found = _RECORD.match(line)
    if found is None:
        return line
    keys = ("time", "level", "thread", "logger", "message")
    return json.dumps(dict(zip(keys, found.groups())))


def csv(line: str) -> str:
    doubled = line.replace('"', '""')
    return f'{AGO},"{doubled}"'


def coloured(line: str) -> str:
    """Return a line of a layout with %style around each part."""
    found = _RECORD.match(line)
    if found is None:
        return line
    at, level, thread, logger, message = found.groups()
    return f"\x1b[36m{at}\x1b[m \x1b[1;32m[{level:<5}]\x1b[m \x1b[35m{thread}\x1b[m {logger} - {message}\x1b[m"


def numbered(template: str) -> str:
    return "".join(template.format(number, line) + "\n" for number, line in enumerate(LINES, 1))


def broken_at(columns: int) -> str:
    """Return the log as a terminal of that width shows it."""
    return "\n".join(
        line[at : at + columns] for line in LINES for at in range(0, max(len(line), 1), columns)
    )


def html_table(line: str) -> str:
    """Return a line as a row that a browser's copy keeps."""
    return f"<tr><td>{AGO}</td><td>{html.escape(line)}</td><td>ts-0</td></tr>"


LINK = "https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2#logsV2:log-groups/log-group/x"
WIDEST = max(map(len, LINES))

#: Forms that nothing but what their lines share tells.
PASTES: dict[str, str] = {
    "docker logs -t": each(lambda line: f"{TIME} {line}"),
    "Docker Desktop": each(lambda line: f"2026-11-23 21:01:02 {line}"),
    "kubectl --prefix --timestamps": each(lambda line: f"[pod/ts-0/kserve] {TIME} {line}"),
    "docker compose, its escape characters lost": each(lambda line: f"[36mts-1  |[0m {line}"),
    "an ECS table": each(lambda line: f"  | 2026-11-23T13:01:02.460-07:00 | {line}"),
    "GCP's Logs Explorer": each(
        lambda line: f"INFO {TIME} [resource.labels.containerName: kserve-container] {line}"
    ),
    "CloudWatch's console": each(
        lambda line: f"2026-11-23T20:01:02.648Z\t{line}\t[AllTraffic/i-0b]({LINK})"
    ),
    "an Insights table": each(
        lambda line: (
            f"| 1713848436460 | {line.replace(chr(9), '    ').ljust(WIDEST)} | AllTraffic/i-0b |"
        )
    ),
    "numbered as by less -N": numbered("{:6} {}"),
    "numbered as by nl": numbered("{:6}\t{}"),
    "found by grep -n": numbered("{}:{}"),
    "found by grep -H": each(lambda line: f"logs/ts_log.log:{line}"),
    "quoted": each(lambda line: f"> {line}".rstrip()),
    "quoted twice": each(lambda line: f"> > {line}".rstrip()),
    "a list in Markdown": each(lambda line: f"    {line}"),
    "a code fence": f"It fails:\n\n```\n{CONSOLE}```\n\nWhat can I do?\n",
    "an HTML table": "<table>\n" + each(html_table) + "</table>\n",
    "an HTML table in one line": "<table>" + "".join(map(html_table, LINES)) + "</table>",
    "HTML's <pre>": f"<html><body><pre>\n{html.escape(CONSOLE)}</pre></body></html>\n",
    "broken at 80 columns": broken_at(80),
    "broken at 132 columns": broken_at(132),
    "syslog, RFC 5424": each(lambda line: f"<14>1 {TIME} host-1 torchserve 812 - - {line}"),
    "journalctl -o short-iso": each(
        lambda line: f"2026-11-23T20:01:02+0000 host torchserve[812]: {line}"
    ),
    "journalctl -o json": each(
        lambda line: json.dumps(
            {"MESSAGE": line, "_PID": "12", "__REALTIME_TIMESTAMP": f"{AGO}000"}
        )
    ),
    "Azure's container logs": each(lambda line: f"2026-11-23T20:01:02.1234567Z F {line}"),
    "a table with tabs": each(lambda line: f"2026-11-23T20:01:02Z\tts-0\tINFO\t{line}"),
    "a bar in front": each(lambda line: f"│ {line}"),
    "stars in front": each(lambda line: f"*** {line}"),
    "a collector that nobody knows": each(
        lambda line: f"{{zone=eu-1}} ~~ 12:30:01.5 #7 ts/worker-a9f3 => {line} <= [end/7]"
    ),
    "a Windows console": "\r\n".join(f"C:\\ts> {line}" for line in LINES),
}

FORMATS: dict[str, str] = {
    "kubectl --timestamps": each(lambda line: f"{TIME} {line}"),
    "kubectl --prefix": each(lambda line: f"[pod/torchserve-0/torchserve] {line}"),
    "a container runtime": each(lambda line: f"{TIME} stdout F {line}"),
    "docker's json-file": each(
        lambda line: json.dumps({"log": f"{line}\n", "stream": "stdout", "time": TIME})
    ),
    "docker compose": each(lambda line: f"torchserve-1  | {line}"),
    "docker compose, coloured": each(lambda line: f"\x1b[36mtorchserve-1  | \x1b[0m{line}"),
    "stern": each(lambda line: f"\x1b[32mts-0\x1b[0m \x1b[36mtorchserve\x1b[0m {line}"),
    "logcli": each(lambda line: f'{TIME} {{pod="ts-0"}} {line}'),
    "logcli in JSON": each(lambda line: json.dumps({"labels": {"pod": "ts-0"}, "line": line})),
    "gcloud": json.dumps([{"textPayload": line, "timestamp": TIME} for line in LINES], indent=2),
    "the systemd journal": each(lambda line: f"Nov 23 20:01:02 host torchserve[12]: {line}"),
    "colours": each(coloured),
    "colours around all": each(lambda line: f"\x1b[32m{line}\x1b[m"),
    "microseconds": each(lambda line: re.sub(r"^(\S+,\d{3}) ", r"\g<1>456 ", line)),
    "a CloudWatch export": each(lambda line: f"2026-11-23T20:01:02.123Z {line}"),
    "aws logs tail": each(lambda line: f"2026-11-23T20:01:02.123000+00:00 ts/i-0ebe254f {line}"),
    "CloudWatch events as text": each(lambda line: f"EVENTS\t{AGO}\t{line}\t{AGO}"),
    "CloudWatch events as JSON": json.dumps({"events": [event(line) for line in LINES]}, indent=4),
    "CloudWatch events in one line": json.dumps({"events": [event(line) for line in LINES]}),
    "CloudWatch events, a line each": each(lambda line: json.dumps(event(line))),
    "a subscription": json.dumps({"logStream": "s", "logEvents": [event(line) for line in LINES]}),
    "a CloudWatch table": each(lambda line: f"| {AGO} | {line} | AllTraffic/i-0ebe254f |"),
    "CSV": each(csv),
    "JsonLayout": each(json_layout),
    "EcsLayout": each(ecs_layout),
    "a PatternLayout in JSON": each(json_pattern),
    "Windows line ends": CONSOLE.replace("\n", "\r\n"),
}


@pytest.mark.parametrize("name", FORMATS)
def test_an_envelope_changes_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "torchserve.log").write_text(FORMATS[name], newline="")
    report = analyzed(tmp_path)
    assert outcome(report) == KNOWN
    assert [m["causes"] for m in report.models] == [m["causes"] for m in PLAIN.models]
    if "Layout" not in name:  # A layout in JSON has the greeting in its first record.
        assert [server["torchserve"] for server in report.content["servers"]] == ["0.12.0"]


@pytest.mark.parametrize(
    "encode",
    [
        lambda: CONSOLE.encode("utf-16"),
        lambda: b"\xfe\xff" + CONSOLE.encode("utf-16-be"),
        lambda: b"\xef\xbb\xbf" + CONSOLE.encode(),
        lambda: gzip.compress(CONSOLE[:100_000].encode()) + gzip.compress(CONSOLE[100_000:].encode()),
    ],
    ids=["UTF-16 as of PowerShell", "UTF-16 big end first", "UTF-8 with a mark", "gzip in two parts"],
)  # fmt: skip
def test_an_encoding_changes_nothing(encode: Callable[[], bytes], tmp_path: Path) -> None:
    (tmp_path / "console.txt").write_bytes(encode())
    assert outcome(analyzed(tmp_path)) == KNOWN


def causes(report: LogReport) -> list[tuple[object, ...]]:
    keys = ("fingerprint", "rule", "count", "exception", "phase")
    return [tuple(cause[key] for key in keys) for m in report.models for cause in m["causes"]]


def classified(content: str) -> list[tuple[object, ...]]:
    found = failures_in(content.encode(), "x", JUDGE).found
    return [(f.judged.verdict, f.judged.failure.message, f.model, f.count) for f in found]


@pytest.mark.parametrize("name", [*FORMATS, *PASTES])
def test_classify_reads_every_form(name: str) -> None:
    told = classified({**FORMATS, **PASTES}[name])
    expected = classified(CONSOLE)
    assert told[0][2] in KNOWN
    if "columns" in name:  # A blank at the end of a line may be lost there.
        told, expected = [row[2:] for row in told], [row[2:] for row in expected]
    assert told == expected


@pytest.mark.parametrize("name", PASTES)
def test_a_form_that_nobody_listed_changes_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "paste.log").write_text(PASTES[name], newline="")
    report = analyzed(tmp_path)
    assert outcome(report) == KNOWN
    assert causes(report) == causes(PLAIN)


PODS: dict[str, Callable[[int, str], str]] = {
    "kubectl": lambda pod, line: f"[pod/ts-{pod}/ts] {line}",
    "stern": lambda pod, line: f"ts-{pod} torchserve {line}",
    "stern of all namespaces": lambda pod, line: f"default ts-{pod} torchserve {line}",
    "docker compose": lambda pod, line: f"\x1b[3{pod + 1}mts-{pod}  | \x1b[0m{line}",
    "the systemd journal": lambda pod, line: f"Nov 23 20:01:02 host{pod} torchserve[12]: {line}",
    "syslog": lambda pod, line: (
        f"2026-11-23T20:01:02.123456+00:00 host{pod} torchserve[12]: {line}"
    ),
    "aws logs tail": lambda pod, line: f"2026-11-23T20:01:02.123000+00:00 ecs/ts/{pod}ab1 {line}",
    "logcli": lambda pod, line: f'{TIME} {{pod="ts-{pod}"}} {line}',
    "logcli in JSON": lambda pod, line: json.dumps({"labels": {"pod": f"ts-{pod}"}, "line": line}),
    "gcloud": lambda pod, line: json.dumps(
        {"textPayload": line, "resource": {"labels": {"pod_name": f"ts-{pod}"}}}
    ),
}


@pytest.mark.parametrize("name", PODS)
def test_pods_in_one_file_are_told_apart(name: str, tmp_path: Path) -> None:
    both = (PODS[name](pod, line) for line in LINES for pod in (0, 1))
    (tmp_path / "all.log").write_text("\n".join(both))
    report = analyzed(tmp_path)
    assert len(report.content["servers"]) == 2
    assert [m["worker_starts"] for m in report.models if m["model"] == "flaky"] == [4, 4]


def test_a_log_without_debug_lines_tells_as_much(tmp_path: Path) -> None:
    """INFO leaves out "Worker cmdline" and "State change"."""
    (tmp_path / "ts_log.log").write_text("\n".join(li for li in LINES if "[DEBUG]" not in li))
    report = analyzed(tmp_path)
    # All starts but the first, whose retry was announced, can be timed.
    assert model(report, "missing_module")["wasted_start_sec"] > 30
    told = outcome(report)
    # A process that wrote nothing before it was killed leaves no trace then.
    assert told.pop("oom_killed") == ("failed", 7, 7, 0)
    assert told == {name: known for name, known in KNOWN.items() if name != "oom_killed"}


def test_older_torchserves_write_without_a_t_and_without_a_logger_of_the_worker(
    tmp_path: Path,
) -> None:
    old = [
        li.replace("2026-11-23T", "2026-11-23 ").replace(" MODEL_LOG -", " org.pytorch.serve.wlm.WorkerLifeCycle -")
        for li in LINES
    ]  # fmt: skip
    (tmp_path / "ts_log.log").write_text("\n".join(old))
    assert outcome(analyzed(tmp_path)) == KNOWN


PLAIN = analyzed(Path(__file__).parent / "data" / "stock" / "console.log.gz")
