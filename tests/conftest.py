"""What every test starts from."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.server_defaults import SERVER_DEFAULTS, SERVER_PATH

#: What starts servers, or dozens of processes at once.
CROWDED = ("deploy", "e2e", "faults", "sidecar")
#: Characters of a server's log, and of other output, that are shown of a first try that failed.
FIRST_TRY_TAIL = 6_000

# A developer's own settings are no part of what is tested, in this process or in the servers it starts.
for name in [name for name in os.environ if name.startswith("TS_")]:
    del os.environ[name]
for name in ("LOG_LOCATION", "METRICS_LOCATION"):
    os.environ.pop(name, None)

# A server that lives for seconds starts with half of the processor time: 1.95 s instead of 4.1 s on two cores.
SERVER_DEFAULTS["vmargs"] = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"
# So does a worker: 0.14 s instead of 2.3 s. CONTRIBUTING.md tells when torch is imported at the start.
if "TORCH_AT_START" not in os.environ:
    SERVER_PATH.append(str(Path(__file__).parent / "late_torch"))

# A shell that runs the tests in the background has them ignore Ctrl-C, and what they start inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each test of `CROWDED` one more try, which the summary names.

    Frontends, their workers and other tests' share two cores, and the frontend has races of its own
    (docs/torchserve-defects.md). What fails twice is a fault.
    """
    for item in items:
        if item.path.relative_to(Path(__file__).parent).parts[0] in CROWDED:
            item.add_marker(pytest.mark.flaky(reruns=1))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Show why the first try of a test failed: a race that only a crowded machine shows is not seen again soon."""
    for report in terminalreporter.stats.get("rerun", []):
        terminalreporter.write_sep("_", f"first try of {report.nodeid}")
        terminalreporter.write_line(report.longreprtext)
        for title, text in report.sections:
            terminalreporter.write_line(f"--- {title}\n{text[-FIRST_TRY_TAIL:]}")
