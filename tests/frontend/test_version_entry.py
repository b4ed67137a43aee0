from __future__ import annotations

import json

import pytest

from ts_retry_ext.archive.limits import RESPONSE_TIMEOUT, timeout_sec, timeout_source
from ts_retry_ext.frontend.version_entry import entry_of_version, properties_for

MODELS = json.dumps(
    {"m": {"1.0": {"responseTimeout": 7, "batchSize": 2}, "2.0": {"responseTimeout": 0}}}
)
DEFAULT = {"default_response_timeout": "60"}


@pytest.mark.parametrize(
    ("version", "config", "expected", "source"),
    [
        ("1.0", None, 7, "models: responseTimeout in config.properties"),
        ("2.0", None, 60, "default_response_timeout in config.properties"),
        ("3.0", None, 60, "default_response_timeout in config.properties"),
        ("1.0", {}, 120, "TorchServe's default, because no responseTimeout is set"),
        ("1.0", {"responseTimeout": 9}, 9, "responseTimeout in model-config.yaml"),
    ],
)
def test_a_time_out_under_models_counts_for_a_model_without_a_configuration(
    version: str, config: dict[str, object] | None, expected: int, source: str
) -> None:
    properties = properties_for("m", version, {"models": MODELS, **DEFAULT})

    assert timeout_sec(RESPONSE_TIMEOUT, config, properties) == expected
    assert timeout_source(RESPONSE_TIMEOUT, config, properties) == source


def test_another_model_has_none() -> None:
    properties = properties_for("n", "1.0", {"models": MODELS, **DEFAULT})
    assert timeout_sec(RESPONSE_TIMEOUT, None, properties) == 60


@pytest.mark.parametrize(
    "text", ["", "[", "[1]", "null", '{"m": [1]}', '{"m": {"1.0": 3}}', "{" * 3000]
)
def test_what_is_no_such_object_says_nothing(text: str) -> None:
    assert entry_of_version("m", "1.0", {"models": text}) == {}
    assert (
        properties_for("m", "1.0", {"models": text, **DEFAULT})["default_response_timeout"] == "60"
    )


def test_a_snapshot_takes_the_place_of_models() -> None:
    snapshot = json.dumps({"name": "s", "models": {"m": {"1.0": {"batchSize": 5}}}})

    entry = entry_of_version("m", "1.0", {"models": MODELS, "model_snapshot": snapshot})

    assert entry == {"batchSize": "5"}
