"""Whether the last run of a server ended before it served; the lines are those of 0.12.0."""

from __future__ import annotations

import gzip
import os
import time
from pathlib import Path

import pytest

from ts_retry_ext.logs.registration_lines import registrations_in
from ts_retry_ext.logs.server_log import FailedStart, failed_start, read_registrations

BEGIN = "10:00:00,100 org.pytorch.serve.servingsdk.impl.PluginsManager - Initializing plugins manager..."
CONFIG = "Torchserve version: 0.12.0\nConfig file: c.properties"
INFERENCE = "10:00:01,000 org.pytorch.serve.ModelServer - Inference API bind to: http://127.0.0.1:1"
MANAGEMENT = (
    "10:00:01,005 org.pytorch.serve.ModelServer - Management API bind to: http://127.0.0.1:2"
)


def stopped(second: str) -> str:
    return f"10:00:{second},900 org.pytorch.serve.ModelServer - Torchserve stopped."


def write(folder: Path, *lines: str) -> str:
    """Write a log as TorchServe does: each of its lines twice."""
    told = []
    for line in lines:
        if line.startswith("10:"):
            clock, _, rest = line.partition(" ")
            told += [f"2026-11-26T{clock} [INFO ] main {rest}"] * 2
        else:
            told.append(line)
    (folder / "ts_log.log").write_text("\n".join(told) + "\n")
    return str(folder)


FAILED_AT = "2026-11-26 10:00:03"


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        ((BEGIN, stopped("03")), FailedStart(FAILED_AT, 0, None)),
        ((BEGIN, CONFIG, stopped("03")), FailedStart(FAILED_AT, 0, "c.properties")),
        ((CONFIG, BEGIN, stopped("03")), FailedStart(FAILED_AT, 0, None)),  # Of a run before.
        (
            (BEGIN, CONFIG, INFERENCE, stopped("03")),
            FailedStart(FAILED_AT, 1, "c.properties"),
        ),
        ((BEGIN, CONFIG, INFERENCE, MANAGEMENT), None),  # It runs, or was killed.
        ((BEGIN, CONFIG, INFERENCE, MANAGEMENT, stopped("30")), None),
        ((BEGIN, stopped("03"), BEGIN, CONFIG, INFERENCE, MANAGEMENT), None),
        (
            (BEGIN, CONFIG, INFERENCE, stopped("30"), BEGIN, stopped("40")),
            FailedStart("2026-11-26 10:00:40", 0, None),
        ),
        (("no log of TorchServe's", "\x00\xff"), None),
    ],
)
def test_start_failed_if_the_server_stopped_before_it_served(
    lines: tuple[str, ...], expected: FailedStart | None, tmp_path: Path
) -> None:
    assert failed_start(write(tmp_path, *lines)) == expected


def test_log_that_is_not_there_tells_nothing(tmp_path: Path) -> None:
    assert failed_start(str(tmp_path / "absent")) is None


STARTED_AT = time.time() - 3600
A, B = "http://127.0.0.1:8081", "http://127.0.0.1:9081"


def line(text: str, level: str = "INFO ", after_sec: float = 2.0) -> str:
    at = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(STARTED_AT + after_sec))
    return f"{at},123 [{level}] main org.pytorch.serve.ModelServer - {text}\n"


def refusal(archive: str, after_sec: float = 2.0) -> str:
    told = line(f"Failed to load model: {archive}", "WARN ", after_sec)
    return f"{told}java.io.EOFException: Unexpected end of ZLIB input stream\n"


def start(address: str, *refused: str) -> str:
    shown = f"\nTorchserve version: 0.12.0\nInference address: http://x:1\nManagement address: {address}\n"
    opened = line(f"Management API bind to: {address}")
    return line(shown) + "".join(refusal(archive) for archive in refused) + opened


def test_an_archive_is_named_whole_blanks_and_long_urls_included() -> None:
    long = "https://host/a.mar?" + "x" * 2000
    log = start(A, "/my models/odd cut.mar", " b.mar", long)
    assert set(registrations_in(log.encode()).refused) == {"odd cut", "b", long.rpartition("/")[2]}


def test_requirements_of_a_model_with_a_blank_in_its_name() -> None:
    failed = line("Custom pip package installation failed for model odd needs:", "ERROR")
    log = line("\nTorchserve version: 0.12.0") + failed + "ERROR: No matching distribution found\n"
    (refused,) = registrations_in(log.encode()).refused.items()
    assert (refused[0], refused[1].why) == ("odd needs", "No matching distribution found")


def test_of_servers_that_share_a_log_each_has_its_own_start(tmp_path: Path) -> None:
    (tmp_path / "ts_log.log").write_text(start(A, "cut.mar") + start(B, "other.mar"))
    assert set(read_registrations(str(tmp_path), A, STARTED_AT).refused) == {"cut"}
    assert set(read_registrations(str(tmp_path), B, STARTED_AT).refused) == {"other"}
    assert not read_registrations(str(tmp_path), "http://127.0.0.1:7", STARTED_AT).has_start


def test_an_address_without_a_port_is_shown_with_it() -> None:
    log = start("http://127.0.0.1:8081", "cut.mar").encode()
    assert registrations_in(log, "HTTP://127.0.0.1").has_start
    assert registrations_in(log, "https://127.0.0.1").has_start is False


def test_a_start_before_midnight_is_in_the_rotated_log(tmp_path: Path) -> None:
    added = line("Adding new version 1.0 for model late", "DEBUG", 900)
    with gzip.open(tmp_path / "ts_log.26-Nov.log.gz", "wt") as rotated:
        rotated.write(start(A, "cut.mar"))
    (tmp_path / "ts_log.27-Nov.log").write_text(added)
    newest = time.time() - 10
    os.utime(tmp_path / "ts_log.26-Nov.log.gz", (newest - 60, newest - 60))
    os.utime(tmp_path / "ts_log.27-Nov.log", (newest, newest))
    (tmp_path / "ts_log.log").write_text(line("Model gone unregistered.", after_sec=1800))
    told = read_registrations(str(tmp_path), A, STARTED_AT)
    assert told.has_start
    assert set(told.refused) == {"cut"}
    assert told.later == {"late"}
    assert told.has_had("late")
    assert told.has_had("gone")


def test_logs_of_earlier_runs_and_torn_ones_say_nothing(tmp_path: Path) -> None:
    old = tmp_path / "ts_log.20-Nov.log.gz"
    with gzip.open(old, "wt") as rotated:
        rotated.write(start(A, "cut.mar"))
    os.utime(old, (STARTED_AT - 9000, STARTED_AT - 9000))
    (tmp_path / "ts_log.27-Nov.log.gz").write_bytes(b"\x1f\x8bno archive")
    assert not read_registrations(str(tmp_path), A, STARTED_AT).has_start


def test_where_the_level_leaves_the_start_out_what_was_refused_since_counts(tmp_path: Path) -> None:
    (tmp_path / "ts_log.log").write_text(refusal("old.mar", -600) + refusal("cut.mar"))
    told = read_registrations(str(tmp_path), A, STARTED_AT)
    assert (set(told.refused), told.has_start) == ({"cut"}, False)
    elsewhere = read_registrations(str(tmp_path), A, STARTED_AT, has_own_clock=False)
    assert elsewhere.refused == {}


def test_a_model_that_was_registered_again_after_the_start_is_told_apart() -> None:
    needs = line("Adding new version 1.0 for model needs", "DEBUG")
    assert "needs" not in registrations_in((needs + start(A)).encode()).later
    assert registrations_in((start(A) + needs).encode()).later == {"needs"}


def test_what_another_server_registers_under_the_same_name_says_nothing_of_this_one(
    tmp_path: Path,
) -> None:
    """Two replicas with one log directory, of which one has a torn archive."""
    added = line("Adding new version 1.0 for model cut", "DEBUG")
    shown, _, _ = start(B).partition(line(f"Management API bind to: {B}"))
    other = shown + added + line(f"Management API bind to: {B}")
    own = line("Adding new version 1.0 for model late", "DEBUG")
    (tmp_path / "ts_log.log").write_text(start(A, "cut.mar") + other + own)
    told = read_registrations(str(tmp_path), A, STARTED_AT)
    assert set(told.refused) == {"cut"}
    assert told.added == {("late", "1.0")}
    assert read_registrations(str(tmp_path), B, STARTED_AT).has_had("cut")


def test_a_log_in_json_says_nothing_instead_of_that_nothing_was_refused() -> None:
    log = b'{"message":"\\nTorchserve version: 0.12.0\\n"}\n{"message":"Failed to load model: a.mar"}\n'
    assert not registrations_in(log).has_start
