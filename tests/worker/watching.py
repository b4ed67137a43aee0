"""A model in a directory, its place in a store, and a watch whose time goes by quickly."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Any, Sequence

from ts_retry_ext.store import journal
from ts_retry_ext.store.record import Event, Record
from ts_retry_ext.store.trial_schedule import FILES, MODULE, PACKAGES, PATH
from ts_retry_ext.worker.baseline import read_baseline, write_baseline
from ts_retry_ext.worker.take_baseline import Failed, take_baseline
from ts_retry_ext.worker.watched_causes import Watch

#: Longer than the tick of the clock that stamps files.
TICK = 0.05


class Halted:
    """A model whose load has failed.

    Args:
        root: an empty directory.
        state_dir: where the state directory is; beside the model without it.
    """

    def __init__(self, root: Path, state_dir: Path | None = None) -> None:
        self.root = root
        self.model = root / "model"
        self.model.mkdir(exist_ok=True)
        self.state_dir = state_dir or root / "ts_retry"
        self.store = self.state_dir / "server-1-1" / "m-00000000"
        self.first_load_ns = 0

    def write(self, name: str, content: str = "bad") -> Path:
        path = self.model / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content)
        return path

    def manifest(self, **keys: Any) -> None:
        self.write("MAR-INF/MANIFEST.json", json.dumps({"model": {"modelName": "m", **keys}}))

    def begin_load(self) -> int:
        """Return when the load began; what is there was there before."""
        time.sleep(TICK)
        began_ns = time.time_ns()
        self.first_load_ns = self.first_load_ns or began_ns
        return began_ns

    def fail(self, began_ns: int | None = None, **named: Any) -> None:
        """Write the baseline, as the process does whose load failed."""
        began_ns = began_ns or self.begin_load()
        self.store.mkdir(parents=True, exist_ok=True)
        failed = Failed(
            model_dir=os.path.realpath(self.model),
            registration=named.pop("registration", str(self.model)),
            first_load_ns=self.first_load_ns,
            began_ns=began_ns,
            waits_for=waits_for(**named),
            own_directories=(str(self.state_dir),),
        )
        write_baseline(str(self.store), take_baseline(failed, read_baseline(str(self.store))))
        time.sleep(TICK)

    def record(self, event: Event, pid: int = 1 << 22, start: str = "1") -> None:
        """Write to the journal what a process that is gone, or the one named, did."""
        self.store.mkdir(parents=True, exist_ok=True)
        journal.append(str(self.store), Record(event, pid=pid, start=start, socket="/tmp/s"))

    def watch(self) -> HurriedWatch:
        return HurriedWatch(str(self.store))


def waits_for(
    paths: Sequence[str] = (), modules: Sequence[str] = (), *, packages: bool = False
) -> tuple[str, ...]:
    """Return what a marker lists for a failure that names paths and modules."""
    entries = [FILES, *([PACKAGES] if packages or modules else [])]
    return (*entries, *(PATH + path for path in paths), *(MODULE + each for each in modules))


class HurriedWatch(Watch):
    """A watch that looks at each call."""

    def change(self) -> str | None:
        """Return what is news, and take it as known; among the holders of a model one gets it."""
        said = self.seen()
        return said if said is not None and self.absorb() else None

    def seen(self) -> str | None:
        self._due = 0.0
        return super().seen()

    def within(self, seconds: float = 3.0) -> str | None:
        """Return the next change, None if none is seen within some seconds."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            said = self.change()
            if said is not None:
                return said
            time.sleep(0.02)
        return None
