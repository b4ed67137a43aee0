"""The tables of this folder are what TorchServe's own classes make of the same bytes."""

from __future__ import annotations

import importlib.util
import os
import random
import shutil
import subprocess
from pathlib import Path
from typing import Any, Sequence

import pytest

from tests.archive import test_manifest, test_model_config, test_parameter_candidates
from tests.archive.odd_configurations import CONFIGURATIONS
from ts_retry_ext.archive.limits import is_java_int, limits_in_force
from ts_retry_ext.archive.manifest import ManifestError, parse_manifest
from ts_retry_ext.archive.model_config import (
    RefusedConfigError,
    UnreadableConfigError,
    read_model_config,
)
from ts_retry_ext.archive.parameter_candidates import Origin, Start, parameters_of

SOURCE = Path(__file__).parent / "AsTheFrontend.java"
PARTS = ["a", "b", ": ", ":", "- ", "\n", "\n  ", " ", "\t", "{", "}", "[", "]", ", ", '"x"', "'y'", "# c", "&x ",
         "*x", "<<: ", "!!str ", "!!int ", "!!map ", "!!bool ", "!foo ", "7", "010", "0x1F", "5:00", "1e3", "1.5",
         "yes", "null", "~", "2024-01-02", "|\n  ", ">\n  ", "---\n", "...\n", "\r\n", "\\n", "@", "é",
         "\ufeff", "*", "&", "a: 1\n", "{a: 1}", "startupTimeout: 7\n", "retry: {x: y}\n"]  # fmt: skip


@pytest.fixture(scope="module")
def classes(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Return the start of a command that runs ``AsTheFrontend``; compiled once."""
    found = importlib.util.find_spec("ts")
    places = list(found.submodule_search_locations or ()) if found else []
    jars = [path for place in places for path in Path(place).glob("frontend/model-server.jar")]
    compiler = shutil.which("javac")
    if not jars or compiler is None:
        pytest.skip("needs TorchServe's jar and a Java compiler")
    target = tmp_path_factory.mktemp("classes")
    subprocess.run([compiler, "-cp", str(jars[0]), "-d", str(target), str(SOURCE)], check=True)
    beside = str(Path(compiler).resolve().parent / "java")
    quiet = "-Dlog4j2.level=OFF"
    return [beside, quiet, "-cp", os.pathsep.join([str(target), str(jars[0])]), SOURCE.stem]


def asked(classes: list[str], folder: Path, kind: str, contents: Sequence[bytes]) -> list[str]:
    arguments = []
    for number, content in enumerate(contents):
        (folder / str(number)).write_bytes(content)
        arguments += [kind, str(folder / str(number))]
    done = subprocess.run([*classes, *arguments], capture_output=True, text=True, check=True)
    return [line[2:] for line in done.stdout.splitlines() if line.startswith("> ")]


def config_read_here(data: bytes) -> str:
    try:
        content = read_model_config(data)
    except UnreadableConfigError:
        return "unreadable"
    except RefusedConfigError:
        return "refused"
    limits = limits_in_force(content, {})
    level = limits_in_force({**content, "parallelType": "pp"}, {}).ranks
    window = content.get("maxRetryTimeoutInSec")
    shown = [
        shown_value(content.get("a")),
        limits.startup_timeout_sec,
        limits.response_timeout_sec,
        max(0, window) if isinstance(window, int) and is_java_int(window) else 300,
        str(limits.asynchronous).lower(),
        str(limits.use_venv).lower(),
        level,
        shown_value(content.get("retry")),
    ]
    return "read " + " ".join(map(str, shown))


def parameters_read_here(text: str) -> str:
    found = parameters_of(read_model_config(text.encode()), Start({}))
    own = {
        key: rows[0].value for key, rows in found.items() if rows[0].origin is Origin.MODEL_CONFIG
    }
    shown = [
        f"{own.get('minWorkers', 0)}-{own.get('maxWorkers', 0)}",
        *(own.get(key, 0) for key in ("batchSize", "maxBatchDelay", "jobQueueSize")),
        own.get("clientTimeoutInMills", 0),
        repr(own.get("deviceType", "")),
        own.get("deviceIds", "null"),
        *(str(own.get(key, False)).lower() for key in ("continuousBatching", "sequenceBatching", "useJobTicket")),
    ]  # fmt: skip
    return " ".join(map(str, shown))


def manifest_read_here(data: bytes) -> str:
    try:
        found = parse_manifest(data)
    except ManifestError:
        return "refused"
    texts = (found.model, found.version, found.handler, found.config_file, found.requirements_file)
    return " ".join(["read", found.runtime, *map(shown_value, texts)])


def shown_value(value: Any, depth: int = 0) -> str:
    if isinstance(value, str):
        return "'" + value.encode("utf-16-be", "surrogatepass").hex()
    if isinstance(value, dict) and depth < 9:
        pairs = ((shown_value(k, depth + 1), shown_value(v, depth + 1)) for k, v in value.items())
        return "{" + "".join(f"{key}:{inner}," for key, inner in pairs) + "}"
    if isinstance(value, list) and depth < 9:
        return "[" + "".join(shown_value(item, depth + 1) + "," for item in value) + "]"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return "double"
    return str(value) if is_java_int(value) else "other"


def test_configurations_are_read_as_the_frontend_reads_them(
    classes: list[str], tmp_path: Path
) -> None:
    table = test_model_config
    texts = [
        *(text for text, _ in table.VALUES),
        *table.UNREADABLE,
        *table.JUST_INSIDE,
        *(text for text, _ in table.REFUSED),
    ]
    data = [*(text.encode() for text in texts), *(case.data for case in CONFIGURATIONS)]

    assert [config_read_here(one) for one in data] == asked(classes, tmp_path, "yaml", data)


def test_any_text_is_read_as_the_frontend_reads_it(classes: list[str], tmp_path: Path) -> None:
    chosen = random.Random(7)
    data = ["".join(chosen.choices(PARTS, k=chosen.randint(2, 8))).encode() for _ in range(1500)]

    theirs = asked(classes, tmp_path, "yaml", data)

    # Of two errors in a text, another one may come first.
    same = {"refused": "unreadable"}
    ours = [config_read_here(one) for one in data]
    assert [(one, same.get(mine, mine)) for one, mine in zip(data, ours)] == [
        (one, same.get(other, other)) for one, other in zip(data, theirs)
    ]


def test_manifests_are_read_as_the_frontend_reads_them(classes: list[str], tmp_path: Path) -> None:
    table = test_manifest
    data = [
        *(text for text, _ in table.VALUES),
        *(text for text, _, _ in table.REFUSED),
        *(text.encode() for text, _ in table.LENIENT if "ud83d" not in text),
        *(text.encode() for text in table.REFUSED_BY_GSON),
    ]
    theirs = [
        # The defaults that ModelManager sets later.
        answer.replace("unreadable", "refused") for answer in asked(classes, tmp_path, "manifest", data)
    ]  # fmt: skip
    default = shown_value("1.0")
    ours = [manifest_read_here(one) for one in data]

    for one, mine, other in zip(data, ours, theirs):
        words = other.split(" ")
        if words[0] == "read" and words[3] == "null":
            words[3] = default
        assert (one, mine) == (one, " ".join(words))


def test_parameters_are_those_of_the_frontend(classes: list[str], tmp_path: Path) -> None:
    values = [
        "3",
        "0",
        "-2",
        "'3'",
        "true",
        "1.5",
        "99999999999",
        "[1, 2]",
        "[1, x]",
        "[]",
        "GPU",
        "cpu",
        "~",
    ]
    keys = ["minWorkers", "maxWorkers", "batchSize", "maxBatchDelay", "jobQueueSize", "deviceType", "deviceIds",
            "clientTimeoutInMills", "continuousBatching", "sequenceBatching", "useJobTicket"]  # fmt: skip
    texts = [f"{key}: {value}" for key in keys for value in values]
    texts += [f"minWorkers: {a}\nmaxWorkers: {b}" for a in values[:5] for b in values[:5]]
    texts += [row[0] for row in test_parameter_candidates.IN_FORCE if row[0] is not None]

    theirs = asked(classes, tmp_path, "parameters", [text.encode() for text in texts])

    assert [(text, parameters_read_here(text)) for text in texts] == list(zip(texts, theirs))
