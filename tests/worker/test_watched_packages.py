from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from tests.worker.watching import TICK, Halted
from ts_retry_ext.worker.watched_packages import package_directories


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a directory of packages that the worker has on its path, with one package."""
    site = tmp_path / "site-packages"
    install(site, "numpy", "1.26.0")
    monkeypatch.setattr(sys, "path", [str(site)])
    return site


def install(site: Path, name: str, version: str) -> None:
    record = site / f"{name}-{version}.dist-info"
    record.mkdir(parents=True, exist_ok=True)
    (record / "RECORD").write_text("")


def remove(site: Path, name: str, version: str) -> None:
    record = site / f"{name}-{version}.dist-info"
    (record / "RECORD").unlink()
    record.rmdir()


def test_a_package_that_is_installed_is_reported(tmp_path: Path, site: Path) -> None:
    halted = Halted(tmp_path)
    halted.fail(modules=("torchtext",))
    watch = halted.watch()
    assert watch.change() is None
    install(site, "torchtext", "0.16.0")
    assert watch.within() == f"package torchtext 0.16.0 was installed in {site}"
    assert watch.within(1.5) is None
    assert halted.watch().within(1.5) is None


def test_another_version_and_an_editable_package_are_reported(tmp_path: Path, site: Path) -> None:
    halted = Halted(tmp_path)
    halted.fail(packages=True)
    watch = halted.watch()
    watch.change()
    remove(site, "numpy", "1.26.0")
    install(site, "numpy", "2.0.0")
    seen = watch.within()
    assert seen is not None
    assert "numpy" in seen
    assert seen.endswith("(and 1 more)")
    (site / "__editable__.acme-1.0.pth").write_text("/srv/acme")
    assert watch.within() == f"package acme-1.0 was installed in {site}"
    time.sleep(TICK)
    remove(site, "numpy", "2.0.0")
    install(site, "numpy", "2.0.0")
    assert watch.within() == f"package numpy 2.0.0 was installed anew in {site}"
    remove(site, "numpy", "2.0.0")
    assert watch.within() == f"package numpy 2.0.0 was removed from {site}"


def test_a_package_whose_installation_ended_while_the_load_ran_is_news(
    tmp_path: Path, site: Path
) -> None:
    halted = Halted(tmp_path)
    began_ns = halted.begin_load()
    time.sleep(TICK)
    install(site, "torchtext", "0.16.0")
    halted.fail(began_ns, modules=("torchtext",))
    assert halted.watch().within() == f"package torchtext 0.16.0 was installed in {site}"


def test_packages_are_not_watched_if_they_cannot_be_the_cause(tmp_path: Path, site: Path) -> None:
    halted = Halted(tmp_path)
    halted.fail()
    watch = halted.watch()
    watch.change()
    install(site, "torchtext", "0.16.0")
    assert watch.within(1.5) is None


def test_a_directory_that_is_made_later_is_watched(tmp_path: Path, site: Path) -> None:
    halted = Halted(tmp_path)
    later = tmp_path / "user-site"
    sys.path.append(str(later))
    halted.fail(modules=("torchtext",))
    watch = halted.watch()
    watch.change()
    install(later, "torchtext", "0.16.0")
    assert watch.within() == f"package torchtext 0.16.0 was installed in {later}"


def test_the_standard_library_and_the_model_are_no_place_for_packages() -> None:
    library = os.path.dirname(os.__file__)
    found = package_directories([library, "/model", "", "/x.zip", "/s", "/s"], "/model")
    assert found[:1] == ["/s"]
    assert not {library, "/model", "", "/x.zip"} & set(found)
