"""Loads that end without an exception: hangs, and kills by the kernel for lack of memory."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Iterator

import pytest

from tests.e2e.archives import SOUND, initialize, pack
from tests.e2e.torchserve import TorchServe

HANGS = initialize("""
    import threading
    def waits_for_ever():
        threading.Event().wait()
    waits_for_ever()
""")
GREEDY = initialize("""
    kept = []
    while True:
        kept.append(bytearray(64 << 20))
""")
MEMORY_LIMIT = 1500 << 20


def test_a_load_that_hangs_is_held_after_three_and_its_stack_is_the_cause(tmp_path: Path) -> None:
    pack(tmp_path / "store", "hangs", HANGS, config="startupTimeout: 10\n")
    with TorchServe(tmp_path, {"hangs": "hangs.mar"}) as server:
        server.wait_for(lambda: server.is_held("hangs"), "hangs is held", timeout=150)
        marker = server.marker_of("hangs")
        assert marker is not None
        assert (marker.basis, marker.phase) == ("crashed", "process")
        assert marker.failures >= 3  # trial loads that fail count, too
        assert "hang" in marker.exception.message
        assert "waits_for_ever" in marker.exception.traceback
        assert any(f.function == "waits_for_ever" for f in marker.exception.frames)
        assert server.events("hangs").count("load") == 3


def test_a_slow_load_within_its_time_out_is_not_taken_for_a_hang(tmp_path: Path) -> None:
    slow = initialize("import time; time.sleep(9.5)")
    pack(tmp_path / "store", "slow", slow, config="startupTimeout: 10\n")
    with TorchServe(tmp_path, {"slow": "slow.mar"}) as server:
        server.wait_for(lambda: server.is_ready("slow"), "slow serves")
        assert server.events("slow") == ["start", "load", "loaded"]
        directory = server.directory_of("slow")
        assert directory is not None
        assert not list(Path(directory).glob("stack-*"))


@pytest.fixture
def memory_group() -> Iterator[Path]:
    """A control group with little memory; only root on a host with such groups can make one."""
    own = Path("/proc/self/cgroup").read_text().splitlines()
    paths = {line.split(":")[1]: line.split(":")[2].lstrip("/") for line in own}
    if "memory" in paths:
        group = Path("/sys/fs/cgroup/memory", paths["memory"], f"ts-retry-{os.getpid()}")
        limit = "memory.limit_in_bytes"
    else:
        group = Path("/sys/fs/cgroup", paths.get("", ""), f"ts-retry-{os.getpid()}")
        limit = "memory.max"
    try:
        group.mkdir()
        (group / limit).write_text(str(MEMORY_LIMIT))
    except OSError as error:
        pytest.skip(f"no control group can be made here: {error}")
    yield group
    group.rmdir()


def test_a_kill_by_the_kernel_for_lack_of_memory_is_named(
    tmp_path: Path, memory_group: Path
) -> None:
    pack(tmp_path / "store", "greedy", GREEDY)
    pack(tmp_path / "store", "sound", SOUND)
    with TorchServe(tmp_path) as server:
        for process in server.processes():
            (memory_group / "cgroup.procs").write_text(str(process.pid))
        path = "/models?url=greedy.mar&initial_workers=1&synchronous=false"
        assert server.call(path, "POST")[0] == 202
        server.wait_for(lambda: server.is_held("greedy"), "greedy is held", timeout=120)
        marker = server.marker_of("greedy")
        assert marker is not None
        assert marker.basis == "crashed"
        assert marker.failures >= 3
        assert "OOM killer" in marker.exception.message
