from __future__ import annotations

from typing import Any

import pytest

from ts_retry_ext.doctor.diagnosis import FINE, WRONG
from ts_retry_ext.doctor.interpreter_checks import check_hook, check_interpreter
from ts_retry_ext.frontend.programs import DISTRIBUTIONS, MODULES, Interpreter


def interpreter(**changes: Any) -> Interpreter:
    """Return what a sound interpreter tells, with changes."""
    content: dict[str, Any] = {
        "executable": "/v/bin/python",
        "python": "3.11.7",
        "hooks": ("/v/site-packages/ts_retry_ext.pth",),
        "hook_ran": True,
        "versions": dict.fromkeys(DISTRIBUTIONS, "0.12.0"),
        "modules": dict.fromkeys(MODULES, True),
        "said": "",
        **changes,
    }
    return Interpreter(**content)


@pytest.mark.parametrize(
    ("changes", "found", "remedy"),
    [
        ({"hook_ran": False, "hooks": ()}, "its ts_retry_ext.pth is not", "--force-reinstall"),
        ({"hook_ran": False}, "/v/site-packages/ts_retry_ext.pth lies in a folder", "--force-re"),
        ({"hook_ran": False, "said": "x\nhook failed: OSError"}, "hook failed: OSError", "--force"),
        (
            {"hook_ran": False, "modules": {**dict.fromkeys(MODULES, True), "ts_retry_ext": False}},
            "ts-retry-ext is not installed",
            "/v/bin/python -m pip install WHEEL: the wheel of ts-retry-ext",
        ),
    ],
)
def test_hook_that_does_not_run_is_wrong_and_the_remedy_fits(
    changes: dict[str, Any], found: str, remedy: str
) -> None:
    check = check_hook(interpreter(**changes))

    assert check.outcome == WRONG
    assert found in check.found
    assert check.remedy is not None
    assert remedy in check.remedy


def test_hook_that_runs_is_fine() -> None:
    check = check_hook(interpreter())

    assert (check.outcome, check.remedy) == (FINE, None)
    assert check.found == "active: ts-retry-ext 0.12.0, /v/site-packages/ts_retry_ext.pth"


@pytest.mark.parametrize(
    ("module", "name", "remedy"),
    [
        ("ts", "torchserve", "/v/bin/python -m pip install torchserve"),
        ("torch", "torch", "/v/bin/python -m pip install torch"),
        ("yaml", "pyyaml", "/v/bin/python -m pip install pyyaml"),
    ],
)
def test_missing_package_is_wrong_and_the_remedy_installs_it(
    module: str, name: str, remedy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    modules = {**dict.fromkeys(MODULES, True), module: False}
    found = interpreter(modules=modules)
    monkeypatch.setattr("ts_retry_ext.doctor.interpreter_checks.probe", lambda *_: found)

    told = {check.name: check for check in check_interpreter("python", {})}

    assert told[name].outcome == WRONG
    assert told[name].remedy == remedy
    assert [check.name for check in told.values() if check.outcome != FINE] == [name]


def test_torchserve_without_a_window_is_wrong(monkeypatch: pytest.MonkeyPatch) -> None:
    old = interpreter(versions={**dict.fromkeys(DISTRIBUTIONS, "1.0"), "torchserve": "0.7.1"})
    monkeypatch.setattr("ts_retry_ext.doctor.interpreter_checks.probe", lambda *_: old)

    told = {check.name: check for check in check_interpreter("python", {})}

    assert told["torchserve"].outcome == WRONG
