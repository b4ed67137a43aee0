"""What SnakeYAML 2.1 makes of a file, as tried on the classes in 0.12.0's ``model-server.jar``."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from ts_retry_ext.archive.model_config import (
    RefusedConfigError,
    UnreadableConfigError,
    read_model_config,
)
from ts_retry_ext.archive.snake_yaml import MAX_CHARACTERS

VALUES = [
    ("a: 0300", 192),
    ("a: 0_7", 7),
    ("a: 5:00", 300),
    ("a: -5:00", -300),
    ("a: 1:00:00", 3600),
    ("a: 1_000", 1000),
    ("a: 10_", 10),
    ("a: 0x12c", 300),
    ("a: 0b_101", 5),
    ("a: +300", 300),
    ("a: 017777777777", 2147483647),
    ("%YAML 1.2\n---\na: 020", 16),
    ("a: 0o300", "0o300"),
    ("a: 05:00", "05:00"),
    ("a: 08", "08"),
    ("a: _10", "_10"),
    ("a: 1,000", "1,000"),
    ('a: "300"', "300"),
    ("a: !!str 300", "300"),
    ('a: !!int "300"', 300),
    ("a: |\n  10", "10"),
    ("a: yes", True),
    ("a: ~", None),
    ("a:", None),
    ("a: =", "="),
    ("a: 0x_", "0x_"),
    ("a: " + "9" * 1025, "9" * 1025),
    ("a: 0_", "0_"),
    ("a: 3E3", 3000.0),
    ("a: 7\t", 7),
    ("a: 7\t# seven", 7),
    ("a: b\tc", "b\tc"),
    ("a: !!bool maybe", None),
    ("b: &x 1\nc: &x 7\na: *x", 7),
    ("b: &größe 7\na: *größe", 7),
    ("{a: 7}", 7),
    ('{"a":7}', 7),
    ("  b: 1\n  a: 7", 7),
    ("!!map {a: 7}", 7),
    ('"\\x61": 7', 7),
    ("? a\n: 7", 7),
    ("b: &x a\n*x : 7", 7),
    ("a: 7\n...\n", 7),
    ("a: 7\n# " + "x" * MAX_CHARACTERS, 7),
    ("a: 1\na: 2", 2),
    ("b: &x {a: 20}\n<<: *x", 20),
    ("a: 4\n<<: {a: 5}", 4),
    ("<<: [{a: 5}, {a: 6}]", 5),
    ("<<: [{a: 5, b: 1}, {b: 2, a: 6}]", 5),
    ("<<: {a: 5}\n<<: {a: 6}", 5),
    ('"<<": {a: 6}\na: 5', 5),
    ("\ufeffa: 7", 7),
    ("b: \U0001f600\na: 7", 7),
    ("b: !!set {x, y}\na: 7", 7),
    ("b: {[1]: 2, {c: d}: 3}\na: 7", 7),
    ("b: 2024-99-99\na: 7", 7),
]


@pytest.mark.parametrize(("text", "expected"), VALUES)
def test_values_come_out_as_the_frontend_has_them(text: str, expected: object) -> None:
    value = read_model_config(text.encode())["a"]

    assert value == expected
    assert type(value) is type(expected)


UNREADABLE = [
    "a: b: c",
    "minWorkers: 1\n maxRetryTimeoutInSec: 20",
    "a: 1\n---\nb: 2",
    "a: !!python/object:os.x {}",
    "a: !foo bar",
    "a: *nope",
    "a: @x",
    "a: 'open",
    "a: \x07",
    "<<: 1",
    'a: "\\/"',
    "a: !!int ''",
    "a: !!value x",
    "a: &x.y 7",
    "a: 'x'\t\n",
    "a:\t7",
    "a: !!timestamp x",
    "%YAML 3.0\n---\na: 1",
    "a: " + "[" * 51 + "]" * 51,
    "a: " + "[" * 100_000,
    "a: &x [1]\nb: [" + ", ".join(["*x"] * 51) + "]",
    "a: " + "x" * MAX_CHARACTERS,
]


@pytest.mark.parametrize("text", UNREADABLE)
def test_what_snakeyaml_rejects_is_unreadable(text: str) -> None:
    with pytest.raises(UnreadableConfigError):
        read_model_config(text.encode())


JUST_INSIDE = [
    "a: " + "[" * 50 + "]" * 50,
    "a: &x [1]\nb: [" + ", ".join(["*x"] * 50) + "]",
    "a: &x 1\nb: [" + ", ".join(["*x"] * 200) + "]",
    "a: &a [*a]",
    "a: !!int " + "9" * 5000,
]


@pytest.mark.parametrize("text", JUST_INSIDE)
def test_what_is_just_inside_the_limits_is_read(text: str) -> None:
    assert "a" in read_model_config(text.encode())


REFUSED = [
    ("", "is empty"),
    ("# nothing\n", "is empty"),
    ("---", "is empty"),
    ("- a", "a list"),
    ("hello", "text"),
    ("maxRetryTimeoutInSec:20", "text"),
    ("1: 2", "the key 1 is read as a number"),
    ("yes: 2", "the key True is read as a boolean"),
    ("~: 2", "the key None is read as null"),
    ("2024-01-01: 2", "the key 2024-01-01 "),
    ("? [a]\n: 2", "a list or mapping"),
    ("torchrun:\n  1: 2", "under torchrun"),
    ("a: !!int x", "explicit tag"),
    ("a: !!seq {b: 1}", "explicit tag"),
    ("a: !!str [b]", "explicit tag"),
    ("a: !!binary abc", "explicit tag"),
]


@pytest.mark.parametrize(("text", "words"), REFUSED)
def test_what_ends_a_server_at_its_start_is_refused(text: str, words: str) -> None:
    with pytest.raises(RefusedConfigError, match=words):
        read_model_config(text.encode())


def test_a_place_is_named_for_unreadable_yaml() -> None:
    with pytest.raises(UnreadableConfigError, match="line 2, column 4"):
        read_model_config(b"a: 1\nb: @x")


def test_broken_utf8_is_replaced_as_java_does() -> None:
    assert read_model_config(b"a: \xff\nb: 1")["b"] == 1


@pytest.mark.parametrize(
    ("shadow", "told"),
    [
        ("raise ModuleNotFoundError('yaml')", "PyYAML is not installed: pip install pyyaml\n"),
        ("x = 1", "PyYAML cannot be imported: "),
        ("1 / 0", "PyYAML cannot be imported: ZeroDivisionError"),
    ],
)
def test_pyyaml_that_is_missing_or_shadowed_is_an_error_that_says_so(
    tmp_path: Path, shadow: str, told: str
) -> None:
    (tmp_path / "yaml.py").write_text(shadow)
    code = (
        "from ts_retry_ext.archive.model_config import MissingYamlError\n"
        "from ts_retry_ext.archive.model_config import read_model_config\n"
        "try: read_model_config(b'a: 1')\n"
        "except MissingYamlError as error: print(error)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True,
                          env={**os.environ, "PYTHONPATH": str(tmp_path)})  # fmt: skip

    assert done.stdout.startswith(told)
