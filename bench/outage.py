"""One outage on a pair of servers: a dependency that refuses connections for so long, then takes them.

The dependency is a port that is bound and not listened at, so that the kernel refuses; at the end of
the outage it is listened at. An outage begins with a server's own first refused connection, so that
both servers have the same outage, however long they took to start a worker.
"""

from __future__ import annotations

import socket
import time
from pathlib import Path
from typing import Any, Mapping, NamedTuple, Sequence

import psutil

from bench.contender import is_final, usage
from tests.e2e.archives import pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.logs.frontend_log import read_log
from ts_retry_ext.worker.own_program import WAITER

LOOK_SEC = 0.5
_FINAL_LOOKS = 4
_HANDLER = """
import os, socket, time

class Handler:
    def initialize(self, context):
        name = os.path.join(os.environ["TEMP"], context.model_name)
        with open(name + ".port") as given:
            port = int(given.read())
        with open(name + ".loads", "a") as loads:
            loads.write(f"{{time.time()}}\\n")
        {connect}

    def handle(self, data, context):
        return ["sound"] * len(data)
"""
_CONNECT = 'socket.create_connection(("127.0.0.1", port), 5).close()'
#: The same failure, told so that no rule knows it; an exception in hand would give it away.
_UNTOLD = """if socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            raise RuntimeError("the price list is not the one of today")"""


class Kind(NamedTuple):
    """What is measured.

    Attributes:
        outage_sec: how long connections are refused.
        is_known: whether the failure's text is one that a rule knows (``ConnectionRefusedError``).
        workers: workers of the model.
        window_sec: ``maxRetryTimeoutInSec``.
    """

    outage_sec: int
    is_known: bool
    workers: int
    window_sec: int

    @property
    def model(self) -> str:
        """Return a name that tells one from another."""
        told = "known" if self.is_known else "unknown"
        return f"{told}_{self.outage_sec}s_{self.workers}w_{self.window_sec}s"


class Seen(NamedTuple):
    """What became of a model; times in seconds since its first refused connection.

    Attributes:
        outage_sec: how long connections were refused.
        serves_at_sec: when the last of its workers served, or None.
        gave_up: whether the frontend had given it up when watching ended.
        watched_sec: how long it was watched.
        loads_at_sec: when its loads tried to connect.
        cpu_sec: processor time of workers, trial loads and those who wait with the model.
        peak_mb: their resident memory, highest.
    """

    outage_sec: float
    serves_at_sec: float | None
    gave_up: bool
    watched_sec: float
    loads_at_sec: list[float]
    cpu_sec: float
    peak_mb: float


class Outage:
    """One model on one server, from its registration on.

    Args:
        server: a running server.
        kind: what is measured.
    """

    def __init__(self, server: TorchServe, kind: Kind) -> None:
        self.server = server
        self.kind = kind
        self.frontend = server.frontend()
        self._door = socket.socket()
        self._door.bind(("127.0.0.1", 0))
        (server.temp / f"{kind.model}.port").write_text(str(self._door.getsockname()[1]))
        self._loads = server.temp / f"{kind.model}.loads"
        self._before_sec = usage(self.frontend).workers_cpu_sec
        self._cpu_sec = self._waiters_sec = self._peak_mb = 0.0
        self.ended_at: float | None = None
        self.serves_at: float | None = None
        query = f"initial_workers={kind.workers}&synchronous=false"
        code, answer = server.call(f"/models?url={kind.model}.mar&{query}", "POST")
        assert code == 202, answer

    @property
    def begun_at(self) -> float | None:
        """Return when the first connection was refused, in seconds since the epoch."""
        times = self._load_times()
        return times[0] if times else None

    def look(self) -> None:
        """End the outage when it is time, and see whether the model serves and what it costs."""
        begun_at = self.begun_at
        ends_at = float("inf") if begun_at is None else begun_at + self.kind.outage_sec
        if self.ended_at is None and time.time() >= ends_at:
            self._door.listen(128)
            self.ended_at = time.time()
        if self.serves_at is not None:
            return
        self._measure()
        states = self.server.worker_states(self.kind.model)
        if states == ["READY"] * self.kind.workers:
            self.serves_at = time.time()

    def is_given_up(self) -> bool:
        """Tell whether the frontend has given the model up; of one with several workers, never."""
        # The log is read by model, and one of several workers that is over says nothing of the rest.
        worker = read_log(self.server.log()).get(self.kind.model)
        return self.kind.workers == 1 and self.serves_at is None and is_final(worker)

    def close(self) -> Seen:
        """Unregister the model, and return what was seen."""
        now, begun_at = time.time(), self.begun_at
        assert begun_at is not None
        assert self.ended_at is not None
        until = self.serves_at or now
        seen = Seen(
            outage_sec=self.ended_at - begun_at,
            serves_at_sec=self.serves_at and self.serves_at - begun_at,
            gave_up=self.is_given_up(),
            watched_sec=now - begun_at,
            loads_at_sec=[at - begun_at for at in self._load_times() if at <= until],
            cpu_sec=self._cpu_sec + self._waiters_sec,
            peak_mb=self._peak_mb,
        )
        self.server.call(f"/models/{self.kind.model}", "DELETE")
        self._door.close()
        return seen

    def _load_times(self) -> list[float]:
        try:
            return sorted(float(line) for line in self._loads.read_text().splitlines())
        except FileNotFoundError:
            return []

    def _measure(self) -> None:
        used = usage(self.frontend)
        self._cpu_sec = used.workers_cpu_sec - self._before_sec
        resident_mb = used.workers_mb
        # Scanning all processes costs something, and nobody else waits inside the window.
        late = self.kind.window_sec < self.kind.outage_sec
        for waiter in _waiters(self.frontend.pid) if late else ():
            try:
                self._waiters_sec = max(self._waiters_sec, sum(waiter.cpu_times()[:4]))
                family = [waiter, *waiter.children(recursive=True)]
                resident_mb += sum(each.memory_info().rss for each in family) / 1e6
            except psutil.Error:  # noqa: PERF203 - it ended just now
                pass
        self._peak_mb = max(self._peak_mb, resident_mb)


def pack_model(store: Path, kind: Kind) -> str:
    """Pack the model of `kind` into `store`, and return its file name."""
    handler = _HANDLER.format(connect=_CONNECT if kind.is_known else _UNTOLD)
    return pack(store, kind.model, handler, config=f"maxRetryTimeoutInSec: {kind.window_sec}")


def follow(pair: Sequence[Outage], longest_sec: float) -> None:
    """Watch until all serve that will; those with the package always do.

    Args:
        pair: the outage on TorchServe alone, and with the package.
        longest_sec: how long to watch at the most after the end of the last outage.
    """
    alone, with_package = pair
    final_looks = 0  # A stop is followed by the announcement of the retry: one look is not enough.
    while True:
        begun = time.monotonic()
        for each in pair:
            each.look()
        ended = [each.ended_at for each in pair]
        if None not in ended:
            is_final_now = alone.serves_at is not None or alone.is_given_up()
            final_looks = final_looks + 1 if is_final_now else 0
            late = time.time() - max(at for at in ended if at is not None) > longest_sec
            if (with_package.serves_at is not None and final_looks > _FINAL_LOOKS) or late:
                return
        time.sleep(max(0.0, LOOK_SEC - (time.monotonic() - begun)))


def as_json(seen: Seen) -> dict[str, Any]:
    """Return what was seen with rounded figures."""
    content = seen._asdict()
    content["loads_at_sec"] = [round(at, 2) for at in seen.loads_at_sec]
    return {k: round(v, 2) if isinstance(v, float) else v for k, v in content.items()}


def serves_after(seen: Mapping[str, Any]) -> str:
    """Return how long after the outage a model serves, in words; what may happen yet is not called never."""
    at = seen["serves_at_sec"]
    if at is not None:
        return f"{at - seen['outage_sec']:.0f} s"
    if seen.get("gave_up", True):
        return "never"
    return f"not within {seen['watched_sec'] - seen['outage_sec']:.0f} s"


def _waiters(frontend: int) -> list[psutil.Process]:
    """Return the processes that wait with models that `frontend` has given up; they are nobody's children."""
    found = []
    for process in psutil.process_iter():
        try:
            command = process.cmdline()
            if str(frontend) in command and any(WAITER in part for part in command):
                found.append(process)
        except psutil.Error:  # noqa: PERF203 - it ended just now
            pass
    return found
