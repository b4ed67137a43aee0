"""A failure's own words say which path, module or address it waits for, and nothing else does."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from ts_retry_ext.judge import Phase, failure_from_exception, failure_from_record
from ts_retry_ext.judge.failure import Failure
from ts_retry_ext.judge.named_causes import NAMES_LIMIT, named_causes
from ts_retry_ext.judge.paths import Host


def failure(kind: str, message: str, **more: Any) -> Failure:
    return failure_from_record({"exc_type": kind, "message": message, **more})


@pytest.mark.parametrize(
    ("kind", "message", "paths"),
    [
        (
            "FileNotFoundError",
            "[Errno 2] No such file or directory: '/mnt/m/w.pt'",
            ("/mnt/m/w.pt",),
        ),
        (
            "PermissionError",
            "[Errno 13] Permission denied: '/run/secrets/tok'",
            ("/run/secrets/tok",),
        ),
        (
            "OSError",
            "[Errno 107] Transport endpoint is not connected: '/mnt/gcs/a'",
            ("/mnt/gcs/a",),
        ),
        (
            "OSError",
            "Error no file named model.safetensors found in directory /mnt/big.",
            ("/mnt/big",),
        ),
        ("RuntimeError", "/data/w.bin is truncated, 12 of 90 bytes", ("/data/w.bin",)),
        (
            "HFValidationError",
            "Repo id must be in the form 'a/b': '/mnt/models/llama'.",
            ("/mnt/models/llama",),
        ),
        # A file that is there and lacks a name, an address, and a path that nothing is said of.
        ("ImportError", "cannot import name 'a' from 'b' (/x/site-packages/b/__init__.py)", ()),
        (
            "OSError",
            "HTTPConnectionPool(host='h', port=8): Max retries exceeded with url: /v1/not found",
            (),
        ),
        ("ValueError", "wrote /tmp/a/report.txt before the shapes were compared", ()),
        ("FileNotFoundError", "[Errno 2] No such file or directory: 'w.pt'", ()),
    ],
)
def test_absolute_paths_are_named_if_the_text_says_that_they_are_at_fault(
    kind: str, message: str, paths: tuple[str, ...]
) -> None:
    assert named_causes(failure(kind, message)).paths == paths


@pytest.mark.parametrize(
    ("kind", "message", "modules"),
    [
        ("ModuleNotFoundError", "No module named 'sentencepiece'", ("sentencepiece",)),
        ("ModuleNotFoundError", "No module named 'a.b.c'", ("a",)),
        (
            "ImportError",
            "cannot import name 'AutoThing' from 'transformers.models' (/x)",
            ("transformers",),
        ),
        (
            "DistributionNotFound",
            "The 'tok<1,>=0.1' distribution was not found and is required by x",
            ("tok",),
        ),
        ("PackageNotFoundError", "No package metadata was found for bits", ("bits",)),
        ("AttributeError", "module 'numpy' has no attribute 'float'", ("numpy",)),
        ("ModuleNotFoundError", "No module named 'ts.torch_handler.mine'", ()),
        ("ValueError", "the module is there", ()),
    ],
)
def test_modules_are_named_by_their_top_level_name(
    kind: str, message: str, modules: tuple[str, ...]
) -> None:
    assert named_causes(failure(kind, message)).modules == modules


@pytest.mark.parametrize(
    ("kind", "message", "addresses"),
    [
        (
            "requests.exceptions.ConnectionError",
            "HTTPSConnectionPool(host='Hub.example', port=443): Max retries exceeded",
            ("hub.example:443",),
        ),
        (
            "OSError",
            "We couldn't connect to 'https://hub.example' to load this file",
            ("hub.example:443",),
        ),
        (
            "redis.exceptions.ConnectionError",
            "Error 111 connecting to cache:6379. Connection refused.",
            ("cache:6379",),
        ),
        (
            "psycopg2.OperationalError",
            'connection to server at "db" (10.0.0.4), port 5432 failed: Connection refused',
            ("db:5432",),
        ),
        (
            "pymysql.err.OperationalError",
            "(2003, \"Can't connect to MySQL server on 'db' (timed out)\")",
            ("db",),
        ),
        (
            "aiohttp.ClientConnectorError",
            "Cannot connect to host vault:8200 ssl:default [Connect call failed ('10.0.0.9', 8200)]",
            ("vault:8200", "10.0.0.9:8200"),
        ),
        (
            "grpc.RpcError",
            "failed to connect to all addresses; last error: UNAVAILABLE: ipv4:10.0.0.1:50051: Failed",
            ("10.0.0.1:50051",),
        ),
        (
            "OSError",
            'could not translate host name "feature-store" to address: Name or service not known',
            ("feature-store",),
        ),
        (
            "requests.exceptions.HTTPError",
            "503 Server Error: Service Unavailable for url: http://u:p@registry:5000/v2",
            ("registry:5000",),
        ),
        (
            "KafkaError",
            "mq-1.prod.internal:9092 timed out, handler.py:12",
            ("mq-1.prod.internal:9092",),
        ),
        # Answers, places in code, and what holds no address.
        ("requests.exceptions.HTTPError", "404 Client Error: Not Found for url: http://h/x", ()),
        ("ValueError", "see https://example.org/help for the allowed values", ()),
        ("ConnectionRefusedError", "[Errno 111] Connection refused", ()),
    ],
)
def test_addresses_are_named_if_the_other_end_is_at_fault(
    kind: str, message: str, addresses: tuple[str, ...]
) -> None:
    assert named_causes(failure(kind, message)).addresses == addresses


def test_inner_causes_are_asked_too() -> None:
    given = failure(
        "OSError",
        "can't load it",
        chain=[{"exc_type": "ConnectionError", "message": "connecting to cache:6379 timed out"}],
    )
    assert named_causes(given).addresses == ("cache:6379",)


def test_a_name_that_holds_a_secret_is_left_out_and_the_number_of_names_is_bounded() -> None:
    secret = "hf_" + "a1B2" * 10
    given = failure("OSError", f"No such file or directory: '/mnt/{secret}/w.pt'")
    assert named_causes(given).paths == ()
    many = " ".join(f"/mnt/part-{number}.bin" for number in range(50))
    assert len(named_causes(failure("OSError", "missing: " + many)).paths) == NAMES_LIMIT


def test_live_exceptions_name_what_they_carry(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as missing:
        (tmp_path / "w.pt").read_bytes()
    found = named_causes(failure_from_exception(missing.value, Phase.INITIALIZE))
    assert found == ((str(tmp_path / "w.pt"),), (), ())
    with pytest.raises(OSError) as refused, socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        socket.create_connection(free.getsockname(), timeout=5)
    assert named_causes(failure_from_exception(refused.value, Phase.INITIALIZE)).paths == ()


def test_a_relative_path_is_named_if_the_code_has_left_the_models_directory() -> None:
    given = failure("FileNotFoundError", "[Errno 2] No such file or directory: 'sub/w.bin'")
    assert named_causes(given, Host(cwd="/srv/data")).paths == ("/srv/data/sub/w.bin",)


def test_a_command_that_is_missing_is_named_by_its_name() -> None:
    with pytest.raises(FileNotFoundError) as missing:
        subprocess.check_call(["acme-late-tool"])
    given = failure_from_exception(missing.value, Phase.INITIALIZE)
    assert named_causes(given).paths == ("acme-late-tool",)


@pytest.mark.parametrize(
    ("source", "use"),
    [
        ("def scale(:\n", "import scaling"),
        ("def scale():\n    return factor\n", "import scaling; scaling.scale()"),
    ],
)
def test_code_of_the_models_own_that_lies_elsewhere_is_named_if_it_fails(
    source: str, use: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shared = tmp_path / "shared" / "scaling.py"
    shared.parent.mkdir()
    shared.write_text(source)
    monkeypatch.syspath_prepend(str(shared.parent))
    monkeypatch.delitem(sys.modules, "scaling", raising=False)
    model_dir = str(tmp_path / "model")
    with pytest.raises((SyntaxError, NameError)) as raised:
        exec(compile(use, f"{model_dir}/handler.py", "exec"), {})
    given = failure_from_exception(raised.value, Phase.INITIALIZE, model_dir=model_dir)
    assert named_causes(given, Host(model_dir=model_dir)).paths == (str(shared),)
    assert named_causes(given).paths == ()
