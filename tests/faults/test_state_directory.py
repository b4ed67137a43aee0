"""The state directory goes, is replaced, or cannot be written, while a server runs."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, Dict, List

import pytest

from tests.faults.effort import examples
from ts_retry_ext.frontend.process import MAIN_CLASS

ROOT = Path(__file__).parents[2]
Story = List[Dict[str, Any]]
#: What happens, and what becomes of the workers in between. A model that nobody remembers is loaded once more.
STORIES = {
    "removed": ("worker worker remove worker worker", "loaded held loaded held"),
    "a file in its place": ("worker file worker worker", "loaded loaded held"),
    "a link to elsewhere in its place": ("worker link worker worker", "loaded loaded held"),
    "a link in the place of the run": ("worker link-run worker worker", "loaded loaded held"),
    "no room for another line while it holds": (
        "worker limit=1 worker limit worker",
        "loaded held held",
    ),
    "a file in the place of the model": ("worker file-for-model worker", "loaded inactive"),
}
#: The same with a small disk of its own, which only root can mount.
MOUNTED = {
    "read-only": ("mount worker read-only worker worker", "loaded loaded held"),
    "full from the start": ("mount fill worker worker free worker worker", "loaded held loaded held"),
    "full while it holds": ("mount worker fill worker free worker", "loaded held held"),
    "too small for a marker": ("mount=20480 fill=8192 worker free worker worker", "inactive loaded held"),
}  # fmt: skip


def run_stories(
    folder: Path, stories: dict[str, tuple[str, str]], *before: str
) -> dict[str, Story]:
    """Return what became of the workers of each story."""
    (folder / "tmp").mkdir()
    steps = " reset ".join(story for story, _ in stories.values()).split()
    command = [*before, sys.executable, "-m", "tests.faults.spoiling", str(folder), MAIN_CLASS]
    done = subprocess.run(
        [*command, *steps],
        cwd=ROOT,
        env={**os.environ, "TEMP": str(folder / "tmp")},
        capture_output=True,
        text=True,
        check=False,
    )
    if before and ("unshare:" in done.stderr or "mount:" in done.stderr):
        pytest.skip(f"nothing can be mounted here: {done.stderr.splitlines()[0]}")
    assert done.returncode == 0, done.stderr[-2000:]
    told = iter([json.loads(line) for line in done.stdout.splitlines()])
    return {name: [next(told) for _ in want.split()] for name, (_, want) in stories.items()}


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    return run_stories(tmp_path_factory.mktemp("spoilt"), STORIES)


@pytest.fixture(scope="module")
def found_mounted(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Story]:
    if sys.platform != "linux":
        pytest.skip("mount namespaces are Linux'")
    return run_stories(tmp_path_factory.mktemp("mounted"), MOUNTED, "unshare", "--mount")


@pytest.mark.parametrize("name", STORIES)
def test_a_model_is_loaded_once_more_and_then_held_again(
    found: dict[str, Story], name: str
) -> None:
    assert [worker["story"] for worker in found[name]] == STORIES[name][1].split()


def test_what_was_put_in_its_place_is_left_alone(found: dict[str, Story]) -> None:
    """The next place for state is taken instead: a private directory in the server's temporary one."""
    last = found["a file in its place"][-1]
    assert last["fallback"]["rule"] == "module-missing"
    last = found["a link in the place of the run"][-1]
    assert last["fallback"]["rule"] == "module-missing"


@pytest.mark.parametrize("name", MOUNTED)
def test_a_model_is_halted_however_little_can_be_written(
    found_mounted: dict[str, Story], name: str
) -> None:
    workers = found_mounted[name]
    assert [worker["story"] for worker in workers] == MOUNTED[name][1].split()
    assert all(worker.get("torn", 0) == 0 for worker in workers)


def test_a_line_or_a_marker_that_does_not_fit_is_not_there_at_all(tmp_path: Path) -> None:
    """The limit for files stands in for a disk that is full at that very byte."""
    limits = range(100, 6000, examples(400, 20))
    planned = {str(n): (f"limit={n} worker limit worker worker", "* * *") for n in limits}
    for limit, workers in run_stories(tmp_path, planned).items():
        first, second, third = workers
        assert all(worker.get("torn", 0) == 0 for worker in workers), limit
        assert first["story"] in ("loaded", "inactive")
        assert second["story"] == ("held" if first.get("rule") else "loaded"), limit
        assert third["story"] == "held", limit
