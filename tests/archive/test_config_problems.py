"""What the frontend refuses, ignores or reads as something else has a line: file, key, effect, remedy."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.archive.odd_configurations import BLOCK, JSON
from tests.archive.packing import CONFIG, files, manifest, write_mar
from ts_retry_ext.archive.window import window_of_config
from ts_retry_ext.snapshot.effective import effective_of_archive

FILE = "model-config.yaml"


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("startupTimeout: '70'", "not-an-integer", "startupTimeout is '70', only a YAML integer counts: it is ignored; write startupTimeout: 70"),
        ("startupTimeout: 0o106", "not-an-integer", "write startupTimeout: 70"),
        ("batchSize: 4.0", "not-an-integer", "write batchSize: 4"),
        ("batchSize: 4.5", "not-an-integer", "write batchSize: a whole number"),
        ("minWorkers: 1_\nmaxWorkers: 1", None, ""),
        ("maxWorkers: four", "not-an-integer", "maxWorkers is 'four'"),
        ("maxBatchDelay:", "not-an-integer", "maxBatchDelay is empty"),
        ("minWorkers: true", "not-an-integer", "minWorkers is True"),
        ("jobQueueSize: 99999999999", "not-an-integer", "jobQueueSize is 99999999999"),
        ("startupTimeout: -1", "not-positive", "120 is in force"),
        ("responseTimeout: 0", "not-positive", "120 is in force"),
        ("asyncCommunication: 'true'", "not-a-boolean", "write asyncCommunication: true"),
        ("useVenv: 1", "not-a-boolean", "only true or false counts"),
        ("deviceType: 3", "not-a-text", "only a text counts"),
        ("deviceIds: 1", "not-a-list", "only a list counts"),
        ("torchrun: 4", "not-a-mapping", "only a mapping counts"),
        ("startupTimeout: 0106", "octal", "startupTimeout: 0106 starts with 0 and is octal, 70 is in force: write startupTimeout: 106, or 70"),
        ("maxRetryTimeoutInSec: 0300", "octal", "192 is in force"),
        ("handler: {size: 010}", None, ""),
        ("minWorkers: 0\nmaxWorkers: 1", None, ""),
        ("minWorkers: 2", "workers-ignored", "minWorkers: 2 is ignored: the two count together only"),
        ("maxWorkers: 2", "workers-ignored", "write minWorkers: 1 and maxWorkers: 2"),
        ("minWorkers: 3\nmaxWorkers: 2", "workers-ignored", "minWorkers: 3 and maxWorkers: 2 are ignored"),
        ("minWorkers: 0\nmaxWorkers: 0", "workers-ignored", "write minWorkers: 1 and maxWorkers: 1"),
        ("batch_size: 4", "misspelt-key", "batch_size: 4 is ignored: the key is spelled batchSize; write batchSize: 4"),
        ("StartupTimeouts: '7'", "misspelt-key", "write startupTimeout: 7"),
        ("deviceId: 0", "misspelt-key", "write deviceIds: a list"),
        ("use-venv: true", "misspelt-key", "write useVenv: True"),
        ("handler: {batch_size: 4}", None, ""),
        ("maxDelay: 4", None, ""),
        ("maxBatchDelay: 0", "not-positive", "100 is in force; write maxBatchDelay: 1"),
        ("startupTimeout: 1:10", None, ""),
        ("batchSize: 1\nretry: {}\nbatchSize: 2", "repeated-key", "batchSize stands in the file again in line 3, and only the last"),
        ("batchSize: 1\t", "unreadable-for-workers", "every load fails"),
        ("a: &x 1\nb: &x 2", "unreadable-for-workers", "every load fails"),
        ("a: !!bool maybe", "unreadable-for-workers", "KeyError"),
        ("maxRetryTimeoutInSec: '20'", "not-an-integer", "in model-config.yaml, only a YAML integer counts: ignored, 300 is in force; write maxRetryTimeoutInSec: 20"),
        ("maxRetryTimeoutInSec: -20", "negative", "0 is in force, no retry at all; write maxRetryTimeoutInSec: 0"),
        ("maxRetryTimeoutInSec: 3000000", "overflow", "write at most 2147483"),
        ("maxRetryTimeoutInSec: 99999999999", "overflow", "300 is in force; write maxRetryTimeoutInSec: 2147483 at most"),
        ("max_retry_timeout_in_sec: 20", "misspelt-key", "write maxRetryTimeoutInSec: 20"),
        ("handler: {maxRetryTimeoutInSec: 20}", "nested-key", "write it there"),
        ("a: [", "unreadable-yaml", "all of it is ignored until that is corrected"),
        ("a: 1\n---\nb: 2", "unreadable-yaml", "line 2"),
        (JSON.replace("70", '70, "note": "a\\/b"'), "unreadable-yaml", "unknown escape character '/'"),
        ("1: 2", "stops-registration", "the key 1 is read as a number, not as text: quote it"),
        ("on: 2", "stops-registration", "the key True is read as a boolean, not as text: quote it"),
        ("torchrun: {~: 2}", "stops-registration", "the key None under torchrun is read as null"),
        ("", "stops-registration", "write at least one key"),
        ("- a", "stops-registration", "write lines such as"),
        ("a: !!int x", "stops-registration", "an explicit tag does not fit"),
        (BLOCK, None, ""),
        (JSON, None, ""),
    ],
)  # fmt: skip
def test_a_line_names_file_key_effect_and_remedy(text: str, code: str | None, words: str) -> None:
    problems = window_of_config(text.encode(), FILE).problems

    assert [problem.code for problem in problems] == ([] if code is None else [code])
    if code is not None:
        assert FILE in problems[0].message
        assert words in problems[0].message
        assert "\n" not in problems[0].message


def test_config_shows_what_is_wrong_beside_the_window(tmp_path: Path) -> None:
    entries = files(manifest("m", configFile=CONFIG), "startupTimeout: '70'\n")

    row = effective_of_archive(str(write_mar(tmp_path / "m.mar", entries)))

    assert [code for code, _ in row.problems] == ["not-an-integer"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{'model': {'modelName': 'm'}}", "Expecting property name"),
        ('\ufeff{"model": {"modelName": "m"}}', "byte order mark"),
        ('{"model": {"modelName": "m"}}', None),
    ],
)
def test_a_manifest_that_only_the_frontend_reads_is_named(
    tmp_path: Path, text: str, words: str | None
) -> None:
    row = effective_of_archive(str(write_mar(tmp_path / "m.mar", files(text))))

    assert row.model == "m"
    if words is None:
        assert row.problems == ()
    else:
        ((code, message),) = row.problems
        assert code == "unreadable-for-workers"
        assert words in message
        assert "every load fails" in message
