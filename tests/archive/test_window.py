from __future__ import annotations

from pathlib import Path

import pytest

from tests.archive.packing import CONFIG, files, manifest, packed, write_mar, write_tar
from ts_retry_ext.archive.model_archive import read_archive
from ts_retry_ext.archive.window import (
    Source,
    Window,
    compare,
    window_of_archive,
    window_of_config,
)

KEY = "maxRetryTimeoutInSec"


@pytest.mark.parametrize(
    ("value", "reported", "milliseconds", "source", "codes"),
    [
        ("20", 20, 20_000, Source.MODEL_CONFIG, []),
        ("5:00", 300, 300_000, Source.MODEL_CONFIG, []),
        ("0", 0, 0, Source.MODEL_CONFIG, []),
        ("2147483", 2147483, 2147483_000, Source.MODEL_CONFIG, []),
        # Each of these was read back from the describe API of a running 0.12.0.
        ("-3", 0, 0, Source.MODEL_CONFIG, ["negative"]),
        ("3000000", -1294967, -1294967296, Source.MODEL_CONFIG, ["overflow"]),
        ("2147484", -2147483, -2147483296, Source.MODEL_CONFIG, ["overflow"]),
        ("4294968", 0, 704, Source.MODEL_CONFIG, ["overflow"]),
        ("2147483647", -1, -1000, Source.MODEL_CONFIG, ["overflow"]),
        ("2147483648", 300, 300_000, Source.DEFAULT, ["overflow"]),
        ("-2147483649", 300, 300_000, Source.DEFAULT, ["overflow"]),
        ("300.0", 300, 300_000, Source.DEFAULT, ["not-an-integer"]),
        ("3e2", 300, 300_000, Source.DEFAULT, ["not-an-integer"]),
        ("'20'", 300, 300_000, Source.DEFAULT, ["not-an-integer"]),
        ("20s", 300, 300_000, Source.DEFAULT, ["not-an-integer"]),
        ("yes", 300, 300_000, Source.DEFAULT, ["not-an-integer"]),
        ("[20]", 300, 300_000, Source.DEFAULT, ["not-an-integer"]),
        ("2024-01-01", 300, 300_000, Source.DEFAULT, ["not-an-integer"]),
        ("", 300, 300_000, Source.DEFAULT, ["not-an-integer"]),
    ],
)
def test_value_in_force_is_the_one_the_frontend_computes(
    value: str, reported: int, milliseconds: int, source: Source, codes: list[str]
) -> None:
    window = window_of_config(f"{KEY}: {value}\n".encode())

    assert (window.reported_sec, window.milliseconds) == (reported, milliseconds)
    assert window.source is source
    assert [problem.code for problem in window.problems] == codes


@pytest.mark.parametrize(
    ("text", "configured"),
    [
        (f"{KEY}: 20", 20),
        (f"{KEY}: '20'", "20"),
        (f"{KEY}: 2.5", "2.5"),
        (f"{KEY}: yes", True),
        (f"{KEY}: [1]", "[1]"),
        (f"{KEY}: 2024-01-01", "2024-01-01"),
        ("a: 1", None),
    ],
)
def test_configured_value_is_kept_in_a_form_that_json_takes(text: str, configured: object) -> None:
    assert window_of_config(text.encode()).configured == configured


@pytest.mark.parametrize(
    ("text", "code", "words"),
    [
        ("maxRetryTimeoutInSecs: 20", "misspelt-key", "maxRetryTimeoutInSecs: 20"),
        ("maxretrytimeoutinsec: 20", "misspelt-key", "spelled maxRetryTimeoutInSec"),
        ("max_retry_timeout_in_sec: 20", "misspelt-key", "max_retry_timeout_in_sec"),
        ("maxRetryTimeoutInMin: 5", "misspelt-key", "maxRetryTimeoutInMin"),
        ("maxRetryTimeout: 20", "misspelt-key", "maxRetryTimeout: 20"),
        ("maxRetriesTimeoutInSec: 20", "misspelt-key", "maxRetriesTimeoutInSec"),
        (f"handler:\n  {KEY}: 20", "nested-key", f"handler.{KEY}"),
        (f"retry:\n  a:\n    {KEY}: 20", "nested-key", f"retry.a.{KEY}"),
        (f"stages:\n  - {KEY}: 20", "nested-key", f"stages.{KEY}"),
        ("torchrun:\n  max-retry-timeout-in-sec: 20", "nested-key", "torchrun.max-retry"),
        ("a: b: c", "unreadable-yaml", "line 1"),
        ("", "stops-registration", "is empty"),
        ("- a", "stops-registration", "a list"),
    ],
)
def test_what_is_ignored_in_silence_is_named(text: str, code: str, words: str) -> None:
    window = window_of_config(text.encode())

    assert (window.reported_sec, window.source) == (300, Source.DEFAULT)
    (problem,) = window.problems
    assert problem.code == code
    assert words in problem.message


@pytest.mark.parametrize(
    "key",
    [
        "responseTimeout",
        "startupTimeout",
        "clientTimeoutInMills",
        "sequenceTimeoutMSec",
        "maxBatchDelay",
    ],
)
def test_other_keys_of_torchserve_are_no_misspellings(key: str) -> None:
    assert window_of_config(f"{key}: 5".encode()).problems == ()


def test_right_key_beside_a_misspelt_one_counts_and_both_are_told() -> None:
    window = window_of_config(f"{KEY}: 20\nmaxRetryTimeoutInMin: 5".encode())

    assert window.reported_sec == 20
    assert [problem.code for problem in window.problems] == ["misspelt-key"]


def test_archive_with_a_named_configuration(tmp_path: Path) -> None:
    window = window_of_archive(read_archive(str(packed(tmp_path / "m.mar", f"{KEY}: 20"))))

    assert (window.reported_sec, window.source) == (20, Source.MODEL_CONFIG)


def test_archive_without_a_configuration_has_the_default_and_no_problem(tmp_path: Path) -> None:
    window = window_of_archive(read_archive(str(packed(tmp_path / "m.mar"))))

    assert window == Window(300_000, Source.DEFAULT)


def test_archive_whose_configuration_does_not_count_has_the_default(tmp_path: Path) -> None:
    yaml = f"{KEY}: 20"
    unnamed = write_mar(tmp_path / "a.mar", files(manifest("m"), yaml))
    missing = write_mar(tmp_path / "b.mar", files(manifest("m", configFile="nope.yaml"), yaml))
    rootless = write_tar(tmp_path / "c.tgz", files(manifest("m", configFile=CONFIG), yaml), "")

    for path, code in (
        (unnamed, "file-not-in-manifest"),
        (missing, "file-missing"),
        (rootless, "no-manifest"),
    ):
        window = window_of_archive(read_archive(str(path)))
        assert (window.reported_sec, window.source) == (300, Source.DEFAULT)
        assert [problem.code for problem in window.problems] == [code]


def test_frontend_that_agrees_or_does_not_tell_changes_nothing() -> None:
    window = window_of_config(f"{KEY}: 3000000".encode())

    assert compare(window, -1294967) == window
    assert compare(window, None) == window


def test_frontend_that_disagrees_is_right() -> None:
    window = compare(window_of_config(f"{KEY}: '20'".encode()), 60)

    assert (window.reported_sec, window.source, window.configured) == (60, Source.FRONTEND, "20")
    assert [p.code for p in window.problems] == ["frontend-disagrees", "not-an-integer"]
    assert "60 s in force" in window.problems[0].message
