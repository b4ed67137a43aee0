from __future__ import annotations

from typing import Any, Mapping

import pytest

from tests.archive.odd_configurations import CONFIGURATIONS, Odd
from ts_retry_ext.archive.model_config import read_model_config
from ts_retry_ext.archive.parameter_candidates import Candidate, Origin, Start, parameters_of

OWN, MODELS, SNAPSHOT, SERVER, DEFAULT = (
    Origin.MODEL_CONFIG, Origin.MODELS, Origin.SNAPSHOT, Origin.SERVER, Origin.DEFAULT
)  # fmt: skip
#: Each was seen on TorchServe 0.12.0, or read in the class that the module names:
#: configuration, config.properties, entry of the version under models, parameter, value, origin.
IN_FORCE: list[tuple[str | None, dict[str, str], dict[str, object], str, Any, Origin]] = [
    # Workers: the two of the configuration count together.
    ("minWorkers: 2\nmaxWorkers: 3", {}, {"minWorkers": "7"}, "minWorkers", 2, OWN),
    ("minWorkers: 2\nmaxWorkers: 3", {}, {"maxWorkers": "7"}, "maxWorkers", 3, OWN),
    ("minWorkers: 2", {}, {"minWorkers": "7"}, "minWorkers", 7, MODELS),
    ("minWorkers: 3\nmaxWorkers: 2", {}, {}, "maxWorkers", None, DEFAULT),
    ("minWorkers: -2\nmaxWorkers: 3", {}, {}, "minWorkers", 1, OWN),
    ("minWorkers: '2'\nmaxWorkers: 3", {"default_workers_per_model": "4"}, {}, "minWorkers", 4, SERVER),
    ("maxWorkers: 3", {}, {}, "maxWorkers", None, DEFAULT),
    (None, {"default_workers_per_model": "4"}, {"minWorkers": "0"}, "minWorkers", 4, SERVER),
    (None, {"default_workers_per_model": "0"}, {}, "minWorkers", None, DEFAULT),
    (None, {"default_workers_per_model": "4", "debug": "true"}, {}, "maxWorkers", 1, SERVER),
    (None, {}, {}, "minWorkers", None, DEFAULT),
    # Batches.
    ("batchSize: 4", {}, {"batchSize": "3"}, "batchSize", 4, OWN),
    ("batchSize: 0", {}, {"batchSize": "3"}, "batchSize", 1, OWN),
    ("batchSize: 4.0", {}, {"batchSize": "3"}, "batchSize", 3, MODELS),
    (None, {}, {}, "batchSize", 1, DEFAULT),
    ("maxBatchDelay: 0", {}, {}, "maxBatchDelay", 100, DEFAULT),
    ("maxBatchDelay: 0", {}, {"maxBatchDelay": "7"}, "maxBatchDelay", 7, MODELS),
    ("maxBatchDelay: -5", {}, {}, "maxBatchDelay", 100, DEFAULT),
    ("maxBatchDelay: 50", {}, {}, "maxBatchDelay", 50, OWN),
    # Time-outs: with a configuration, no other place counts.
    ("a: 1", {"default_response_timeout": "66"}, {"responseTimeout": "44"}, "responseTimeout", 120, DEFAULT),
    ("responseTimeout: 33", {}, {"responseTimeout": "44"}, "responseTimeout", 33, OWN),
    (None, {"default_response_timeout": "66"}, {"responseTimeout": "44"}, "responseTimeout", 44, MODELS),
    (None, {"default_startup_timeout": "88"}, {}, "startupTimeout", 88, SERVER),
    (None, {"default_startup_timeout": "120"}, {}, "startupTimeout", 120, SERVER),
    (None, {}, {}, "startupTimeout", 120, DEFAULT),
    ("startupTimeout: 9", {"debug": "true"}, {}, "startupTimeout", 2**31 - 1, SERVER),
    # The window overflows as Java lets it.
    ("maxRetryTimeoutInSec: 77", {}, {}, "maxRetryTimeoutInSec", 77, OWN),
    ("maxRetryTimeoutInSec: '77'", {}, {}, "maxRetryTimeoutInSec", 300, DEFAULT),
    ("maxRetryTimeoutInSec: 3000000", {}, {}, "maxRetryTimeoutInSec", -1294967, OWN),
    (None, {"maxRetryTimeoutInSec": "7"}, {"maxRetryTimeoutInSec": "7"}, "maxRetryTimeoutInSec", 300, DEFAULT),
    # The rest.
    ("clientTimeoutInMills: -5", {}, {}, "clientTimeoutInMills", 0, OWN),
    ("jobQueueSize: 17", {"job_queue_size": "55"}, {}, "jobQueueSize", 17, OWN),
    ("jobQueueSize: 0", {"job_queue_size": "55"}, {}, "jobQueueSize", 55, SERVER),
    (None, {}, {}, "jobQueueSize", 100, DEFAULT),
    ("deviceType: GPU", {}, {}, "deviceType", "gpu", OWN),
    ("deviceType: tpu", {}, {}, "deviceType", None, DEFAULT),
    ("deviceIds: [0, 1]", {}, {}, "deviceIds", [0, 1], OWN),
    ("deviceIds: [0, 'x']", {}, {}, "deviceIds", [], DEFAULT),
    ("parallelType: PP\nparallelLevel: 2", {}, {}, "parallelLevel", 2, OWN),
    ("parallelLevel: 2", {}, {}, "parallelLevel", 0, DEFAULT),
    ("useVenv: yes", {}, {}, "useVenv", True, OWN),
    ("useVenv: 'yes'", {}, {}, "useVenv", False, DEFAULT),
    ("asyncCommunication: false", {}, {}, "asyncCommunication", False, OWN),
    ("sequenceBatching: true", {}, {}, "sequenceBatching", True, OWN),
    ("sequenceMaxIdleMSec: 5", {}, {}, "maxNumSequence", 1, DEFAULT),
    ("sequenceMaxIdleMSec: 5\nmaxNumSequence: -1", {}, {}, "maxNumSequence", 1, OWN),
    ("sequenceTimeoutMSec: 9\nmaxNumSequence: 4", {}, {}, "maxNumSequence", 0, DEFAULT),
]  # fmt: skip


def candidates(config: str | None, start: Start) -> Mapping[str, tuple[Candidate, ...]]:
    return parameters_of(None if config is None else read_model_config(config.encode()), start)


@pytest.mark.parametrize(("config", "properties", "entry", "name", "value", "origin"), IN_FORCE)
def test_the_first_candidate_is_what_a_start_of_the_server_has_in_force(
    config: str | None,
    properties: dict[str, str],
    entry: dict[str, object],
    name: str,
    value: object,
    origin: Origin,
) -> None:
    first = candidates(config, Start(properties, entry))[name][0]

    assert (first.value, first.origin) == (value, origin)


@pytest.mark.parametrize(("workers", "expected"), [(None, (0, DEFAULT)), ("3", (3, SERVER))])
def test_a_model_that_a_request_registers_has_no_worker_unless_the_server_says_so(
    workers: str | None, expected: tuple[int, Origin]
) -> None:
    properties = {"default_workers_per_model": workers} if workers else {}
    start = Start(properties, {"minWorkers": "9"}, at_startup=False)

    first = candidates(None, start)["minWorkers"][0]

    assert (first.value, first.origin) == expected


def test_what_a_config_snapshot_holds_counts_before_the_configuration() -> None:
    entry: dict[str, object] = {"minWorkers": "0", "responseTimeout": "5", "batchSize": "2"}
    found = candidates(
        "minWorkers: 1\nmaxWorkers: 1\nresponseTimeout: 9\nmaxRetryTimeoutInSec: 7",
        Start({}, entry, is_snapshot=True),
    )

    first = {name: (rows[0].value, rows[0].origin) for name, rows in found.items()}
    assert first["minWorkers"] == (0, SNAPSHOT)
    assert first["responseTimeout"] == (5, SNAPSHOT)
    assert first["batchSize"] == (2, SNAPSHOT)
    assert first["maxRetryTimeoutInSec"] == (7, OWN)
    assert first["maxWorkers"] == (1, OWN)


def test_the_level_of_torchrun_is_named_by_its_key() -> None:
    config = "parallelType: tp\nparallelLevel: 2\ntorchrun: {nproc-per-node: 4}"

    (level,) = candidates(config, Start({}))["parallelLevel"]

    assert level == Candidate(4, OWN, "torchrun: nproc-per-node")


def test_a_default_that_hides_what_the_server_says_says_so() -> None:
    start = Start({"default_response_timeout": "66"})

    assert "no other place counts" in candidates("a: 1", start)["responseTimeout"][0].key
    assert candidates("a: 1", Start({}))["responseTimeout"][0].key == ""


@pytest.mark.parametrize("text", ["x", "", "--5", "9" * 5000, "²"])
def test_a_number_that_is_none_counts_for_nothing(text: str) -> None:
    properties = {"default_workers_per_model": text, "job_queue_size": text}
    found = candidates(None, Start(properties, {"batchSize": text}))

    assert found["batchSize"][0] == Candidate(1, DEFAULT)
    assert found["jobQueueSize"][0] == Candidate(100, DEFAULT)
    assert found["minWorkers"][0].value is None


@pytest.mark.parametrize(
    "odd", [odd for odd in CONFIGURATIONS if odd.read], ids=lambda odd: odd.name
)
def test_an_odd_configuration_is_in_force_as_every_reader_has_it(odd: Odd) -> None:
    found = parameters_of(read_model_config(odd.data), Start({}))

    limits = ("startupTimeout", "responseTimeout", "maxRetryTimeoutInSec")
    expected = [odd.startup_sec, odd.response_sec, odd.window_sec]
    assert [found[name][0].value for name in limits] == expected
