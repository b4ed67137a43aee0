"""A live exception becomes plain data, whatever it does."""

from __future__ import annotations

import socket
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Callable

import pytest

from ts_retry_ext.judge.capture import failure_from_exception
from ts_retry_ext.judge.failure import CHAIN_LIMIT, FRAME_LIMIT, Failure, Phase
from ts_retry_ext.judge.text import MESSAGE_LIMIT, TRACEBACK_LIMIT


def captured(raiser: Callable[[], object]) -> Failure:
    try:
        raiser()
    except BaseException as exc:
        return failure_from_exception(exc, Phase.INITIALIZE)
    pytest.fail("nothing was raised")


def raising(exc: BaseException, cause: BaseException | None = None) -> Failure:
    def raiser() -> None:
        raise exc from cause

    return captured(raiser)


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_mro_names_every_base_without_object() -> None:
    failure = captured(Path("/no/such/file").open)
    assert failure.type == "FileNotFoundError"
    assert failure.mro == ("FileNotFoundError", "OSError", "Exception", "BaseException")
    assert failure.filename == "/no/such/file"
    assert failure.errno == 2


def test_errno_is_found_inside_reason() -> None:
    failure = captured(lambda: urllib.request.urlopen(f"http://127.0.0.1:{closed_port()}/"))
    assert failure.type == "urllib.error.URLError"
    assert failure.errno == 111


def test_errno_is_found_in_args_and_in_text() -> None:
    assert raising(RuntimeError("load", OSError(28, "No space left on device"))).errno == 28
    assert raising(RuntimeError("io error: No such file (os error 2)")).errno == 2


def test_missing_module_is_named() -> None:
    failure = captured(lambda: __import__("no_such_package_here.inner"))
    assert failure.missing_module == "no_such_package_here"


def test_http_status_is_read_from_the_exception() -> None:
    assert raising(urllib.error.HTTPError("http://x/", 429, "slow", None, None)).http_status == 429  # type: ignore[arg-type]


def test_causes_contexts_and_suppressed_contexts_are_kept() -> None:
    def raiser() -> None:
        try:
            try:
                raise ConnectionResetError(104, "Connection reset by peer")
            except OSError:
                raise KeyError("weights") from None
        except KeyError as exc:
            raise RuntimeError("load failed") from exc

    failure = captured(raiser)
    assert [cause.type for cause in failure.chain] == ["KeyError", "ConnectionResetError"]
    assert "direct cause" in failure.traceback


def test_a_cycle_ends() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert len(raising(one, two).chain) == 1


@pytest.mark.skipif(sys.version_info < (3, 11), reason="exception groups are of Python 3.11")
def test_members_of_a_group_are_part_of_the_chain() -> None:
    group = ExceptionGroup("all failed", [TimeoutError("a"), ImportError("b")])  # noqa: F821
    assert {cause.type for cause in raising(group).chain} == {"TimeoutError", "ImportError"}


def test_notes_are_kept() -> None:
    exc = ValueError("x")
    exc.__notes__ = ["while reading model.safetensors"]
    assert raising(exc).notes == ("while reading model.safetensors",)


def test_a_long_chain_is_bounded() -> None:
    exc: BaseException = ValueError("0")
    for number in range(5000):
        outer = ValueError(str(number))
        outer.__cause__ = exc
        exc = outer
    assert len(raising(exc, exc.__cause__).chain) == CHAIN_LIMIT


def test_a_deep_recursion_is_bounded() -> None:
    def again(depth: int) -> int:
        return again(depth + 1)

    failure = captured(lambda: again(0))
    assert failure.type == "RecursionError"
    assert len(failure.frames) == FRAME_LIMIT


def test_a_huge_message_is_bounded() -> None:
    failure = raising(ValueError("x" * 5_000_000))
    assert len(failure.message) < MESSAGE_LIMIT + 100
    assert len(failure.traceback) < TRACEBACK_LIMIT + 100


def test_control_characters_are_made_visible() -> None:
    assert raising(ValueError("a\x1b[31mred\x00\x07\u202e")).message == "ared\\x00\\x07\\u202e"


def test_a_syntax_error_shows_its_line() -> None:
    assert "x = = 1" in captured(lambda: exec("x = = 1")).message


class StrRaisesError(Exception):
    def __str__(self) -> str:
        raise RuntimeError("no text")


class EverythingRaisesError(Exception):
    def __getattribute__(self, name: str) -> object:
        raise SystemExit(3)

    def __str__(self) -> str:
        raise KeyboardInterrupt


class StrIsNoTextError(Exception):
    def __str__(self) -> str:
        return 42  # type: ignore[return-value]


class LyingAttributesError(Exception):
    response = property(lambda self: 1 / 0)
    errno = "high"
    filename = b"\xff"
    exceptions = 7
    __notes__ = 3  # type: ignore[assignment]


@pytest.mark.parametrize(
    "kind", [StrRaisesError, EverythingRaisesError, StrIsNoTextError, LyingAttributesError]
)
def test_hostile_exceptions_are_survived(kind: type[Exception]) -> None:
    failure = raising(kind("some text"))
    assert failure.type.endswith(kind.__name__)
    assert failure.phase is Phase.INITIALIZE


def test_own_code_is_told_from_libraries() -> None:
    import json

    failure = captured(lambda: json.loads("{"))
    assert failure.frames[0].in_app
    assert failure.frames[-1].module == "json.decoder"
    assert not failure.frames[-1].in_app
