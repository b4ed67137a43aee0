"""Measure what the package costs a sound model: worker start to READY, and predictions.

    python -m bench.healthy [--starts N] [--predictions N]

Two servers with the same model run side by side, one in an environment without the ``.pth`` file.
They take turns: a worker is started and ended on one, then on the other, in alternating order, so
that whatever else the machine does meets both. A start is timed by the frontend's own log, from the
worker's command line to the state WORKER_MODEL_LOADED, and by the processor time that the worker has
used then, which other load on the machine disturbs less. Prints a table, and the numbers as JSON on
the last line. Run it on a quiet machine.
"""

from __future__ import annotations

import compileall
import random
import re
import statistics
import tempfile
import time
from datetime import datetime
from pathlib import Path
from typing import Callable, Mapping, Sequence

import psutil

from bench.report import Table, now, parser, publish
from tests.e2e.archives import SOUND, pack
from tests.e2e.environments import Environment
from tests.e2e.torchserve import TorchServe
from ts_retry_ext import __file__ as package

RESAMPLES = 2000
Sample = Mapping[str, float]
_TITLES = {
    "start_to_ready": "worker start to `READY`",
    "start_processor": "processor time of that start",
    "prediction": "a prediction",
}
#: What the frontend (0.12.0) logs when it starts a worker's process, and when the model is loaded.
_STARTED = re.compile(r"^(\S+) .* - Worker cmdline: ", re.MULTILINE)
_LOADED = re.compile(r"^(\S+) .* State change WORKER_STARTED -> WORKER_MODEL_LOADED", re.MULTILINE)


def measure(starts: int, predictions: int) -> dict[str, dict[str, float]]:
    """Return medians in milliseconds, their ratio with and without, and 95 % intervals of it."""
    # As pip leaves an installed package; one installed editable has no bytecode before its first run.
    compileall.compile_dir(str(Path(package).parent), quiet=1)
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pack(root / "store", "sound", SOUND)
        bare = Environment(root / "venv", without=("ts_retry_ext.pth",)).python
        with _server(root / "without", bare, root) as without, _server(
            root / "with", Environment(root / "same", without=()).python, root
        ) as with_package:
            servers = (without, with_package)
            return {
                **_compare(servers, _start, starts),
                **_compare(servers, _predict, predictions),
            }


def _server(root: Path, python: str, packed: Path) -> TorchServe:
    archive = str(packed / "store" / "sound.mar")
    (root / "store").mkdir(parents=True)
    (root / "store" / "sound.mar").symlink_to(archive)
    # The frontend's collection of metrics starts a Python of its own, once a minute.
    quiet = {"disable_system_metrics": "true"}
    return TorchServe(root, {"sound": "sound.mar"}, python=python, config=quiet)


def _compare(
    servers: tuple[TorchServe, TorchServe], once: Callable[[TorchServe], Sample], runs: int
) -> dict[str, dict[str, float]]:
    for server in servers:
        server.wait_for(lambda server=server: server.is_ready("sound"), "it serves")  # type: ignore[misc]
        once(server)  # warm up
    samples: tuple[list[Sample], list[Sample]] = ([], [])
    for run in range(runs):
        for which in (0, 1) if run % 2 else (1, 0):
            samples[which].append(once(servers[which]))
    return {
        name: _row([s[name] for s in samples[0]], [s[name] for s in samples[1]])
        for name in samples[0][0]
    }


def _row(without: Sequence[float], with_package: Sequence[float]) -> dict[str, float]:
    low, high = _interval(without, with_package)
    medians = statistics.median(without), statistics.median(with_package)
    return {
        "runs": len(without),
        "without_ms": medians[0],
        "with_ms": medians[1],
        "ratio": medians[1] / medians[0],
        "ratio_low": low,
        "ratio_high": high,
    }


def _start(server: TorchServe) -> Sample:
    """Return the milliseconds and the processor milliseconds that a worker took until READY."""
    scale = "/models/sound?min_worker={0}&max_worker={0}&synchronous=true"
    ended = server.workers()
    assert server.call(scale.format(0), "PUT")[0] == 200
    psutil.wait_procs(ended, timeout=20)
    before = len(server.log())
    assert server.call(scale.format(1), "PUT")[0] == 200
    server.wait_for(lambda: server.is_ready("sound"), "it serves")
    (worker,) = server.workers()
    used = worker.cpu_times()
    lines = server.log()[before:]
    started, loaded = (
        datetime.fromisoformat(found[-1].replace(",", "."))
        for found in (_STARTED.findall(lines), _LOADED.findall(lines))
    )
    return {
        "start_to_ready": (loaded - started).total_seconds() * 1e3,
        "start_processor": (used.user + used.system) * 1e3,
    }


def _predict(server: TorchServe) -> Sample:
    begin = time.perf_counter()
    code, _ = server.predict("sound")
    assert code == 200
    return {"prediction": (time.perf_counter() - begin) * 1e3}


def _interval(without: Sequence[float], with_package: Sequence[float]) -> tuple[float, float]:
    """Return the 95 % bootstrap interval of the ratio of medians; runs are drawn as pairs."""
    chance = random.Random(1)
    pairs = list(zip(without, with_package))
    ratios = []
    for _ in range(RESAMPLES):
        drawn = chance.choices(pairs, k=len(pairs))
        ratios.append(
            statistics.median(b for _, b in drawn) / statistics.median(a for a, _ in drawn)
        )
    ratios.sort()
    return ratios[int(RESAMPLES * 0.025)], ratios[int(RESAMPLES * 0.975)]


def table(found: Mapping[str, Mapping[str, float]]) -> Table:
    """Return the medians, their ratios, and how sure these are."""
    rows = [
        [
            _TITLES[name],
            f"{row['runs']:,}",
            f"{row['without_ms']:.1f} ms",
            f"{row['with_ms']:.1f} ms",
            f"{row['ratio']:.3f}",
            f"{row['ratio_low']:.3f} to {row['ratio_high']:.3f}",
        ]
        for name, row in found.items()
    ]
    return Table(["", "pairs", "without", "with", "ratio of medians", "95 % interval"], rows)


def main() -> None:
    """Measure and print."""
    options = parser(__doc__)
    options.add_argument("--starts", type=int, default=100, help="pairs of worker starts")
    options.add_argument("--predictions", type=int, default=2000, help="pairs of predictions")
    arguments = options.parse_args()
    begun_at = now()
    found = measure(arguments.starts, arguments.predictions)
    publish("healthy", found, table(found), begun_at)


if __name__ == "__main__":
    main()
