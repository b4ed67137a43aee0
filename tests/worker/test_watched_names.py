from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path
from typing import Callable

import pytest

from tests.worker.watching import Halted, waits_for
from ts_retry_ext.store.record import Event
from ts_retry_ext.worker.watched_names import module_paths, paths_to_watch

Step = Callable[[Path], object]


def nothing(root: Path) -> None:
    pass


def made(path: Path, content: str = "x") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)


def away_and_back(root: Path) -> None:
    (root / "data/w.bin").unlink()
    made(root / "data/w.bin", "good")


def linked_to_nothing(root: Path) -> None:
    (root / "data").symlink_to(root / "nowhere")


def link_elsewhere(root: Path) -> None:
    (root / "data").unlink()
    (root / "data").symlink_to(root / "no")


CURES: list[tuple[str, Step, Step, str]] = [
    ("file appears", nothing, lambda r: made(r / "w.bin"), "{}/w.bin appeared"),
    ("file appears in a missing directory", nothing, lambda r: made(r / "data/w.bin"), "{}/data/w.bin appeared"),
    ("missing directory is made", nothing, lambda r: (r / "data").mkdir(), "{}/data appeared"),
    ("file replaced", lambda r: made(r / "data/w.bin", "bad"), lambda r: made(r / "data/w.bin", "good"), "{}/data/w.bin was changed"),
    ("file removed", lambda r: made(r / "data/w.bin"), lambda r: (r / "data/w.bin").unlink(), "{}/data/w.bin vanished"),
    ("vanishes and comes back", lambda r: made(r / "data/w.bin"), away_and_back, "{}/data/w.bin was changed"),
    ("broken link's target made", linked_to_nothing, lambda r: (r / "nowhere").mkdir(), "{}/data appeared"),
    ("link pointed elsewhere, still broken", linked_to_nothing,
     link_elsewhere, "{}/data points elsewhere"),
    ("directory gets what it lacks", lambda r: made(r / "data/config.json"), lambda r: made(r / "data/model.bin"), "{}/data was changed"),
    ("directory emptied", lambda r: made(r / "data/config.json"), lambda r: (r / "data/config.json").unlink(), "{}/data was changed"),
    ("rights of a directory", lambda r: made(r / "data/x"), lambda r: (r / "data").chmod(0o711), "{}/data has other rights"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "cure", "said"), [c[1:] for c in CURES], ids=[c[0] for c in CURES]
)
def test_a_path_that_the_failure_names_is_watched(
    tmp_path: Path, before: Step, cure: Step, said: str
) -> None:
    mount = tmp_path / "mnt"
    mount.mkdir()
    before(mount)
    halted = Halted(tmp_path)
    paths = tuple(str(mount / name) for name in ("w.bin", "data", "data/w.bin"))
    halted.fail(paths=paths)
    watch = halted.watch()
    assert watch.change() is None
    cure(mount)
    seen = watch.within()
    assert seen is not None
    assert said.format(mount) in seen.partition(" (")[0] or seen.startswith(f"{mount}/data")
    assert watch.within(1.5) is None


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_path_that_becomes_readable_is_reported(tmp_path: Path) -> None:
    secret = tmp_path / "token"
    made(secret)
    secret.chmod(0)
    halted = Halted(tmp_path)
    halted.fail(paths=(str(secret),))
    watch = halted.watch()
    watch.change()
    secret.chmod(0o600)
    assert watch.within() == f"{secret} became readable"


def test_what_appears_behind_a_missing_directory_is_noticed_step_by_step(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.fail(paths=(str(tmp_path / "a/b/w.bin"),))
    watch = halted.watch()
    watch.change()
    (tmp_path / "a").mkdir()
    assert watch.within() == f"{tmp_path}/a appeared"
    (tmp_path / "a/b").mkdir()
    assert watch.within() == f"{tmp_path}/a/b appeared"
    shutil.rmtree(tmp_path / "a")
    assert watch.within(1.5) is None
    made(tmp_path / "a/b/w.bin")
    assert watch.within() == f"{tmp_path}/a/b/w.bin appeared"


def test_a_missing_module_is_expected_in_the_model_and_on_the_python_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "libs"
    folder.mkdir()
    monkeypatch.setattr(sys, "path", [*sys.path, str(folder)])
    halted = Halted(tmp_path)
    halted.fail(modules=("acme", "tools.scaling"))
    watch = halted.watch()
    watch.change()
    halted.write("acme.py")
    assert watch.within() == "acme.py appeared"
    made(folder / "tools/scaling.py")
    seen = watch.within()
    assert seen is not None
    assert seen.startswith(f"{folder}/tools appeared")
    assert watch.within(1.5) is None


def test_a_missing_module_is_expected_in_zips_and_where_the_handler_went(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "data").mkdir()
    monkeypatch.chdir(tmp_path / "data")
    monkeypatch.setattr(sys, "path", ["", *sys.path, str(tmp_path / "code.zip")])
    halted = Halted(tmp_path)
    halted.fail(modules=("acme",))
    watch = halted.watch()
    watch.change()
    made(tmp_path / "data/acme.py")
    assert watch.within() == f"{tmp_path}/data/acme.py appeared"
    made(tmp_path / "code.zip")
    assert watch.within() == f"{tmp_path}/code.zip appeared"


def test_a_missing_command_is_expected_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"/usr/bin:{tmp_path}/bin")
    halted = Halted(tmp_path)
    halted.fail(paths=("acme-late-tool",))
    watch = halted.watch()
    watch.change()
    made(tmp_path / "bin/acme-late-tool")
    assert watch.within() == f"{tmp_path}/bin/acme-late-tool appeared"


def test_the_manifests_files_are_watched_though_they_are_missing(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.manifest(handler="serving", configFile="model-config.yaml")
    halted.fail()
    watch = halted.watch()
    watch.change()
    halted.write("serving.py")
    assert watch.within() == "serving.py appeared"


def test_a_name_that_a_load_makes_and_removes_is_no_change(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    lock = tmp_path / "cache.lock"
    halted.fail(paths=(str(lock),))
    watch = halted.watch()
    watch.change()
    for reported in (True, False, False):
        halted.record(Event.LOAD)
        made(lock)
        halted.record(Event.FAILURE)
        assert (watch.within(1.5) is not None) is reported
        halted.record(Event.LOAD)
        lock.unlink()
        halted.record(Event.FAILURE)
        assert watch.within(1.5) is None or reported


def test_what_another_failure_names_is_watched_as_well(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.fail(paths=(str(tmp_path / "a"),))
    watch = halted.watch()
    watch.follow(waits_for([str(tmp_path / "a")]))
    before = (halted.store / "watched.json").stat()
    watch.follow(waits_for())
    assert (halted.store / "watched.json").stat() == before, "nothing new, nothing written"
    watch.follow(waits_for([str(tmp_path / "b")], ["acme"]))
    assert watch.change() is None
    made(tmp_path / "b")
    assert watch.within() == f"{tmp_path}/b appeared"
    halted.write("acme.py")
    assert watch.within() == "acme.py appeared"
    made(tmp_path / "a")
    assert watch.within() == f"{tmp_path}/a appeared"


def test_what_is_of_no_use_is_not_watched(tmp_path: Path) -> None:
    named = [
        "/",
        "",
        "a\0b",
        "/proc/self/mem",
        "/sys/x",
        "w.bin",
        "/srv/../w",
        "w.bin",
    ]
    assert paths_to_watch("/model", named) == ["/model/w.bin", "/w"]


def test_files_of_a_module_are_looked_for_under_every_name_that_python_knows() -> None:
    found = module_paths(["a.b", "", "x/y"], ["/p"])
    assert {"/p/a", "/p/a.py", "/p/a/__init__.py", "/p/a/b.py", "/p/a/b/__init__.py"} <= set(found)
    assert any(path.endswith(".so") for path in found)
    assert not any(path.startswith("/p/x") for path in found)
