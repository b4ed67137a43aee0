from __future__ import annotations

from pathlib import Path
from typing import Mapping

import pytest

from tests.archive.packing import CONFIG, files, manifest, write_folder
from ts_retry_ext.archive.folder_limits import (
    response_timeout_of,
    startup_timeout_in_words,
    startup_timeout_of,
    window_of,
)
from ts_retry_ext.archive.model_folder import ModelFolder

SERVER = {"default_startup_timeout": "40", "default_response_timeout": "50"}


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
        startup_timeout_of(folder, properties),
        response_timeout_of(folder, properties),
        window_of(folder),
    )
    assert found == expected


def test_a_file_that_the_manifest_names_and_the_folder_lacks_leaves_them_too(
    tmp_path: Path,
) -> None:
    write_folder(tmp_path / "m", files(manifest("m", configFile="none.yaml")))

    assert startup_timeout_of(ModelFolder(str(tmp_path / "m")), SERVER) == 40


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
    assert startup_timeout_in_words(ModelFolder(str(tmp_path / "m")), properties) == words
