"""A sidecar that is killed at the worst of times loses nothing and does nothing twice."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any, Iterator

import pytest

from tests.cli.servers import Frontend, described, frontend
from tests.sidecar.sidecars import Sidecar, sidecar
from tests.snapshot.writing import failure, marker, record, write_journal
from ts_retry_ext.store.marker import remove_marker, write_marker
from ts_retry_ext.store.record import Event
from ts_retry_ext.store.retired import read_retired

HOLDERS = (4_000_001, 4_000_002)


class Scaled:
    """The frontend's numbers for one model whose two workers hold.

    Attributes:
        low: workers that it keeps; high: workers that it may have.
        kill: is killed when the frontend is asked to scale, before or after it has done so.
    """

    def __init__(self, server: Frontend) -> None:
        self.server = server
        self.low, self.high = 2, 4
        self.kill: tuple[Sidecar, str] | None = None
        server.api.answers.update(
            {
                "GET /models": {"models": [{"modelName": "m"}]},
                "GET /models/m/all": lambda _: [self._described()],
                "PUT /models/m/1.0": lambda _: self._scale(),
                "GET /ping": {"status": "Healthy"},
            }
        )

    @property
    def scalings(self) -> list[str]:
        """Return what the frontend was asked to do."""
        puts = (asked for asked in self.server.api.asked if asked.startswith("PUT"))
        return [asked.partition("synchronous=false&")[2] for asked in puts]

    def _described(self) -> dict[str, Any]:
        entries = [{"id": str(pid), "status": "UNLOADING", "pid": pid} for pid in HOLDERS]
        workers = entries[: self.low]
        return described(minWorkers=self.low, maxWorkers=self.high, workers=workers)

    def _scale(self) -> dict[str, str]:
        kill, when = self.kill or (None, "")
        self.kill = None
        if kill is not None and when == "before":
            kill.process.send_signal(signal.SIGKILL)
            kill.process.wait(60)
            return {"status": "lost"}
        query = self.scalings[-1]
        self.low, self.high = (int(part.partition("=")[2]) for part in query.split("&"))
        if kill is not None:
            kill.process.send_signal(signal.SIGKILL)
            kill.process.wait(60)
        return {"status": "Processing worker updates..."}


@pytest.fixture
def scaled(tmp_path: Path) -> Iterator[Scaled]:
    with frontend(tmp_path / "run") as server:
        holds = (record(Event.HOLD, 1, pid, f"/tmp/.ts.sock.{pid}") for pid in HOLDERS)
        write_journal(server.kept / "m", failure(0), *holds)
        yield Scaled(server)


@pytest.mark.parametrize("when", ["before", "after"])
def test_killed_while_it_retires_and_while_it_gives_back(
    scaled: Scaled, tmp_path: Path, when: str
) -> None:
    server = scaled.server
    folder = str(server.kept / "m")
    options = ("--pid", str(server.pid), "--inference", server.api.address)

    with sidecar(tmp_path, *options) as first:
        first.wait_for(lambda: "m" in first.states(), "it is known")
        scaled.kill = (first, when)
        write_marker(folder, marker(action="retire"))
        _wait_until_killed(first)
    kept = read_retired(folder)
    assert kept is not None
    assert (kept.min_workers, kept.max_workers) == (2, 4)

    with sidecar(tmp_path, *options) as second:
        second.wait_for(lambda: second.states() == {"m": "retired"}, "it is retired")
        assert read_retired(folder) == kept or when == "before"
        scaled.kill = (second, when)
        remove_marker(folder)
        _wait_until_killed(second)

    with sidecar(tmp_path, *options) as third:
        third.wait_for(lambda: (scaled.low, scaled.high) == (2, 4), "the numbers are back", 60)
        if when == "before":
            third.wait_for(lambda: read_retired(folder) is None, "nothing is left to do")
    down, up = "min_worker=0&max_worker=0", "min_worker=2&max_worker=4"
    times = 2 if when == "before" else 1
    assert scaled.scalings == [down] * times + [up] * times


def _wait_until_killed(observing: Sidecar) -> None:
    assert observing.process.wait(60) == -signal.SIGKILL
