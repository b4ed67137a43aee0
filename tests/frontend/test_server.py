from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS, Frontend
from ts_retry_ext.frontend.server import server_of
from ts_retry_ext.frontend.state import state_directories
from ts_retry_ext.settings import resolve


def frontend(cwd: Path, *arguments: str, **environ: str) -> Frontend:
    return Frontend(4711, "", time.time(), ("java", *arguments, MAIN_CLASS), str(cwd), environ)


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        (("-f", "named.properties"), {}, "named.properties"),
        (("-f", "named.properties"), {"TS_CONFIG_FILE": "env.properties"}, "env.properties"),
        (("-ncs",), {}, "config.properties"),
        (("-ncs", "-DtsConfigFile=other.properties"), {}, "other.properties"),
        ((), {}, "logs/config/20260102000000000-shutdown.cfg"),
    ],
)
def test_the_file_that_the_frontend_read_is_found_as_it_looks_for_it(
    tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str], expected: str
) -> None:
    snapshots = tmp_path / "logs" / "config"
    snapshots.mkdir(parents=True)
    files = [tmp_path / f"{name}.properties" for name in ("named", "env", "config", "other")]
    files += [snapshots / f"2026010{day}000000000-shutdown.cfg" for day in (1, 2, 3)]
    for path in files:
        path.write_text(f"management_address=http://127.0.0.1:1\nretry_rules={path.name}\n")
        os.utime(path, (1, 1))
    os.utime(files[-1], (time.time() + 60, time.time() + 60))  # written by this server itself
    server = server_of(frontend(tmp_path, *arguments, **environ))
    assert server.config_file == str(tmp_path / expected)
    assert server.properties["retry_rules"] == os.path.basename(expected)
    assert server.management_address == "http://127.0.0.1:1"


def test_without_a_file_the_defaults_of_torchserve_hold(tmp_path: Path) -> None:
    server = server_of(frontend(tmp_path, "-ncs"))
    assert server.config_file is None
    assert (server.properties, server.problems) == ({}, ())
    assert server.management_address == "http://127.0.0.1:8081"
    assert server.inference_address == "http://127.0.0.1:8080"
    assert server.log_dir == str(tmp_path / "logs")


def test_a_file_that_cannot_be_read_is_a_problem_not_an_error(tmp_path: Path) -> None:
    server = server_of(frontend(tmp_path, "-f", "missing.properties"))
    assert server.properties == {}
    (problem,) = server.problems
    assert str(tmp_path / "missing.properties") in problem
    assert "No such file" in problem


@pytest.mark.parametrize(
    ("arguments", "environ", "expected"),
    [
        (("-DLOG_LOCATION=/var/log/jvm",), {}, "/var/log/jvm"),
        (("-DLOG_LOCATION=/var/log/jvm",), {"LOG_LOCATION": "/var/log/env"}, "/var/log/env"),
    ],
)
def test_the_log_directory_is_the_one_the_frontend_uses(
    tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str], expected: str
) -> None:
    assert server_of(frontend(tmp_path, *arguments, **environ)).log_dir == expected


@pytest.mark.parametrize(
    ("allowed", "expected"), [("true", "http://127.0.0.1:9"), ("false", "http://127.0.0.1:1")]
)
def test_variables_beat_the_file_where_the_file_lets_them(
    tmp_path: Path, allowed: str, expected: str
) -> None:
    (tmp_path / "config.properties").write_text(
        f"management_address=http://127.0.0.1:1\nenable_envvars_config={allowed}\n"
        "allowed_urls=https://ours/.*\n"
    )
    server = server_of(
        frontend(
            tmp_path,
            "-ncs",
            TS_MANAGEMENT_ADDRESS="http://127.0.0.1:9",
            TS_RETRY_ON_FATAL="observe",
            TS_ALLOWED_URLS="https://theirs/.*",
        )
    )
    assert server.management_address == expected
    assert server.properties["allowed_urls"] == "https://ours/.*"
    assert not any(key.startswith("retry_") for key in server.properties)


def test_state_directories_are_tried_in_the_order_the_settings_promise(tmp_path: Path) -> None:
    server = server_of(frontend(tmp_path, "-ncs", TEMP="/scratch"))
    default = (str(tmp_path / "logs" / "ts_retry"), f"/scratch/ts_retry-{os.geteuid()}")
    assert state_directories(server, resolve({}, {})[0]) == default
    configured = resolve({"retry_state_dir": "state"}, {})[0]
    assert state_directories(server, configured) == (str(tmp_path / "state"), *default)
