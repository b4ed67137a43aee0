from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.archive.packing import CONFIG, files, manifest, packed, write_folder, write_mar
from tests.frontend.api import described
from ts_retry_ext.frontend.running_model import RunningModel, running_model
from ts_retry_ext.frontend.server_configuration import ServerConfiguration, configuration_of_file
from ts_retry_ext.snapshot.parameters import (
    BY_REQUEST,
    CHANGED,
    NOT_REPORTED,
    UNSEEN,
    ModelParameters,
    parameters_of_archive,
    parameters_of_registered,
)

#: What 0.12.0 reports of a model without any configuration, on a machine with two processors.
REPORTED: dict[str, Any] = {
    "minWorkers": 2, "maxWorkers": 2, "batchSize": 1, "maxBatchDelay": 100, "responseTimeout": 120,
    "startupTimeout": 120, "maxRetryTimeoutInSec": 300, "clientTimeoutInMills": 0, "parallelType": "",
    "parallelLevel": 0, "deviceType": "cpu", "continuousBatching": False, "useJobTicket": False,
    "useVenv": False, "stateful": False, "sequenceMaxIdleMSec": 0, "sequenceTimeoutMSec": 0,
    "maxNumSequence": 0, "maxSequenceJobQueueSize": 0,
}  # fmt: skip


def configuration(folder: Path, environ: dict[str, str] | None = None, **properties: str) -> ServerConfiguration:  # fmt: skip
    lines = {"model_store": ".", **properties}
    path = folder / "config.properties"
    path.write_text("".join(f"{key}={value}\n" for key, value in lines.items()))
    return configuration_of_file(str(folder), str(path), environ or {})


def running(**reported: Any) -> RunningModel:
    return running_model(described(**{**REPORTED, **reported}), "1.0")


def rows(found: ModelParameters) -> dict[str, tuple[object, str]]:
    return {row.name: (row.value, row.source) for row in found.parameters}


def test_each_reported_value_has_the_source_that_explains_it(tmp_path: Path) -> None:
    text = "batchSize: 4\nmaxBatchDelay: 0\ndeviceType: gpu\nretry: {onFatal: observe}\n"
    packed(tmp_path / "m.mar", text)
    made = configuration(
        tmp_path,
        {"TS_DEFAULT_STARTUP_TIMEOUT": "88", "TS_RETRY_FIRST_TRIAL": "7"},
        models=json.dumps({"m": {"1.0": {"minWorkers": 2, "maxBatchDelay": 9}}}),
        enable_envvars_config="true",
        job_queue_size="55",
        retry_max_hard_crashes="4",
    )
    model = running(batchSize=4, maxBatchDelay=9, maxWorkers=5, responseTimeout=30)

    found = rows(parameters_of_registered(model, made))

    own, server = f"{tmp_path}/./m.mar: {CONFIG}", f"{tmp_path}/config.properties"
    expected = {
        "minWorkers": (2, f"{server} (models: minWorkers)"),
        "maxWorkers": (5, f"default (one for each GPU or processor), or {BY_REQUEST}"),
        "batchSize": (4, f"{own} (batchSize)"),
        "maxBatchDelay": (9, f"{server} (models: maxBatchDelay)"),
        "responseTimeout": (30, BY_REQUEST),
        "startupTimeout": (120, "default (the model has a configuration, so no other place counts)"),
        "jobQueueSize": (55, f"{server} (job_queue_size)"),
        "maxRetryTimeoutInSec": (300, "default"),
        "deviceType": ("cpu", "default (gpu if TorchServe sees one, else cpu)"),
        "deviceIds": ([], "default"),
        "asyncCommunication": (False, "default"),
        "retry_on_fatal": ("observe", f"{own} (retry: onFatal)"),
        "retry_first_trial": (7, "environment (TS_RETRY_FIRST_TRIAL)"),
        "retry_max_hard_crashes": (4, f"{server} (retry_max_hard_crashes)"),
        "retry_sidecar": (False, "default"),
    }  # fmt: skip
    assert {name: found[name] for name in expected} == expected


def test_a_variable_that_the_file_allows_is_named(tmp_path: Path) -> None:
    packed(tmp_path / "m.mar")
    environ = {"TS_DEFAULT_STARTUP_TIMEOUT": "88"}
    made = configuration(tmp_path, environ, enable_envvars_config="true")

    found = rows(parameters_of_registered(running(startupTimeout=88), made))

    assert found["startupTimeout"] == (88, "environment (TS_DEFAULT_STARTUP_TIMEOUT)")


def test_a_model_of_a_request_has_what_the_request_says(tmp_path: Path) -> None:
    packed(tmp_path / "m.mar")
    model = running(minWorkers=0, maxWorkers=3, batchSize=8, loadedAtStartup=False)

    found = rows(parameters_of_registered(model, configuration(tmp_path)))

    assert found["minWorkers"] == (0, "default")
    assert found["maxWorkers"] == (3, BY_REQUEST)
    assert found["batchSize"] == (8, BY_REQUEST)


def test_a_snapshot_is_the_source_of_what_it_holds(tmp_path: Path) -> None:
    packed(tmp_path / "m.mar", "batchSize: 4")
    entry = {"minWorkers": 2, "maxWorkers": 3, "batchSize": 5, "maxBatchDelay": 100}
    made = configuration(tmp_path, model_snapshot=json.dumps({"models": {"m": {"1.0": entry}}}))

    found = rows(parameters_of_registered(running(maxWorkers=3, batchSize=5), made))

    server = f"{tmp_path}/config.properties"
    assert found["maxWorkers"] == (3, f"{server} (model_snapshot: maxWorkers)")
    assert found["batchSize"] == (5, f"{server} (model_snapshot: batchSize)")


def test_an_older_torchserve_reports_less(tmp_path: Path) -> None:
    packed(tmp_path / "m.mar")
    absent = ("startupTimeout", "useVenv", "maxRetryTimeoutInSec")
    entry = {key: value for key, value in described(**REPORTED).items() if key not in absent}

    found = rows(parameters_of_registered(running_model(entry, "1.0"), configuration(tmp_path)))

    for name in (*absent, "jobQueueSize", "asyncCommunication"):
        assert found[name] == (None, NOT_REPORTED)
    assert found["batchSize"] == (1, "default")


@pytest.mark.parametrize(
    ("is_there", "reported", "name", "source"),
    [
        (False, {"batchSize": 9}, "batchSize", UNSEEN),
        (False, {"useVenv": True}, "useVenv", UNSEEN),
        (False, {}, "batchSize", "default"),
        (True, {"useVenv": True}, "useVenv", CHANGED),
        (True, {"maxRetryTimeoutInSec": 60}, "maxRetryTimeoutInSec", CHANGED),
    ],
)
def test_a_source_that_cannot_be_known_is_not_guessed(
    is_there: bool, reported: dict[str, Any], name: str, source: str, tmp_path: Path
) -> None:
    if is_there:
        packed(tmp_path / "m.mar")

    found = parameters_of_registered(running(**reported), configuration(tmp_path))

    assert rows(found)[name][1] == source
    assert (found.archive is None) is not is_there


def test_what_was_unpacked_counts_before_the_archive(tmp_path: Path) -> None:
    packed(tmp_path / "m.mar", "batchSize: 9")
    folder = write_folder(tmp_path / "unpacked", files(manifest(configFile=CONFIG), "batchSize: 4"))
    made = configuration(tmp_path)

    found = rows(parameters_of_registered(running(batchSize=4), made, [str(folder)]))

    assert found["batchSize"] == (4, f"{folder}/{CONFIG} (batchSize)")


def test_an_archive_has_what_a_start_would_give_it(tmp_path: Path) -> None:
    path = packed(
        tmp_path / "m.mar", "minWorkers: 1\nmaxWorkers: 1\nretry: {onFatl: hold}\nuseVenv: 1"
    )
    made = configuration(tmp_path, default_response_timeout="9")

    found = parameters_of_archive(str(path), made)

    assert rows(found)["minWorkers"] == (1, f"{path}: {CONFIG} (minWorkers)")
    assert rows(found)["deviceType"] == (None, "default (gpu if TorchServe sees one, else cpu)")
    codes = dict(found.problems)
    assert set(codes) == {"not-a-boolean", "retry-settings"}
    assert "onFatl" in codes["retry-settings"]
    json.dumps(found.to_json())


def test_a_configuration_that_the_frontend_cannot_read_is_as_none(tmp_path: Path) -> None:
    path = packed(tmp_path / "m.mar", "batchSize: [4")
    made = configuration(tmp_path, default_response_timeout="9")

    found = parameters_of_archive(str(path), made)

    assert rows(found)["responseTimeout"] == (
        9,
        f"{tmp_path}/config.properties (default_response_timeout)",
    )
    assert [code for code, _ in found.problems] == ["unreadable-yaml"]


def test_an_archive_that_cannot_be_read_has_no_parameters(tmp_path: Path) -> None:
    write_mar(tmp_path / "m.mar", files(""))

    found = parameters_of_archive(str(tmp_path / "m.mar"), configuration(tmp_path))

    assert (found.model, found.parameters) == (None, ())
    assert [code for code, _ in found.problems] == ["unreadable-archive"]


@pytest.mark.parametrize("models", ["[", "[1]", '{"m": 1}', '{"m": {"1.0": 2}}', "{" * 2000])
def test_models_that_are_no_such_object_count_for_nothing(models: str, tmp_path: Path) -> None:
    path = packed(tmp_path / "m.mar")

    found = rows(parameters_of_archive(str(path), configuration(tmp_path, models=models)))

    assert found["batchSize"] == (1, "default")


@pytest.mark.parametrize("rule", ["{id: a, since: 2024-01-02}", "{id: a, 2024-01-02: b}"])
def test_a_date_in_a_rule_of_the_model_is_text_in_json(rule: str, tmp_path: Path) -> None:
    path = packed(tmp_path / "m.mar", f"retry: {{rules: [{rule}]}}")

    found = parameters_of_archive(str(path), configuration(tmp_path)).to_json()

    (told,) = [row["value"] for row in found["parameters"] if row["name"] == "retry_rules"]
    assert "'a'" in str(json.loads(json.dumps(told)))
