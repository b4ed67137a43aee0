"""The ``.pth`` line itself, run in this interpreter the way ``site`` runs it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest

from tests.packaging.distributions import PROJECT

HOOK = PROJECT / "ts_retry_ext.pth"


def hook_line() -> str:
    (line,) = (line for line in HOOK.read_text("ascii").splitlines() if not line.startswith("#"))
    return line


@pytest.fixture
def activations(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the script names that the start-up function is called for."""
    calls: list[str] = []
    startup = ModuleType("ts_retry_ext.worker.startup")
    startup.activate = lambda: calls.append(sys.argv[0])  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ts_retry_ext.worker.startup", startup)
    return calls


@pytest.mark.parametrize(
    "script",
    [
        "model_service_worker.py",
        "./model_service_worker.py",
        "ts/model_service_worker.py",
        "../ts/model_service_worker.py",
        "/usr/lib/python3/site-packages/ts/model_service_worker.py",
        "/päth with späces/model_service_worker.py",
        "/usr/lib/python3/site-packages/ts/utils/setup_model_venv.py",
    ],
)
def test_the_worker_script_activates_the_package(
    script: str, activations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", [script, "--sock-type", "unix"])
    exec(hook_line(), {})
    assert activations == [script]


@pytest.mark.parametrize(
    "argv",
    [
        [],
        [""],
        ["-c"],
        ["-m"],
        ["-", "model_service_worker.py"],
        ["-c", "/ts/model_service_worker.py"],
        ["train.py"],
        ["model_service_worker"],
        ["model_service_worker.pyc"],
        ["my_model_service_worker.py"],
        ["model_service_worker.py/main.py"],
        ["/opt/model_service_worker.py/"],
        ["/usr/bin/torchrun", "ts/model_service_worker.py"],
        None,
        [None],
        [b"model_service_worker.py"],
    ],
    ids=repr,
)
def test_nothing_else_does(
    argv: Any, activations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    exec(hook_line(), {})
    assert activations == []


def test_an_interpreter_without_arguments_is_left_alone(
    activations: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that embed Python may have no sys.argv at all."""
    monkeypatch.delattr(sys, "argv")
    exec(hook_line(), {})
    assert activations == []


def test_the_line_imports_nothing_but_sys_before_its_gate() -> None:
    """Python 3.8 reads the file in the locale's encoding, and skips a line that doesn't begin with 'import '."""
    line = hook_line()
    assert line.startswith("import sys; ")
    assert line.index(" and exec(") < line.rindex("import")
    assert line.count("import ") == 2


def test_the_file_sorts_after_the_one_of_an_editable_install() -> None:
    """Site runs them in sorted order; the package must be importable when the line runs."""
    assert HOOK.name > "__editable__.ts_retry_ext-0.1.0.pth"
