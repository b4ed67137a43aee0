"""What the tests on a real server share: one more try, and the end of the server's log when they fail."""

from __future__ import annotations

from pathlib import Path
from typing import Generator

import pytest

from tests.e2e.torchserve import TorchServe


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Give each of these tests one more try, which the summary names.

    A frontend, its workers and other tests' share two cores, and the frontend has races of its own
    (docs/torchserve-defects.md). What fails twice is a fault.
    """
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.flaky(reruns=1))


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for value in getattr(item, "funcargs", {}).values():
            if isinstance(value, TorchServe):
                report.sections.append(("TorchServe", value.tail()))
    return report
