"""What 0.12.0 ModelConfig makes of values, as tried on the classes in its ``model-server.jar``."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Mapping

import pytest

from tests.archive.packing import CONFIG, files, manifest, write_folder
from ts_retry_ext.archive.limits import (
    RESPONSE_TIMEOUT,
    STARTUP_TIMEOUT,
    WINDOW,
    LimitsInForce,
    limits_in_force,
    load_timeout_key,
    timeout_in_words,
    timeout_of,
    window_msec,
)
from ts_retry_ext.archive.model_config import read_model_config
from ts_retry_ext.archive.model_folder import ModelFolder

DEFAULTS = LimitsInForce(120, 120, 300_000, False, False, 1, 0, "")
SERVER = {"default_startup_timeout": "40", "default_response_timeout": "50"}


@pytest.mark.parametrize(
    ("text", "properties", "expected"),
    [
        (None, {}, {}),
        (None, SERVER, {"startup_timeout_sec": 40, "response_timeout_sec": 50}),
        (None, {"default_startup_timeout": " 40 "}, {"startup_timeout_sec": 40}),
        (None, {"default_startup_timeout": "x"}, {}),
        (None, {"default_startup_timeout": "²"}, {}),
        (None, {"default_startup_timeout": "9999999999"}, {}),
        ("a: 1", SERVER, {}),
        ("startupTimeout: 7", SERVER, {"startup_timeout_sec": 7}),
        ("responseTimeout: 7", {}, {"response_timeout_sec": 7}),
        ("startupTimeout: 0", {}, {}),
        ("startupTimeout: -7", {}, {}),
        ("startupTimeout: '7'", {}, {}),
        ("startupTimeout: 7.0", {}, {}),
        ("startupTimeout: true", {}, {}),
        ("startupTimeout: 2147483647", {}, {"startup_timeout_sec": 2147483647}),
        ("startupTimeout: 2147483648", {}, {}),
        ("maxRetryTimeoutInSec: 20", {}, {"window_msec": 20_000}),
        ("maxRetryTimeoutInSec: -20", {}, {"window_msec": 0}),
        ("maxRetryTimeoutInSec: 2147483", {}, {"window_msec": 2147483000}),
        ("maxRetryTimeoutInSec: 2147484", {}, {"window_msec": -2147483296}),
        ("maxRetryTimeoutInSec: 4294968", {}, {"window_msec": 704}),
        ("maxRetryTimeoutInSec: 9999999999", {}, {}),
        ("asyncCommunication: yes", {}, {"asynchronous": True}),
        ("asyncCommunication: 'true'", {}, {}),
        ("useVenv: true", {}, {"use_venv": True}),
        ("batchSize: 4", {}, {"batch_size": 4}),
        ("batchSize: -4", {}, {}),
        ("parallelLevel: 2", {}, {}),
        ("parallelType: pp", {}, {}),
        ("parallelType: PP\nparallelLevel: 2", {}, {"ranks": 2, "parallel_type": "pp"}),
        ("parallelType: x\nparallelLevel: 2", {}, {}),
        ("parallelType: tp\ntorchrun: {}", {}, {"ranks": 1, "parallel_type": "tp"}),
        ("parallelType: tp\ntorchrun: {nproc-per-node: 3}\nparallelLevel: 2", {},
         {"ranks": 2, "parallel_type": "tp"}),
        ("parallelType: tp\nparallelLevel: 2\ntorchrun: {nproc-per-node: 3}", {},
         {"ranks": 3, "parallel_type": "tp"}),
        ("parallelType: tp\nparallelLevel: 9\ntorchrun: {nproc-per-node: 3}\nparallelLevel: 2", {},
         {"ranks": 2, "parallel_type": "tp"}),
        ("parallelType: custom\nparallelLevel: 2", {}, {"ranks": 2, "parallel_type": "custom"}),
    ],
)  # fmt: skip
def test_a_value_counts_as_the_frontend_has_it(
    text: str | None, properties: Mapping[str, str], expected: Mapping[str, Any]
) -> None:
    config = None if text is None else read_model_config(text.encode())

    assert limits_in_force(config, properties) == DEFAULTS._replace(**expected)


@pytest.mark.parametrize(
    ("torchserve", "key"),
    [
        (None, "startupTimeout"),
        ("0.12.0", "startupTimeout"),
        ("0.12.1b20250101", "startupTimeout"),
        ("1.0.0", "startupTimeout"),
        ("0.11.1", "responseTimeout"),
        ("0.8.2", "responseTimeout"),
        ("unknown", "startupTimeout"),
        ("0", "startupTimeout"),
    ],
)
def test_before_0_12_a_load_has_the_time_of_a_request(torchserve: str | None, key: str) -> None:
    config = {"startupTimeout": 7, "responseTimeout": 8}

    assert load_timeout_key(torchserve) == key
    assert limits_in_force(config, {}, torchserve).startup_timeout_sec == config[key]


@pytest.mark.parametrize(
    ("config", "properties", "expected"),
    [
        (None, {}, (120, 120, 300)),
        (None, SERVER, (40, 50, 300)),
        ("minWorkers: 1", SERVER, (120, 120, 300)),
        ("startupTimeout: 7\nresponseTimeout: 8\nmaxRetryTimeoutInSec: 20", SERVER, (7, 8, 20)),
        ("maxRetryTimeoutInSec: 2147484", {}, (120, 120, -2147483.296)),
        ("a: [", {}, (120, 120, 300)),
        ("a: [", SERVER, (40, 50, 300)),
        ("startupTimeout: [", SERVER, (40, 50, 300)),
    ],
)
def test_a_file_that_the_frontend_cannot_read_leaves_the_servers_defaults(
    tmp_path: Path,
    config: str | None,
    properties: Mapping[str, str],
    expected: tuple[float, float, float],
) -> None:
    named = {} if config is None else {"configFile": CONFIG}
    write_folder(tmp_path / "m", files(manifest("m", **named), config))
    folder = ModelFolder(str(tmp_path / "m"))

    found = (
        timeout_of(folder, STARTUP_TIMEOUT, properties),
        timeout_of(folder, RESPONSE_TIMEOUT, properties),
        window_msec(folder.usable_configuration(WINDOW)) / 1000,
    )
    assert found == expected


def test_a_file_that_the_manifest_names_and_the_folder_lacks_leaves_them_too(
    tmp_path: Path,
) -> None:
    write_folder(tmp_path / "m", files(manifest("m", configFile="none.yaml")))

    assert timeout_of(ModelFolder(str(tmp_path / "m")), STARTUP_TIMEOUT, SERVER) == 40


@pytest.mark.parametrize(
    ("config", "properties", "words"),
    [
        (
            None,
            {},
            "startupTimeout is 120 s (TorchServe's default, because no startupTimeout is set)",
        ),
        (None, SERVER, "startupTimeout is 40 s (default_startup_timeout in config.properties)"),
        (
            "startupTimeout: 7",
            SERVER,
            "startupTimeout is 7 s (startupTimeout in model-config.yaml)",
        ),
        (
            "minWorkers: 1",
            SERVER,
            "startupTimeout is 120 s (TorchServe's default, because no startupTimeout is set)",
        ),
    ],
)
def test_the_limit_of_a_load_is_told_with_its_source(
    tmp_path: Path, config: str | None, properties: Mapping[str, str], words: str
) -> None:
    named = {} if config is None else {"configFile": CONFIG}
    write_folder(tmp_path / "m", files(manifest("m", **named), config))
    assert timeout_in_words(ModelFolder(str(tmp_path / "m")), STARTUP_TIMEOUT, properties) == words
