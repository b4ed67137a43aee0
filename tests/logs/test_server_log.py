"""Whether the last run of a server ended before it served; the lines are those of 0.12.0."""

from __future__ import annotations

from pathlib import Path

import pytest

from ts_retry_ext.logs.server_log import FailedStart, failed_start

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
