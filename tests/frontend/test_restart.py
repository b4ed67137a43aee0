"""Restart the workers of a model that a server on loopback keeps, whatever happens half-way."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from tests.faults.odd_answers import cut, page
from tests.frontend.api import serving
from ts_retry_ext.frontend import restart as module
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.management import ManagementApi
from ts_retry_ext.frontend.restart import own_numbers, restart_workers
from ts_retry_ext.store.retired import Retired, read_retired

DOWN = "PUT /models/m/1.0?synchronous=true&min_worker=0&max_worker=0"
UP = "PUT /models/m/1.0?synchronous=false&min_worker=2&max_worker=5"
DONE = {"status": "Processing worker updates..."}
REFUSED = (500, {"code": 500, "type": "InternalServerException",
                 "message": "Failed to start workers"})  # fmt: skip


def test_model_is_scaled_to_0_and_back_to_its_numbers() -> None:
    with serving({DOWN: DONE, UP: DONE}) as api:
        restart_workers(ManagementApi(Endpoint(api.address)), "m", "1.0", 2, 5)
    assert api.asked == [DOWN, UP]


def test_numbers_are_kept_on_disk_until_the_model_has_them_back(tmp_path: Path) -> None:
    kept: list[Retired | None] = []

    def look(_: str | None) -> Any:
        kept.append(read_retired(str(tmp_path)))
        return DONE

    with serving({DOWN: look, UP: look}) as api:
        management = ManagementApi(Endpoint(api.address))
        restart_workers(management, "m", "1.0", 2, 5, directory=str(tmp_path))

    assert [(found.min_workers, found.max_workers) for found in kept if found] == [(2, 5), (2, 5)]
    assert read_retired(str(tmp_path)) is None


def test_numbers_stay_on_disk_where_the_model_cannot_be_scaled_up(tmp_path: Path) -> None:
    with serving({DOWN: DONE, UP: REFUSED}) as api, pytest.raises(
        ManagementError, match="Failed to start"
    ):
        management = ManagementApi(Endpoint(api.address))
        restart_workers(management, "m", "1.0", 2, 5, directory=str(tmp_path))

    kept = read_retired(str(tmp_path))
    assert kept is not None
    assert (kept.min_workers, kept.max_workers, api.asked) == (2, 5, [DOWN, UP])


def test_model_that_cannot_be_scaled_down_is_given_its_numbers_all_the_same(
    tmp_path: Path,
) -> None:
    """The frontend sets them before it ends the workers, and refuses where one does not end."""
    called: list[None] = []
    with serving({DOWN: REFUSED, UP: DONE}) as api, pytest.raises(
        ManagementError, match="Failed to start"
    ):
        restart_workers(
            ManagementApi(Endpoint(api.address)),
            "m",
            "1.0",
            2,
            5,
            directory=str(tmp_path),
            between=lambda: called.append(None),
        )

    assert (api.asked, called) == ([DOWN, UP], [])
    assert read_retired(str(tmp_path)) is None


def test_model_is_scaled_up_by_a_frontend_that_does_not_answer_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "GIVE_BACK_PAUSES_SEC", (0.01, 0.01))
    monkeypatch.setattr(module, "SCALE_TIMEOUT_SEC", 0.3)
    late = [1.0, 0.0]

    def answer(_: str | None) -> Any:
        time.sleep(late.pop(0))
        return DONE

    with serving({DOWN: DONE, UP: answer}) as api:
        management = ManagementApi(Endpoint(api.address))
        restart_workers(management, "m", "1.0", 2, 5, directory=str(tmp_path))

    assert api.asked == [DOWN, UP, UP]
    assert read_retired(str(tmp_path)) is None


@pytest.mark.parametrize(
    "odd", [page(502), page(404), cut(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{"), {}]
)
def test_model_is_scaled_up_though_a_proxy_answers_for_the_frontend_for_a_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, odd: Any
) -> None:
    monkeypatch.setattr(module, "GIVE_BACK_PAUSES_SEC", (0.01, 0.01))
    answers = [odd, odd, DONE]
    with serving({DOWN: DONE, UP: lambda _: answers.pop(0)}) as api:
        management = ManagementApi(Endpoint(api.address))
        restart_workers(management, "m", "1.0", 2, 5, directory=str(tmp_path))
    assert api.asked == [DOWN, UP, UP, UP]
    assert read_retired(str(tmp_path)) is None


def test_model_gets_its_workers_back_where_its_marker_cannot_be_removed(tmp_path: Path) -> None:
    def refuse() -> None:
        raise PermissionError(13, "Permission denied")

    with serving({DOWN: DONE, UP: DONE}) as api, pytest.raises(PermissionError):
        management = ManagementApi(Endpoint(api.address))
        restart_workers(management, "m", "1.0", 2, 5, directory=str(tmp_path), between=refuse)
    assert api.asked == [DOWN, UP]


def test_nothing_is_scaled_where_the_numbers_cannot_be_written_down(tmp_path: Path) -> None:
    with serving({DOWN: DONE, UP: DONE}) as api, pytest.raises(OSError):
        management = ManagementApi(Endpoint(api.address))
        restart_workers(management, "m", "1.0", 2, 5, directory=str(tmp_path / "gone" / "m"))
    assert api.asked == []


@pytest.mark.parametrize(
    ("low", "high", "retired", "expected"),
    [
        (2, 5, None, (2, 5)),
        (2, 1, None, (2, 2)),
        (2, 5, Retired(3, 4, ""), (2, 5)),
        (0, 5, Retired(3, 4, ""), (3, 4)),
        (0, 5, None, (1, 5)),
        (0, 0, None, (1, 1)),
    ],
)
def test_numbers_are_those_in_force_else_the_remembered_ones_else_one(
    low: int, high: int, retired: Retired | None, expected: tuple[int, int]
) -> None:
    assert own_numbers(low, high, retired) == expected


def test_program_that_restarts_workers_needs_the_standard_library_only() -> None:
    code = (
        "import sys, ts_retry_ext.frontend.management, ts_retry_ext.frontend.restart\n"
        "import ts_retry_ext.store.marker\n"
        "heavy = ('psutil', 'aiohttp', 'rich', 'yaml', 'dataclasses', 'asyncio')\n"
        "print([name for name in heavy if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
