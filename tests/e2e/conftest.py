"""What the tests on a real server share: the end of the server's log when they fail."""

from __future__ import annotations

from typing import Generator

import pytest

from tests.e2e.torchserve import TorchServe


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
