"""A failed test on a server that others share shows the end of that server's log."""

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
