from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ts_retry_ext.frontend.process import MAIN_CLASS
from ts_retry_ext.frontend.server_configuration import (
    ServerConfiguration,
    configuration_of_file,
    configuration_of_start,
)


def started(cwd: Path, *arguments: str, **environ: str) -> ServerConfiguration:
    """Return the configuration of a server that is started so and now."""
    command = ("java", *arguments, MAIN_CLASS)
    return configuration_of_start(str(cwd), command, environ, time.time())


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
    (snapshots / "notes.txt").write_text("")  # keeps no server from being observed that runs
    os.utime(files[-1], (time.time() + 60, time.time() + 60))  # written by this server itself
    configuration = started(tmp_path, *arguments, **environ)
    assert configuration.config_file == str(tmp_path / expected)
    assert configuration.properties["retry_rules"] == os.path.basename(expected)
    assert configuration.management_address == "http://127.0.0.1:1"


def test_without_a_file_the_defaults_of_torchserve_hold(tmp_path: Path) -> None:
    configuration = started(tmp_path, "-ncs")
    assert configuration.config_file is None
    assert (configuration.properties, configuration.problems) == ({}, ())
    assert configuration.management_address == "http://127.0.0.1:8081"
    assert configuration.inference_address == "http://127.0.0.1:8080"
    assert configuration.log_dir == str(tmp_path / "logs")


def test_a_file_that_cannot_be_read_is_a_problem_not_an_error(tmp_path: Path) -> None:
    configuration = started(tmp_path, "-f", "missing.properties")
    assert configuration.properties == {}
    (problem,) = configuration.problems
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
    assert started(tmp_path, *arguments, **environ).log_dir == expected


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
    configuration = started(
        tmp_path,
        "-ncs",
        TS_MANAGEMENT_ADDRESS="http://127.0.0.1:9",
        TS_RETRY_ON_FATAL="observe",
        TS_ALLOWED_URLS="https://theirs/.*",
    )
    assert configuration.management_address == expected
    assert configuration.properties["allowed_urls"] == "https://ours/.*"
    assert not any(key.startswith("retry_") for key in configuration.properties)


@pytest.mark.parametrize(
    ("arguments", "line", "expected"),
    [
        ((), "", None),
        ((), "model_store=a", "{cwd}/a"),
        (("-s", "b"), "model_store=a", "{cwd}/b"),
        (("-s", "/b"), "model_store=a", "/b"),
    ],
)
def test_model_store_of_the_command_line_beats_the_configuration(
    tmp_path: Path, arguments: tuple[str, ...], line: str, expected: str | None
) -> None:
    (tmp_path / "config.properties").write_text(line)
    found = started(tmp_path, "-ncs", *arguments).model_store
    assert found == (expected and expected.format(cwd=tmp_path))


@pytest.mark.parametrize(
    ("arguments", "line", "has_one"),
    [
        ((), "", True),
        ((), "disable_token_authorization=false", True),
        ((), "disable_token_authorization= True ", False),
        (("--disable-token-auth",), "", False),
    ],
)
def test_key_file_lies_in_the_working_directory_of_a_server_that_asks_for_keys(
    tmp_path: Path, arguments: tuple[str, ...], line: str, has_one: bool
) -> None:
    (tmp_path / "config.properties").write_text(line)
    found = started(tmp_path, "-ncs", *arguments).key_file
    assert found == (str(tmp_path / "key_file.json") if has_one else None)


@pytest.mark.parametrize(("name", "there"), [("cert.pem", True), ("cert.pem", False), ("", True)])
def test_certificate_counts_where_it_can_be_read(tmp_path: Path, name: str, there: bool) -> None:
    if there:
        (tmp_path / "cert.pem").write_text("")
    (tmp_path / "config.properties").write_text(f"certificate_file={name}\n" if name else "")
    expected = str(tmp_path / "cert.pem") if name and there else None
    assert started(tmp_path, "-ncs").certificate_file == expected


@pytest.mark.parametrize(
    ("allowed", "expected"),
    [
        ("true", ("environment", "TS_JOB_QUEUE_SIZE")),
        ("false", ("config.properties", "job_queue_size")),
    ],
)
def test_origin_of_a_value_is_the_environment_only_where_the_file_allows_it(
    allowed: str, expected: tuple[str, str], tmp_path: Path
) -> None:
    path = tmp_path / "config.properties"
    path.write_text(f"enable_envvars_config={allowed}\njob_queue_size=5\n")
    made = configuration_of_file(str(tmp_path), str(path), {"TS_JOB_QUEUE_SIZE": "6"})

    place, key = made.origin("job_queue_size")
    assert (Path(place).name, key) == expected
    assert made.properties["job_queue_size"] == ("6" if allowed == "true" else "5")


def test_state_directories_are_tried_in_the_order_the_settings_promise(tmp_path: Path) -> None:
    logs, environ = str(tmp_path / "logs"), {"TEMP": "/scratch"}
    plain = ServerConfiguration(str(tmp_path), None, {}, logs, environ)
    default = (str(tmp_path / "logs" / "ts_retry"), "/scratch/ts_retry-7")

    assert plain.state_directories(7) == default
    configured = plain._replace(properties={"retry_state_dir": "state"})
    expected = (str(tmp_path / "state"), *default)
    assert configured.state_directories(7) == expected
    assert plain.state_directories(7, configured.settings()[0]) == expected
