"""Measure what many models that wait cost a server, and how soon they are back.

    python -m bench.waiting_fleet [--common N] [--different N] [--watch SECONDS] [--at-once N]

Some models wait for one dependency, others each for something of its own; nobody knows their failures.
Once all of them wait, they are watched for a while. Then the common dependency is there again. When all
its models serve they are unregistered and registered again, at once, which says how long as many
loads take on this machine. Prints a table, and the numbers as JSON on the last line. A loaded worker
takes `bench.fleet.WORKER_MB`.
"""

from __future__ import annotations

import socket
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from statistics import median
from typing import Any, Mapping, Sequence

import psutil

from bench.contender import interpreters, server_of, usage
from bench.fleet import memory_problem
from bench.report import Table, now, parser, publish
from bench.trials_seen import Spending, Trial, longest_pauses, most_at_once, trials_of
from tests.e2e.archives import pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.snapshot.registration_files import read_registration
from ts_retry_ext.store import journal
from ts_retry_ext.store.directory import model_directories, server_runs
from ts_retry_ext.store.marker import read_marker
from ts_retry_ext.store.trial_budget import CAPACITY_SEC, REFILL_PER_SEC

HALF_AN_HOUR_SEC = 1800.0
LOOK_SEC = 1.0
#: How long to wait for one batch of models, and for the common ones to serve again.
PATIENCE_SEC = 900.0
#: What is measured begins when all models wait, so they wait after their first failure.
_CONFIG = {"retry_max_identical_failures": "1"}
_HANDLER = """
import os, socket

class Handler:
    def initialize(self, context):
        kind, _, own = context.model_name.partition("_")
        with open(os.path.join(os.environ["TEMP"], kind + ".port")) as given:
            port = int(given.read())
        if socket.socket().connect_ex(("127.0.0.1", port)) != 0:
            what = "everybody" if kind == "common" else own
            raise RuntimeError("the price list of " + what + " is not the one of today")

    def handle(self, data, context):
        return ["sound"] * len(data)
"""


class Fleet:
    """A running server with models that wait.

    Args:
        server: it.
        common: names of the models that wait for one dependency.
        different: names of those that wait for something of their own.
        at_once: how many are registered at the same time.
    """

    def __init__(
        self, server: TorchServe, common: Sequence[str], different: Sequence[str], at_once: int
    ) -> None:
        self.server = server
        self.common = common
        self.different = different
        self.frontend = server.frontend()
        self.peak_mb = self.peak_load = 0.0
        self._at_once = at_once
        self._doors: dict[str, socket.socket] = {}
        for kind in ("common", "different"):
            door = socket.socket()
            door.bind(("127.0.0.1", 0))  # Not listened at, so that the kernel refuses.
            (server.temp / f"{kind}.port").write_text(str(door.getsockname()[1]))
            self._doors[kind] = door

    def let_all_wait(self) -> float:
        """Register the models in batches, until all of them wait; return how long that took."""
        begun = time.monotonic()
        names = [*self.common, *self.different]
        for first in range(0, len(names), self._at_once):
            batch = names[first : first + self._at_once]
            self._register(batch)
            until = time.monotonic() + PATIENCE_SEC
            while not set(batch) <= set(self._directories(marked=True)):
                assert time.monotonic() < until, f"they do not wait: {batch}"
                self._look()
        return time.monotonic() - begun

    def watch(self, seconds: float) -> dict[str, Any]:
        """Watch the trials for so long, and return their figures."""
        (run,) = server_runs(str(self.server.state_dir))
        spending = Spending(run)
        spending.look()
        spending.spent_sec = 0.0
        begun_at = time.time()
        while time.time() < begun_at + seconds:
            self._look()
            spending.look()
        ended_at = time.time()
        trials = {
            name: [t for t in own if begun_at <= t.begun_at <= ended_at]
            for name, own in self._trials().items()
        }
        pauses = longest_pauses({n: trials[n] for n in self.different}, begun_at, ended_at)
        counts = [len(trials[name]) for name in self.different]
        took = [t.ended_at - t.begun_at for own in trials.values() for t in own]
        return {
            "watched_sec": ended_at - begun_at,
            "trials_common": sum(len(trials[name]) for name in self.common),
            "trials_different": sum(counts),
            "spent_sec": spending.spent_sec,
            "fewest": min(counts, default=0),
            "most": max(counts, default=0),
            "longest_pause_sec": max(pauses, default=0.0),
            "trial_median_sec": median(took) if took else None,
            "trial_longest_sec": max(took, default=None),
        }

    def end_outage(self) -> list[float]:
        """Let the common dependency be there; return when each of its models serves, in seconds."""
        self._doors["common"].listen(512)
        return self._until_ready(time.time())

    def load_again(self) -> list[float]:
        """Unregister the common models and register them at once; return when each of them serves."""
        for name in self.common:
            self.server.call(f"/models/{name}", "DELETE")
        begun_at = time.time()
        self._register(self.common)
        return self._until_ready(begun_at)

    def most_at_once(self) -> int:
        """Return how many trial loads ran at the same time since the server's start, at the most."""
        return most_at_once(trial for own in self._trials().values() for trial in own)

    def fingerprints(self) -> int:
        """Return how many different failures the models that still wait have."""
        markers = [read_marker(d) for d in self._directories(marked=True).values()]
        return len({marker.fingerprint for marker in markers if marker is not None})

    def _register(self, names: Sequence[str]) -> None:
        def register(name: str) -> None:
            query = f"url=waiting.mar&model_name={name}&initial_workers=1&synchronous=false"
            code, answer = self.server.call(f"/models?{query}", "POST")
            assert code == 202, answer

        with ThreadPoolExecutor(8) as pool:
            list(pool.map(register, names))

    def _until_ready(self, begun_at: float) -> list[float]:
        ready: dict[str, float] = {}
        while len(ready) < len(self.common) and time.time() < begun_at + PATIENCE_SEC:
            self._look()
            for name in self.common:
                if name not in ready and self.server.is_ready(name):
                    ready[name] = time.time() - begun_at
        return sorted(ready.values())

    def _look(self) -> None:
        time.sleep(LOOK_SEC)
        self.peak_mb = max(self.peak_mb, usage(self.frontend).workers_mb)
        self.peak_load = max(self.peak_load, psutil.getloadavg()[0])

    def _directories(self, *, marked: bool = False) -> dict[str, str]:
        found = {}
        for run in server_runs(str(self.server.state_dir)):
            for path in model_directories(run):
                registration = read_registration(path)
                if registration.model and (not marked or registration.marker is not None):
                    found[registration.model] = path
        return found

    def _trials(self) -> dict[str, list[Trial]]:
        return {
            name: trials_of(name, journal.read(path)) for name, path in self._directories().items()
        }


def measure(common: int, different: int, watch_sec: float, at_once: int) -> dict[str, Any]:
    """Return the figures."""
    names = [f"common_{_letters(number)}" for number in range(common)]
    others = [f"different_{_letters(number)}" for number in range(different)]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        server = server_of(root, interpreters(root / "envs").with_package, _CONFIG)
        pack(server.store, "waiting", _HANDLER)
        with server:
            fleet = Fleet(server, names, others, at_once)
            until_all_wait_sec = fleet.let_all_wait()
            failures = fleet.fingerprints()
            watched = fleet.watch(watch_sec)
            back = fleet.end_outage()
            together = fleet.most_at_once()
            again = fleet.load_again()
    return {
        "common": common,
        "different": different,
        "failures": failures,
        "until_all_wait_sec": until_all_wait_sec,
        **watched,
        "most_at_once": together,
        "back_sec": back,
        "again_sec": again,
        "peak_mb": fleet.peak_mb,
        "peak_load": fleet.peak_load,
        "ended_at": now(),
    }


def _letters(number: int) -> str:
    """Return a word of its own for a number: digits are no part of a failure's fingerprint."""
    return "".join(chr(ord("a") + digit) for digit in (number // 26 % 26, number % 26))


def table(found: Mapping[str, Any]) -> Table:
    """Return the figures."""
    share = found["spent_sec"] / found["watched_sec"]
    bounds = [
        f"{100 * (CAPACITY_SEC + REFILL_PER_SEC * seconds) / seconds:.1f} %"
        for seconds in (found["watched_sec"], HALF_AN_HOUR_SEC)
    ]
    common, back, again = found["common"], found["back_sec"], found["again_sec"]
    rows = [
        ["failures that are told apart", str(found["failures"])],
        ["trial loads, common and different", f"{found['trials_common']} and {found['trials_different']}"],
        ["trial loads at the same time, most", str(found["most_at_once"])],
        ["processor time of the trials", f"{found['spent_sec']:.0f} s"],
        ["the same, of one core", f"{100 * share:.1f} %"],
        ["the most that the budget lets them have, in this time and in half an hour", ", ".join(bounds)],
        ["trial loads of a model that waits for its own, fewest and most", f"{found['fewest']} and {found['most']}"],
        ["longest time without one", f"{found['longest_pause_sec']:.0f} s"],
        ["the dependency is back: the first model serves after", _at(back[:1], 1)],
        [f"all {common} serve after", _at(back, common)],
        [f"{common} loads at once, by registering them, take", _at(again, common)],
        ["memory of the server's workers, highest", f"{found['peak_mb']:,.0f} MB"],
        ["machine's 1-minute load, highest", f"{found['peak_load']:.1f}"],
    ]  # fmt: skip
    title = f"{common} models wait for one thing, {found['different']} for others"
    return Table([title, f"over {found['watched_sec']:.0f} s"], rows)


def _at(times: Sequence[float], wanted: int) -> str:
    if len(times) < wanted:
        return f"{len(times)} of {wanted} within {PATIENCE_SEC:.0f} s"
    return f"{times[-1]:.0f} s"


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--common", type=int, default=50, help="models that wait for one thing")
    options.add_argument("--different", type=int, default=50, help="models that wait for others")
    options.add_argument("--watch", type=int, default=600, metavar="SECONDS", help="how long")
    options.add_argument("--at-once", type=int, default=6, help="models registered at a time")
    arguments = options.parse_args()
    begun_at = now()
    problem = memory_problem(arguments.common, psutil.virtual_memory().available / 1e6)
    if problem:
        sys.exit(problem.replace("--models", "--common"))
    found = measure(arguments.common, arguments.different, arguments.watch, arguments.at_once)
    publish("waiting_fleet", found, table(found), begun_at)


if __name__ == "__main__":
    main()
