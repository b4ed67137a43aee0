"""The ``.pth`` line and the ``.start`` file, run in this interpreter the way ``site`` runs them."""

from __future__ import annotations

import pkgutil
import re
import sys
from types import ModuleType
from typing import Any, Callable

import pytest

from tests.packaging.distributions import PROJECT

HOOK = PROJECT / "ts_retry_ext.pth"
START = PROJECT / "ts_retry_ext.start"


def hook_line() -> str:
    (line,) = (line for line in HOOK.read_text("ascii").splitlines() if not line.startswith("#"))
    return line


def entry_point() -> str:
    """Return the line of the ``.start`` file, read as PEP 829 has it: stripped, without comments and empty lines."""
    lines = (line.strip() for line in START.read_bytes().decode("utf-8-sig").splitlines())
    (line,) = (line for line in lines if line and not line.startswith("#"))
    return line


def run_line() -> None:
    """Do what ``site`` of Python 3.8 to 3.17 does."""
    exec(hook_line(), {})


def call_entry_point() -> None:
    """Do what ``site`` of Python 3.15 and later does."""
    pkgutil.resolve_name(entry_point())()


@pytest.fixture(
    params=[
        run_line,
        pytest.param(
            call_entry_point,
            marks=pytest.mark.skipif(sys.version_info < (3, 9), reason="pkgutil.resolve_name"),
        ),
    ],
    ids=["pth", "start"],
)
def run_hook(request: pytest.FixtureRequest) -> Callable[[], None]:
    hook: Callable[[], None] = request.param
    return hook


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
    script: str,
    activations: list[str],
    run_hook: Callable[[], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sys, "argv", [script, "--sock-type", "unix"])
    run_hook()
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
    argv: Any, activations: list[str], run_hook: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", argv)
    run_hook()
    assert activations == []


def test_an_interpreter_without_arguments_is_left_alone(
    activations: list[str], run_hook: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Programs that embed Python may have no sys.argv at all."""
    monkeypatch.delattr(sys, "argv")
    run_hook()
    assert activations == []


def test_the_line_imports_nothing_but_sys_before_its_gate() -> None:
    """Python 3.8 reads the file in the locale's encoding, and skips a line that does not begin with 'import '."""
    line = hook_line()
    assert line.startswith("import sys; ")
    assert line.index(" and exec(") < line.rindex("import")
    assert line.count("import ") == 2


def test_the_file_sorts_after_the_one_of_an_editable_install() -> None:
    """Site runs them in sorted order; the package must be importable when the line runs."""
    assert HOOK.name > "__editable__.ts_retry_ext-0.1.0.pth"


def test_the_start_file_names_the_gate_in_the_strict_form_of_pep_829() -> None:
    """Python 3.15.2 refuses an entry point that is no ``package.module:callable``."""
    assert re.fullmatch(r"(?!\d)\w+(\.(?!\d)\w+)*:(?!\d)\w+(\.(?!\d)\w+)*", entry_point())


def test_the_start_file_replaces_the_line_instead_of_running_beside_it() -> None:
    """Python 3.15 leaves the line of a .pth file alone where a .start file has the same name."""
    assert START.stem == HOOK.stem


def test_line_and_gate_act_for_the_same_scripts() -> None:
    from ts_retry_ext_start import SCRIPTS

    assert f" in {SCRIPTS!r} ".replace("'", '"') in hook_line()


def test_the_gate_imports_nothing_but_sys_elsewhere() -> None:
    lines = (PROJECT / "ts_retry_ext_start.py").read_text().splitlines()
    assert [line for line in lines if line.startswith(("import", "from"))] == ["import sys"]


@pytest.mark.parametrize("error", [SystemExit, KeyboardInterrupt, GeneratorExit, RuntimeError])
def test_the_gate_lets_no_exception_out(
    error: type[BaseException], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Site of Python 3.15.2 catches Exception only: a SystemExit would end the interpreter."""

    def fail() -> None:
        raise error("first line\nsecond line")

    startup = ModuleType("ts_retry_ext.worker.startup")
    startup.activate = fail  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "ts_retry_ext.worker.startup", startup)
    monkeypatch.setattr(sys, "argv", ["model_service_worker.py"])
    monkeypatch.setattr(sys, "_ts_retry_ext_failed", True, raising=False)
    monkeypatch.delattr(sys, "_ts_retry_ext_failed")
    run_line()
    run_line()
    assert capsys.readouterr().err == (
        "ts-retry: start-up hook failed, TorchServe goes on as without it: "
        f"{error.__name__}: first line second line\n"
    )
    del sys._ts_retry_ext_failed  # type: ignore[attr-defined]
