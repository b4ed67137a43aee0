"""Run the demo from beginning to end."""

from __future__ import annotations

import shutil
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Mapping

from ts_retry_ext.demo.demo_outcome import DemoOutcome, result_of
from ts_retry_ext.demo.model_progress import ModelProgress, progress_of
from ts_retry_ext.demo.models import MODELS, DemoModel
from ts_retry_ext.demo.packing import HANDLERS, lay_out_handlers, pack, train
from ts_retry_ext.demo.screen import Screen
from ts_retry_ext.demo.torchserve import TorchServe, start
from ts_retry_ext.frontend.server_configuration import Server
from ts_retry_ext.logs.frontend_log import WorkerLog, read_log
from ts_retry_ext.snapshot.observed_server import observed
from ts_retry_ext.snapshot.registration_files import read_registrations
from ts_retry_ext.snapshot.state import State
from ts_retry_ext.snapshot.take import take_snapshot
from ts_retry_ext.trial.interruption import uninterrupted

#: How long models may take; on two cores they take about 25 s.
SETTLE_LIMIT_SEC = 180.0
#: How long TorchServe alone is watched at least; the broken models would go on for minutes.
STOCK_SEC = 30.0
POLL_SEC = 0.25


@dataclass(frozen=True)
class Finished:
    """What the demo came to.

    Attributes:
        results: a row a model.
        watched_sec: how long TorchServe alone was watched, or None where the package was active.
    """

    results: tuple[DemoOutcome, ...]
    seconds: float
    watched_sec: float | None
    pid: int
    root: Path
    torchserve: str | None
    kept: bool

    def to_json(self) -> dict[str, Any]:
        content = dict(vars(self), root=str(self.root), seconds=round(self.seconds, 1))
        content["results"] = [result.to_json() for result in self.results]
        return {("models" if key == "results" else key): content[key] for key in content}


def play(screen: Screen, environ: Mapping[str, str], *, switched_off: bool, keep: bool) -> Finished:
    """Run the demo.

    Args:
        environ: the environment for TorchServe.
        switched_off: whether `environ` switches the package off.
        keep: whether the server is to go on afterwards.

    Raises:
        DemoError: something failed that is not part of the show.
    """
    begun = time.monotonic()
    root = Path(tempfile.mkdtemp(prefix="ts-retry-demo-")).resolve()
    torchserve: TorchServe | None = None
    kept = False
    try:
        environ = {**environ, **_own_temp(root)}
        lay_out_handlers(root)
        screen.step("training two small models: TorchScript and state_dict")
        train(root, environ, screen.tick)
        screen.step(f"packing {len(MODELS)} archives, {_broken()} of them broken")
        for model in MODELS:
            pack(root, model, environ, screen.tick)
        screen.step(f"starting TorchServe in {root}")
        with uninterrupted():
            torchserve = start(root, [model.name for model in MODELS], environ)
        server = torchserve.wait_until_it_answers(screen.tick)
        watching = f"TorchServe runs, process {server.frontend.pid}; watching its models"
        screen.step(f"{watching} for {STOCK_SEC:.0f} s or more" if switched_off else watching)
        watched_sec = _watch(torchserve, server, screen, switched_off=switched_off)
        screen.step("asking for predictions")
        results, version = _results(torchserve, server, switched_off=switched_off)
        kept = keep
        return Finished(
            results=results,
            seconds=time.monotonic() - begun,
            watched_sec=watched_sec if switched_off else None,
            pid=server.frontend.pid,
            root=root,
            torchserve=version,
            kept=kept,
        )
    finally:
        if not kept:
            with uninterrupted():
                screen.step("ending TorchServe and removing its directory")
                if torchserve is not None:
                    torchserve.stop()
                shutil.rmtree(root, ignore_errors=True)


def _watch(torchserve: TorchServe, server: Server, screen: Screen, *, switched_off: bool) -> float:
    """Show what happens until nothing more does, or the time is over; return the seconds."""
    begun = time.monotonic()
    sound = {model.name for model in MODELS if model.serves(switched_off=switched_off)}
    while True:
        torchserve.check()
        seen = list(_progress(server, read_log(torchserve.log())).values())
        screen.show(seen)
        screen.tick()
        elapsed = time.monotonic() - begun
        unsettled = {
            model.model
            for model in seen
            if not model.is_settled or (model.model in sound and model.state is not State.SERVING)
        }
        if switched_off and elapsed >= STOCK_SEC:
            unsettled &= sound
        if not unsettled or elapsed >= SETTLE_LIMIT_SEC:
            return elapsed
        time.sleep(POLL_SEC)


def _progress(server: Server, log: Mapping[str, WorkerLog]) -> dict[str, ModelProgress]:
    registrations = read_registrations(observed(server).run_dirs)
    names = (model.name for model in MODELS)
    return {name: progress_of(name, log.get(name), registrations) for name in names}


def _results(
    torchserve: TorchServe, server: Server, *, switched_off: bool
) -> tuple[tuple[DemoOutcome, ...], str | None]:
    """Return the rows, and TorchServe's version."""
    log = read_log(torchserve.log())
    seen = _progress(server, log)
    snapshot = take_snapshot(observed(server))
    statuses = {status.model: status for status in snapshot.models}
    results = []
    for model in MODELS:
        progress, status = seen[model.name], statuses.get(model.name)
        answer = None
        if progress.state is State.SERVING:
            answer = torchserve.predict(model.name, _body(torchserve.root, model))
        result = result_of(
            model, progress, log.get(model.name), status, answer, switched_off=switched_off
        )
        results.append(result)
    return tuple(results), snapshot.server.torchserve if snapshot.server else None


def _own_temp(root: Path) -> dict[str, str]:
    """Return the variables that keep temporary files of the archiver, the JVM and workers below `root`."""
    temp = root / "tmp"
    temp.mkdir()
    return {name: str(temp) for name in ("TEMP", "TMPDIR", "TMP")}


def _body(root: Path, model: DemoModel) -> bytes:
    return b"x" if model.request is None else (root / HANDLERS / model.request).read_bytes()


def _broken() -> int:
    return sum(model.outcome is not State.SERVING for model in MODELS)
