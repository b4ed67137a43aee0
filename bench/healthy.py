"""Measure what the package costs a sound model: worker start to READY, and predictions.

    python -m bench.healthy [--starts N] [--predictions N]

Two servers with the same model run side by side, one in an environment without the ``.pth`` file.
They take turns: a worker is started and ended on one, then on the other, in alternating order, so
that whatever else the machine does meets both. Prints a table, and the numbers as JSON on the last
line. Run it on a quiet machine.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import tempfile
import time
from pathlib import Path
from typing import Callable, Sequence

from tests.e2e.archives import SOUND, pack
from tests.e2e.environments import Environment
from tests.e2e.torchserve import TorchServe

RESAMPLES = 2000


def measure(starts: int, predictions: int) -> dict[str, object]:
    """Return medians in milliseconds, their ratio with and without, and 95 % intervals of it."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        pack(root / "store", "sound", SOUND)
        bare = Environment(root / "venv", without=("ts_retry_ext.pth",)).python
        with _server(root / "without", bare, root) as without, _server(
            root / "with", Environment(root / "same", without=()).python, root
        ) as with_package:
            servers = (without, with_package)
            return {
                "start_to_ready": _compare(servers, _start, starts),
                "prediction": _compare(servers, _predict, predictions),
            }


def _server(root: Path, python: str, packed: Path) -> TorchServe:
    archive = str(packed / "store" / "sound.mar")
    (root / "store").mkdir(parents=True)
    (root / "store" / "sound.mar").symlink_to(archive)
    return TorchServe(root, {"sound": "sound.mar"}, python=python)


def _compare(
    servers: tuple[TorchServe, TorchServe], once: Callable[[TorchServe], float], runs: int
) -> dict[str, object]:
    for server in servers:
        server.wait_for(lambda server=server: server.is_ready("sound"), "it serves")  # type: ignore[misc]
        once(server)  # warm up
    times: tuple[list[float], list[float]] = ([], [])
    for run in range(runs):
        for which in (0, 1) if run % 2 else (1, 0):
            times[which].append(once(servers[which]))
    without, with_package = (statistics.median(each) for each in times)
    low, high = _interval(*times)
    return {
        "runs": runs,
        "without_ms": without,
        "with_ms": with_package,
        "ratio": with_package / without,
        "ratio_low": low,
        "ratio_high": high,
    }


def _start(server: TorchServe) -> float:
    """Return milliseconds from asking for a worker to its READY."""
    scale = "/models/sound?min_worker={0}&max_worker={0}&synchronous=true"
    assert server.call(scale.format(0), "PUT")[0] == 200
    begin = time.perf_counter()
    assert server.call(scale.format(1), "PUT")[0] == 200
    took = (time.perf_counter() - begin) * 1e3
    server.wait_for(lambda: server.is_ready("sound"), "it serves")
    return took


def _predict(server: TorchServe) -> float:
    begin = time.perf_counter()
    code, _ = server.predict("sound")
    assert code == 200
    return (time.perf_counter() - begin) * 1e3


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


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=str(__doc__).split("\n", 1)[0])
    parser.add_argument("--starts", type=int, default=30, help="pairs of worker starts")
    parser.add_argument("--predictions", type=int, default=2000, help="pairs of predictions")
    arguments = parser.parse_args()
    found = measure(arguments.starts, arguments.predictions)
    print(f"{'':16} {'pairs':>6} {'without':>11} {'with':>11} {'ratio':>7}  95 % interval")
    for name, row in found.items():
        assert isinstance(row, dict)
        print(
            f"{name:16} {row['runs']:6} {row['without_ms']:8.2f} ms {row['with_ms']:8.2f} ms"
            f" {row['ratio']:7.4f}  {row['ratio_low']:.4f} to {row['ratio_high']:.4f}"
        )
    print(json.dumps(found))


if __name__ == "__main__":
    main()
