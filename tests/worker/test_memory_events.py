from __future__ import annotations

import pytest

from ts_retry_ext.worker.memory_events import counter_files, oom_kills

V1 = "/sys/fs/cgroup/memory"


@pytest.mark.parametrize(
    ("groups", "expected"),
    [
        ("0::/\n", ["/sys/fs/cgroup/memory.events"]),
        ("0::/system.slice/ts.service\n", ["/sys/fs/cgroup/system.slice/ts.service/memory.events"]),
        (
            "12:cpu,cpuacct:/docker/4f2a\n11:memory:/docker/4f2a\n1:name=systemd:/docker/4f2a\n",
            [f"{V1}/docker/4f2a/memory.oom_control", f"{V1}/memory.oom_control"],
        ),
        ("", []),
        ("nonsense", ["/sys/fs/cgroup/memory.events"]),
    ],
)
def test_the_counter_is_looked_for_in_the_process_own_group(
    groups: str, expected: list[str]
) -> None:
    assert counter_files(groups) == expected


def test_this_host_tells_or_says_that_it_does_not() -> None:
    count = oom_kills()
    assert count is None or count >= 0
