from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import Callable

import pytest

from ts_retry_ext.sidecar.state_files import FileEvents
from ts_retry_ext.store.directory import LOCK_FILE

#: What happens in a registration's directory, in this order, and whether it is told.
HAPPENS: dict[str, tuple[Callable[[Path], object], bool]] = {
    "listed and read": (lambda folder: (os.listdir(folder), (folder / "old").read_text()), False),
    "locked": (lambda folder: (folder / LOCK_FILE).touch(), False),
    "written": (lambda folder: (folder / "old").write_text("b"), True),
    "created": (lambda folder: (folder / "new").touch(), True),
    "renamed": (lambda folder: (folder / "new").rename(folder / "newer"), True),
    "removed": (lambda folder: (folder / "newer").unlink(), True),
    "made": (lambda folder: (folder / "made").mkdir(), True),
}
MARK = "mark"


@pytest.mark.parametrize("what", HAPPENS)
def test_what_changes_a_file_is_told_and_what_reads_it_is_not(tmp_path: Path, what: str) -> None:
    asyncio.run(_happens(tmp_path, what))


async def _happens(folder: Path, what: str) -> None:
    model = folder / "digits-0a0b0c0d"
    model.mkdir()
    (model / "old").write_text("a")
    names = list(HAPPENS)
    for earlier in names[names.index("created") : names.index(what)]:
        HAPPENS[earlier][0](model)
    told: asyncio.Queue[None] = asyncio.Queue()
    events = FileEvents(asyncio.get_running_loop(), lambda: told.put_nowait(None))
    events.watch([str(folder)])
    try:
        act, is_told = HAPPENS[what]
        act(model)
        if not is_told:
            # Events come in order: with that of a later change alone, there was none before.
            os.mkdir(folder / MARK)
        await asyncio.wait_for(told.get(), 60)
        if not is_told:
            await asyncio.sleep(0)
            assert told.empty()
    finally:
        events.stop()
