"""What is made of a real server's log is what is known to have happened."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.analyze.test_logged_worker import LOAD, LOADED, START, lines
from tests.logs.written import DATA, KNOWN, analyzed, log, model, outcome, written
from ts_retry_ext.logs.log_record import records
from ts_retry_ext.logs.merging import LogSource, merged


@pytest.mark.parametrize("name", ["ts_log.log.gz", "console.log.gz"])
def test_one_file_tells_what_happened(name: str) -> None:
    assert outcome(analyzed(DATA / name)) == KNOWN


def test_what_several_files_repeat_counts_once() -> None:
    report = analyzed(DATA)
    assert outcome(report) == KNOWN
    assert len(report.content["servers"]) == 1
    alone = analyzed(DATA / "ts_log.log.gz").models
    assert [{**m, "server": ""} for m in report.models] == [{**m, "server": ""} for m in alone]


def test_a_line_that_torchserve_writes_twice_comes_once(tmp_path: Path) -> None:
    """In 0.12.0's ts_log.log, sometimes with a line of another thread in between."""
    first, other, *_ = lines((0, START), "OTHER Auto recovery start timestamp: 1")
    path = written(tmp_path, [first, other, first, other])
    source = LogSource(str(path), "w", lambda: iter([records(path.read_bytes().split(b"\n"))]))
    assert len([record for _, _, record in merged([source]) if record.port]) == 2


def test_each_line_of_a_burst_is_one_of_its_worker_and_has_its_own_time() -> None:
    head = "2026-11-23T19:00:0{},{:03} [INFO ] W-{}-m_1.0-stdout MODEL_LOG - {}"
    said = [(1, 1, 9000, "a - b"), (1, 1, 9000, "c"), (1, 1, 9000, "c"), (1, 1, 9000, ""), (1, 2, 9000, "d"),
            (2, 2, 9000, "e"), (2, 2, 9001, "e"), (2, 2, 9000, "f\r")]  # fmt: skip
    lines = [head.format(*line).encode() for line in said]
    records(lines)  # who writes is learnt from the first line, so that both ways are taken
    begin = records(lines)[0].at or 0
    assert [(r.at, r.port, r.text) for r in records(lines)] == [
        (begin + 1000 * (second - 1) + thousandth - 1, b"%d" % port, text.strip().encode())
        for second, thousandth, port, text in said
    ]


def test_an_empty_line_whose_last_blank_is_lost_swallows_none_of_the_others(tmp_path: Path) -> None:
    told = list(lines((0, START), LOAD, "OUT ", "OUT ", "OUT a", "OUT ", (9, LOADED), port=9007))
    whole, stripped = (analyzed(written(tmp_path, kind, name)) for name, kind in
                       (("a.log", told), ("b.log", [line.rstrip() for line in told])))  # fmt: skip
    assert [m["loaded"] for m in whole.models] == [m["loaded"] for m in stripped.models] == [1]


@pytest.mark.parametrize("size", [300, 4_000, 60_000])
def test_where_a_block_ends_changes_nothing(size: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A hang, for one, is told by two lines that can be of two blocks; a greeting has no time of its own."""
    whole = analyzed(DATA / "ts_log.log.gz")
    monkeypatch.setattr("ts_retry_ext.logs.byte_blocks.BLOCK_BYTES", size)
    assert analyzed(DATA / "ts_log.log.gz").models == whole.models
    both = analyzed(DATA / "ts_log.log.gz", DATA / "console.log.gz").content
    assert both["servers"] == whole.content["servers"]


def test_a_file_that_holds_the_end_of_another_is_of_the_same_server(tmp_path: Path) -> None:
    told = list(lines((0, START), LOAD, (9, LOADED)))
    written(tmp_path, told)
    written(tmp_path, told[-1:], "console.txt")
    report = analyzed(tmp_path)
    assert len(report.content["servers"]) == len(report.models) == 1


def test_a_file_that_is_named_twice_or_copied_counts_once(tmp_path: Path) -> None:
    for name in ("first.log", "again.log"):
        (tmp_path / name).write_bytes(log("console.log"))
    report = analyzed(tmp_path, tmp_path / "first.log")
    assert outcome(report) == KNOWN
    assert len(report.content["files"]) == 2


def test_causes_verdicts_and_windows_are_those_of_the_models() -> None:
    report = analyzed(DATA)
    told = {
        m["model"]: (
            m["causes"][0]["exception"]["type"],
            m["causes"][0]["verdict"],
            m["causes"][0]["rule"] or m["causes"][0]["basis"],
            m["max_retry_timeout_sec"]["told"],
        )
        for m in report.models
        if m["causes"]
    }
    more = "(default 300 s fits)"
    assert told == {
        "broken": ("KeyError", "non_recoverable", "key-missing", "19 to 25 s"),
        "missing_module": ("ModuleNotFoundError", "non_recoverable", "module-missing", f"more than 53 s {more}"),
        "flaky": ("ConnectionRefusedError", "recoverable", "connection-errno", f"more than 19 s {more}"),
        "segfault": ("ProcessDied", "unknown", "process-died", "0 to 9 s"),
        "oom_killed": ("ProcessDied", "non_recoverable", "process-died", "300 s ('twenty' was ignored)"),
        "no_retry": ("RuntimeError", "unknown", "none", "0 s: no retry"),
        "hangs": ("ProcessDied", "unknown", "load-longer-than-its-limit", "0 to 15 s"),
    }  # fmt: skip
    assert model(report, "oom_killed")["causes"][0]["basis"] == "crashed"
    message = model(report, "no_retry")["causes"][0]["exception"]["message"]
    assert message == "weights are for 12 layers, the model has 6"


def test_what_would_have_been_saved_is_every_load_after_the_one_that_decides() -> None:
    report = analyzed(DATA)
    saved = {m["model"]: m["saved"]["loads"] for m in report.models if m["saved"]["loads"]}
    # Both workers of "broken" load before either has failed; a crash has to come three times.
    assert saved == {"broken": 6, "missing_module": 6, "oom_killed": 4}
    assert model(report, "flaky")["saved"]["stopped_at"] is None


def test_times_are_utc_where_the_log_tells_its_zone(tmp_path: Path) -> None:
    text = log("ts_log.log").replace(b"2026-11-23T19:", b"2026-11-24T01:")
    (tmp_path / "ts_log.log").write_bytes(text)
    report = analyzed(tmp_path)
    assert report.content["from"].startswith("2026-11-23T19:49:13")
    assert report.content["time_zone_known"]
    assert outcome(report) == KNOWN


def test_model_log_alone_tells_what_workers_wrote_and_says_what_it_lacks() -> None:
    report = analyzed(DATA / "model_log.log.gz")
    assert model(report, "broken")["failures"] == 8
    assert model(report, "flaky")["failures"] == 3
    assert not report.content["time_zone_known"]
    assert any("give ts_log.log, too" in problem for problem in report.content["problems"])


def test_a_log_in_pieces_is_read_in_the_order_of_its_times(tmp_path: Path) -> None:
    whole = log("ts_log.log").splitlines(keepends=True)
    third = len(whole) // 3
    (tmp_path / "ts_log.log.2").write_bytes(b"".join(whole[:third]))
    (tmp_path / "ts_log.23-Nov.log.gz").write_bytes(
        gzip.compress(b"".join(whole[third : 2 * third]))
    )
    (tmp_path / "ts_log.log").write_bytes(b"".join(whole[2 * third :]))
    report = analyzed(tmp_path)
    assert outcome(report) == KNOWN
    assert len(report.content["servers"]) == 1


def test_two_servers_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "pod-a.log").write_bytes(log("console.log"))
    later = log("console.log").replace(b"T19:49:", b"T19:50:").replace(b"T19:50:3", b"T19:51:3")
    (tmp_path / "pod-b.log").write_bytes(later)
    report = analyzed(tmp_path)
    assert len(report.content["servers"]) == 2
    assert len(report.models) == 2 * len(KNOWN)
    assert [m["worker_starts"] for m in report.models if m["model"] == "broken"] == [8, 8]
