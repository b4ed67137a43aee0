"""Whatever a layout or a collector puts around TorchServe's lines, the answer stays the same."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Callable

import pytest

from tests.logs.forms import FORMATS, PASTES, TIME
from tests.logs.written import JUDGE, KNOWN, analyzed, log, model, outcome
from ts_retry_ext.analyze.log_report import LogReport
from ts_retry_ext.analyze.text_failures import failures_in
from ts_retry_ext.judge import Verdict

CONSOLE = log("console.log").decode()
LINES = CONSOLE.splitlines()


@pytest.mark.parametrize("name", FORMATS)
def test_an_envelope_changes_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "torchserve.log").write_text(FORMATS[name](LINES), newline="")
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


def classified(content: str) -> list[tuple[Verdict, str, str | None, int]]:
    found = failures_in(content.encode(), "x", JUDGE).found
    return [(f.judged.verdict, f.judged.failure.message, f.model, f.count) for f in found]


@pytest.mark.parametrize("name", [*FORMATS, *PASTES])
def test_classify_reads_every_form(name: str) -> None:
    told = classified({**FORMATS, **PASTES}[name](LINES))
    expected = classified(CONSOLE)
    assert told[0][2] in KNOWN
    first = 2 if "columns" in name else 0  # A blank at the end of a line may be lost there.
    assert [row[first:] for row in told] == [row[first:] for row in expected]


@pytest.mark.parametrize("name", PASTES)
def test_a_form_that_nobody_listed_changes_nothing(name: str, tmp_path: Path) -> None:
    (tmp_path / "paste.log").write_text(PASTES[name](LINES), newline="")
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


@pytest.mark.parametrize("name", PODS)
def test_classify_counts_what_fails_alike_in_several_pods(name: str) -> None:
    both = "\n".join(PODS[name](pod, line) for line in LINES for pod in (0, 1))
    once = {row[1:3]: row[3] for row in classified(CONSOLE)}
    assert {row[1:3]: row[3] for row in classified(both)} == {k: 2 * n for k, n in once.items()}


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
