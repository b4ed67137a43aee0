"""Facts that stand in a text: error numbers, status codes, missing modules."""

from __future__ import annotations

import pytest

from ts_retry_ext.judge.facts import errno_names, http_statuses, missing_module_in_text
from ts_retry_ext.judge.frames import is_in_app, is_ours, module_of
from ts_retry_ext.judge.lineage import inferred_mro, same_type


@pytest.mark.parametrize(
    ("number", "text", "expected"),
    [
        (111, "", {"ECONNREFUSED"}),
        (None, "[Errno 104] x", {"ECONNRESET"}),
        (None, "io error (os error 116)", {"ESTALE"}),
        (None, "errno: 98 - x", {"EADDRINUSE"}),
        (None, "write: Broken pipe", {"EPIPE"}),
        (None, "the target machine actively refused it", {"ECONNREFUSED"}),
        (None, "[WinError 3] The system cannot find the path specified: 'C:\\x'", {"ENOENT"}),
        (99999, "fine", set()),
        (-2, "Name or service not known", set()),
    ],
)
def test_error_numbers(number: int | None, text: str, expected: set[str]) -> None:
    assert errno_names(number, text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("404 Client Error: Not Found for url", {404}),
        ("HTTP Error 503: Service Unavailable", {503}),
        ("status code: 429", {429}),
        ("An error occurred (403) when calling", {403}),
        ("server returned 502", {502}),
        ("too many 500 error responses", {500}),
        ("HTTP/1.1 504 x", {504}),
        ("status_code=401", {401}),
        ("layer 404 has 503 units", set()),
        ("500 - Unknown exception", set()),
    ],
)
def test_status_codes(text: str, expected: set[int]) -> None:
    assert http_statuses(None, text) == expected
    assert http_statuses(418, text) == expected | {418}


def test_missing_modules() -> None:
    assert missing_module_in_text("No module named 'a.b'") == "a.b"
    assert missing_module_in_text("No module named a.b") == "a.b"
    assert missing_module_in_text("nothing") is None


@pytest.mark.parametrize(
    ("file", "module", "in_app"),
    [
        ("/v/lib/python3.9/site-packages/torch/nn/__init__.py", "torch.nn", False),
        ("/usr/lib/python3.10/json/decoder.py", "json.decoder", False),
        ("C:\\py\\Lib\\site-packages\\ts\\model_loader.py", "ts.model_loader", False),
        ("/tmp/models/0123456789abcdef0123456789abcdef/net/a.py", "net.a", True),
        ("/opt/app/handler.py", "handler", True),
        ("<frozen importlib._bootstrap>", "importlib._bootstrap", False),
        ("<string>", "string", False),
    ],
)
def test_modules_of_files(file: str, module: str, in_app: bool) -> None:
    assert (module_of(file), is_in_app(file)) == (module, in_app)


def test_the_models_directory_makes_code_its_own() -> None:
    assert module_of("/srv/m/pkg/x.py", "/srv/m") == "pkg.x"
    assert is_in_app("/srv/lib/python3.9/site-packages/x.py", "/srv/lib")
    assert is_ours("ts_retry_ext.worker.guard")
    assert not is_ours("ts_retry_extra")


def test_types_are_compared_by_package_and_name() -> None:
    assert same_type("a.b.E", "a.c.E")
    assert same_type("E", "a.E")
    assert not same_type("a.E", "b.E")
    assert inferred_mro("ConnectionResetError")[:3] == (
        "ConnectionResetError",
        "ConnectionError",
        "OSError",
    )
    assert inferred_mro("some.Odd") == ("some.Odd", "Exception", "BaseException")
