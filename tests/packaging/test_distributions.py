"""What the sdist and the wheel carry."""

from __future__ import annotations

import configparser
import email
import tarfile
import zipfile
from email.message import Message
from pathlib import Path

import pytest

from tests.packaging import distributions
from tests.packaging.distributions import PROJECT
from tests.packaging.release_notes import version_of

HOOK = {"ts_retry_ext.pth", "ts_retry_ext.start", "ts_retry_ext_start.py"}

DATA = {"ts_retry_ext/py.typed", "ts_retry_ext/plugin/ts-retry-plugin.jar"}


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def metadata_of(wheel: Path) -> Message:
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        return email.message_from_bytes(archive.read(name))


@pytest.mark.parametrize(
    "name",
    [
        "ts_retry_ext.pth",
        "ts_retry_ext.start",
        "ts_retry_ext_start.py",
        "build_hook.py",
        "setup.cfg",
        "pyproject.toml",
        "config.properties",
        "constraints.txt",
        "LICENSE",
        "handlers/make_models.py",
        "plugin/build.py",
        "plugin/tsretry/PingEndpoint.java",
        "tests/packaging/test_distributions.py",
    ],
)
def test_the_sdist_has_what_a_build_and_a_test_run_need(sdist: Path, name: str) -> None:
    with tarfile.open(sdist) as archive:
        assert name in {member.name.partition("/")[2] for member in archive}


def test_a_wheel_of_the_checkout_is_the_wheel_of_the_sdist(wheel: Path, tmp_path: Path) -> None:
    project = distributions.copy_project(tmp_path / "src")
    assert names_in(distributions.build_wheel(project, tmp_path / "dist")) == names_in(wheel)


def test_the_wheel_has_the_hook_at_its_root_and_every_module(wheel: Path) -> None:
    modules = {str(path.relative_to(PROJECT)) for path in (PROJECT / "ts_retry_ext").rglob("*.py")}
    assert names_in(wheel) >= modules | HOOK | DATA


def test_a_wheel_for_python_3_15_to_3_17_has_no_start_file(sdist: Path, tmp_path: Path) -> None:
    """There the .pth line serves better: docs/decisions.md. Installers prefer this wheel to the one for all."""
    project = distributions.unpack_sdist(sdist, tmp_path / "src")
    tag = "py315.py316.py317"
    distributions.build_wheel(project, tmp_path / "before")
    wheel = distributions.build_wheel(project, tmp_path / "dist", f"--python-tag={tag}")
    assert wheel.name.endswith(f"-{tag}-none-any.whl")
    assert names_in(wheel) & HOOK == HOOK - {"ts_retry_ext.start"}


def test_the_wheel_has_no_tests_and_no_build_step(wheel: Path) -> None:
    tops = {name.partition("/")[0] for name in names_in(wheel)}
    assert {top for top in tops if not top.endswith((".dist-info", ".data"))} == {
        "ts_retry_ext",
        *HOOK,
    }


def test_the_wheel_has_every_handler_and_python_parses_every_source(wheel: Path) -> None:
    """Handlers that are broken on purpose are stored as text: compileall must not stumble."""
    installed = "ts_retry_ext/demo_handlers/"
    sources = {
        str(path.relative_to(PROJECT / "handlers"))
        for path in (PROJECT / "handlers").rglob("*")
        if path.is_file() and path.suffix not in {".pyc", ".pt", ".mar"}
    }
    stored = {name[len(installed) :] for name in names_in(wheel) if name.startswith(installed)}
    assert {name[:-4] if name.endswith(".py.txt") else name for name in stored} == sources
    assert any(name.endswith(".py.txt") for name in stored)
    with zipfile.ZipFile(wheel) as archive:
        for name in names_in(wheel):
            if name.endswith(".py"):
                compile(archive.read(name), name, "exec")


def test_the_metadata_says_what_the_package_needs(wheel: Path) -> None:
    metadata = metadata_of(wheel)
    requirements = metadata.get_all("Requires-Dist") or []
    plain = {line.split(">")[0] for line in requirements if "extra ==" not in line}
    assert plain == {"torchserve", "torch-model-archiver", "pyyaml", "psutil", "rich"}
    assert metadata["Version"] == version_of(PROJECT)
    assert metadata["Requires-Python"] == ">=3.8"
    extras = {
        "completion",
        "corpus",
        "demo",
        "dev",
        "docs",
        "fuzz",
        "lint",
        "report",
        "sidecar",
        "test",
    }
    assert set(metadata.get_all("Provides-Extra") or []) == extras


@pytest.mark.parametrize("folder", ["sidecar/templates", "sidecar/static", "analyze/templates"])
def test_the_wheel_has_what_pages_are_made_of(wheel: Path, folder: str) -> None:
    source = PROJECT / "ts_retry_ext" / folder
    expected = {f"ts_retry_ext/{folder}/{path.name}" for path in source.iterdir()}
    assert expected
    assert expected <= set(names_in(wheel))


def test_the_wheel_has_the_man_page(wheel: Path) -> None:
    assert any(name.endswith("/data/share/man/man1/ts-retry.1") for name in names_in(wheel))


def test_the_command_is_an_entry_point(wheel: Path) -> None:
    entry_points = configparser.ConfigParser()
    with zipfile.ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith("entry_points.txt"))
        entry_points.read_string(archive.read(name).decode())
    assert dict(entry_points["console_scripts"]) == {"ts-retry": "ts_retry_ext.cli.main:main"}
