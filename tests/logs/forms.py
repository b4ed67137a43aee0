"""What collectors, consoles, layouts and pastes make of a log: a name and a function of its lines."""

from __future__ import annotations

import html
import json
import re
from typing import Callable, Sequence

from ts_retry_ext.store.times import to_seconds

#: Of the lines of a log, each without its line end, the text that somebody gets to see.
Form = Callable[[Sequence[str]], str]

_RECORD = re.compile(r"^(\S+) \[(\w+) *\] (.+?) ([\w.$]+) - (.*)$")
TIME, AGO = "2026-11-23T20:01:02.123456789Z", 1_795_463_400_123


def each(make: Callable[[str], str]) -> Form:
    return lambda lines: "\n".join(map(make, lines)) + "\n"


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


def numbered(template: str) -> Form:
    return lambda lines: "".join(
        template.format(at, line) + "\n" for at, line in enumerate(lines, 1)
    )


def broken_at(columns: int) -> Form:
    """Return the form that a terminal of that width gives."""
    return lambda lines: "\n".join(
        line[at : at + columns] for line in lines for at in range(0, max(len(line), 1), columns)
    )


def html_table(line: str) -> str:
    """Return a line as a row that a browser's copy keeps."""
    return f"<tr><td>{AGO}</td><td>{html.escape(line)}</td><td>ts-0</td></tr>"


LINK = "https://us-west-2.console.aws.amazon.com/cloudwatch/home?region=us-west-2#logsV2:log-groups/log-group/x"


def padded_table(lines: Sequence[str]) -> str:
    """Return what CloudWatch Insights shows: all cells of a column are equally wide."""
    width = max(map(len, lines)) + 8
    cells = (line.replace("\t", "    ").ljust(width) for line in lines)
    return "".join(f"| 1713848436460 | {cell} | AllTraffic/i-0b |\n" for cell in cells)


#: Forms that nothing but what their lines share tells.
PASTES: dict[str, Form] = {
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
    "an Insights table": padded_table,
    "numbered as by less -N": numbered("{:6} {}"),
    "numbered as by nl": numbered("{:6}\t{}"),
    "found by grep -n": numbered("{}:{}"),
    "found by grep -H": each(lambda line: f"logs/ts_log.log:{line}"),
    "quoted": each(lambda line: f"> {line}".rstrip()),
    "quoted twice": each(lambda line: f"> > {line}".rstrip()),
    "a list in Markdown": each(lambda line: f"    {line}"),
    "a code fence": lambda lines: "\n".join(
        ["It fails:", "", "```", *lines, "```", "", "What can I do?"]
    ),
    "an HTML table": lambda lines: "\n".join(["<table>", *map(html_table, lines), "</table>"]),
    "an HTML table in one line": lambda lines: (
        "<table>" + "".join(map(html_table, lines)) + "</table>"
    ),
    "HTML's <pre>": lambda lines: "\n".join(
        ["<html><body><pre>", *map(html.escape, lines), "</pre></body></html>"]
    ),
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
    "a Windows console": lambda lines: "\r\n".join(f"C:\\ts> {line}" for line in lines),
}

FORMATS: dict[str, Form] = {
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
    "gcloud": lambda lines: json.dumps(
        [{"textPayload": line, "timestamp": TIME} for line in lines], indent=2
    ),
    "the systemd journal": each(lambda line: f"Nov 23 20:01:02 host torchserve[12]: {line}"),
    "colours": each(coloured),
    "colours around all": each(lambda line: f"\x1b[32m{line}\x1b[m"),
    "microseconds": each(lambda line: re.sub(r"^(\S+,\d{3}) ", r"\g<1>456 ", line)),
    "a CloudWatch export": each(lambda line: f"2026-11-23T20:01:02.123Z {line}"),
    "aws logs tail": each(lambda line: f"2026-11-23T20:01:02.123000+00:00 ts/i-0ebe254f {line}"),
    "CloudWatch events as text": each(lambda line: f"EVENTS\t{AGO}\t{line}\t{AGO}"),
    "CloudWatch events as JSON": lambda lines: json.dumps(
        {"events": [event(line) for line in lines]}, indent=4
    ),
    "CloudWatch events in one line": lambda lines: json.dumps(
        {"events": [event(line) for line in lines]}
    ),
    "CloudWatch events, a line each": each(lambda line: json.dumps(event(line))),
    "a subscription": lambda lines: json.dumps(
        {"logStream": "s", "logEvents": [event(line) for line in lines]}
    ),
    "a CloudWatch table": each(lambda line: f"| {AGO} | {line} | AllTraffic/i-0ebe254f |"),
    "CSV": each(csv),
    "JsonLayout": each(json_layout),
    "EcsLayout": each(ecs_layout),
    "a PatternLayout in JSON": each(json_pattern),
    "Windows line ends": lambda lines: "\r\n".join(lines),
}
