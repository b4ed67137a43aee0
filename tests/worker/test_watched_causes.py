from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Callable

import pytest

from tests.worker.watching import TICK, Halted, waits_for
from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.store.record import Event

AS_ROOT = os.geteuid() == 0


def nothing(halted: Halted) -> None:
    pass


def with_weights_elsewhere(halted: Halted) -> None:
    for version in ("v1", "v2"):
        folder = halted.root / version
        folder.mkdir()
        (folder / "w.bin").write_text(version)
    (halted.model / "weights").symlink_to(halted.root / "v1")


def with_link_to_a_file(halted: Halted) -> None:
    (halted.root / "w.bin").write_text("bad")
    (halted.model / "w.bin").symlink_to(halted.root / "w.bin")


def with_config_map(halted: Halted) -> None:
    """As Kubernetes mounts a ConfigMap: the files are links into ..data, a link to the present state."""
    (halted.model / "handler.py").unlink()
    first = halted.model / "..2026_01"
    first.mkdir()
    (first / "handler.py").write_text("bad")
    (halted.model / "..data").symlink_to("..2026_01")
    (halted.model / "handler.py").symlink_to("..data/handler.py")


def update_config_map(halted: Halted) -> None:
    second = halted.model / "..2026_02"
    second.mkdir()
    (second / "handler.py").write_text("good")
    (halted.model / "..data_tmp").symlink_to("..2026_02")
    os.replace(halted.model / "..data_tmp", halted.model / "..data")
    shutil.rmtree(halted.model / "..2026_01")


def keep_size_and_time(path: Path, write: Callable[[Path], object]) -> None:
    before = path.stat()
    write(path)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def relink(halted: Halted) -> None:
    (halted.model / "weights").unlink()
    (halted.model / "weights").symlink_to(halted.root / "v2")


def check_out(halted: Halted) -> None:
    """As git does: the file is removed and made again."""
    (halted.model / "handler.py").unlink()
    halted.write("handler.py", "bad")


def replace(halted: Halted) -> None:
    """As rsync and most editors do: a new file takes the name of the old one."""
    halted.write(".handler.py.x7Fq", "good")
    os.replace(halted.model / ".handler.py.x7Fq", halted.model / "handler.py")


def stamped_a_day_ahead(halted: Halted) -> None:
    tomorrow = time.time() + 86_400
    os.utime(halted.model / "handler.py", (tomorrow, tomorrow))


Step = Callable[[Halted], object]

REPAIRS: list[tuple[str, Step, Step, str]] = [
    ("edited", nothing, lambda h: h.write("handler.py", "good!"), "handler.py was changed"),
    ("edited deep below", lambda h: h.write("a/b/c.json"), lambda h: h.write("a/b/c.json", "good"), "a/b/c.json was changed"),
    ("replaced", nothing, replace, "handler.py was changed"),
    ("removed and made again", nothing, check_out, "handler.py was changed"),
    ("touched", nothing, lambda h: os.utime(h.model / "handler.py"), "handler.py was changed"),
    ("stamped ahead, then edited", stamped_a_day_ahead, lambda h: h.write("handler.py", "good"), "handler.py was changed"),
    ("edited in place, size and time kept", nothing,
     lambda h: keep_size_and_time(h.model / "handler.py", lambda p: p.write_text("gud")) , "handler.py was changed"),
    ("removed: it hid a module", lambda h: h.write("logging.py"), lambda h: (h.model / "logging.py").unlink(), "logging.py vanished"),
    ("directory removed", lambda h: h.write("types/x.py"), lambda h: shutil.rmtree(h.model / "types"), "types vanished (and 1 more)"),
    ("rights", nothing, lambda h: (h.model / "handler.py").chmod(0o640), "handler.py has other rights"),
    ("rights of a directory", lambda h: h.write("a/b"), lambda h: (h.model / "a").chmod(0o750), "a has other rights"),
    ("file behind a link to a directory", with_weights_elsewhere,
     lambda h: (h.root / "v1" / "w.bin").write_text("good"), "weights/w.bin was changed"),
    ("link to a directory points elsewhere", with_weights_elsewhere, relink, "weights points elsewhere"),
    ("file behind a link", with_link_to_a_file, lambda h: (h.root / "w.bin").write_text("good"), "w.bin was changed"),
    ("file behind a link removed", with_link_to_a_file, lambda h: (h.root / "w.bin").unlink(), "w.bin vanished"),
    ("ConfigMap updated", with_config_map, update_config_map, "handler.py points elsewhere"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "repair", "said"), [r[1:] for r in REPAIRS], ids=[r[0] for r in REPAIRS]
)
def test_a_change_of_what_was_there_at_registration_is_reported_once(
    tmp_path: Path, before: Step, repair: Step, said: str
) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    before(halted)
    halted.fail()
    watch = halted.watch()
    assert watch.change() is None
    repair(halted)
    seen = watch.within()
    assert seen is not None
    assert seen.startswith(said.partition(" (")[0])
    assert watch.within(1.5) is None
    assert halted.watch().within(1.5) is None, "what was absorbed is written down"


def make_logs(halted: Halted) -> None:
    logs = halted.model / "logs"
    logs.mkdir(exist_ok=True)
    (logs / "model_log.log").write_text("x")


def hard_link(halted: Halted) -> None:
    """As a backup by cp -al does."""
    os.link(halted.model / "handler.py", halted.root / "backup.py")


HARMLESS: list[tuple[str, Step, Step]] = [
    ("read", nothing, lambda h: (h.model / "handler.py").read_text()),
    ("a new file", nothing, lambda h: h.write("run-4711.txt")),
    ("a new directory", nothing, lambda h: h.write("out/1.png")),
    ("a log that was there", lambda h: h.write("access.log"), lambda h: h.write("access.log", "one more line")),
    ("an editor's swap file", lambda h: h.write(".handler.py.swp"), lambda h: h.write(".handler.py.swp", "x")),
    ("Python's cache", lambda h: h.write("__pycache__/h.pyc"), lambda h: h.write("__pycache__/h.pyc", "new")),
    ("git fetch", lambda h: h.write(".git/FETCH_HEAD"), lambda h: h.write(".git/FETCH_HEAD", "new")),
    ("core file", lambda h: h.write("core.17"), lambda h: h.write("core.17", "new")),
    ("a hard link", nothing, hard_link),
    ("rights taken away", nothing, lambda h: None if AS_ROOT else (h.model / "handler.py").chmod(0)),
]  # fmt: skip


@pytest.mark.parametrize(
    ("before", "step"), [h[1:] for h in HARMLESS], ids=[h[0] for h in HARMLESS]
)
def test_nothing_else_in_the_model_directory_is_a_change(
    tmp_path: Path, before: Step, step: Step
) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    before(halted)
    halted.fail()
    watch = halted.watch()
    assert watch.change() is None
    step(halted)
    assert watch.within(1.5) is None


def test_what_we_write_into_the_model_directory_is_no_change(tmp_path: Path) -> None:
    halted = Halted(tmp_path, state_dir=tmp_path / "model" / "logs" / "ts_retry")
    halted.write("handler.py")
    halted.record(Event.START)
    halted.fail()
    halted.fail()
    watch = halted.watch()
    assert watch.change() is None
    halted.record(Event.FAILURE)
    halted.fail()
    assert watch.within(1.5) is None


def test_a_model_in_a_directory_that_logs_are_written_to_is_watched(tmp_path: Path) -> None:
    halted = Halted(tmp_path, state_dir=tmp_path)
    halted.write("handler.py")
    halted.fail()
    watch = halted.watch()
    watch.change()
    halted.write("handler.py", "good")
    assert watch.within() == "handler.py was changed"


def test_two_changes_are_one_sentence_and_news_once(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    halted.write("network.py")
    halted.fail()
    watch = halted.watch()
    watch.change()
    halted.write("handler.py", "good")
    halted.write("network.py", "good")
    assert watch.within() == "handler.py was changed (and 1 more)"
    halted.write("network.py", "better")
    assert watch.within() == "network.py was changed"


def test_a_copy_in_progress_is_reported_when_it_stands_still(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    weights = halted.write("weights.bin")
    halted.fail()
    watch = halted.watch()
    watch.change()
    ended = 0.0

    def copy() -> None:
        nonlocal ended
        with weights.open("w") as stream:
            for _ in range(25):
                stream.write("good")
                stream.flush()
                time.sleep(0.1)
        ended = time.monotonic()

    copying = threading.Thread(target=copy)
    copying.start()
    assert watch.within(6) == "weights.bin was changed"
    assert ended, "it was reported while it was being written"
    copying.join()


def test_what_a_load_writes_is_not_watched(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    began_ns = halted.begin_load()
    halted.write("cache.bin")
    halted.fail(began_ns)
    watch = halted.watch()
    watch.change()
    halted.write("cache.bin", "written by a sibling's load")
    assert watch.within(1.5) is None


def test_code_that_loads_unpack_is_news_only_if_no_load_wrote_it(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    began_ns = halted.begin_load()
    halted.write("unpacked.py")
    halted.fail(began_ns)
    watch = halted.watch()
    watch.change()
    halted.record(Event.LOAD)
    halted.write("unpacked.py", "unpacked by a sibling")
    halted.record(Event.FAILURE)
    assert watch.within(1.5) is None
    time.sleep(TICK)
    halted.write("unpacked.py", "good")
    assert watch.within() == "unpacked.py was changed"


def test_a_file_that_loads_change_is_reported_once_and_no_more(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    halted.write("state.db")
    halted.fail()
    watch = halted.watch()
    watch.change()
    for expected in ("state.db was changed", None, None):
        halted.record(Event.LOAD)
        halted.write("state.db", f"{expected} {time.time_ns()}")
        halted.record(Event.FAILURE)
        assert watch.within(1.5 if expected is None else 3) == expected
    halted.write("state.db", "changed by hand, while nothing is being loaded")
    time.sleep(0.1)
    assert watch.within() == "state.db was changed"


def test_nothing_is_reported_of_what_changes_while_a_load_runs_until_it_ends(
    tmp_path: Path,
) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    halted.fail()
    watch = halted.watch()
    watch.change()
    me = (os.getpid(), start_of(os.getpid()) or "")
    halted.record(Event.LOAD, *me)
    halted.write("handler.py", "good")
    assert watch.within(1.5) is None
    halted.record(Event.FAILURE, *me)
    assert watch.within() == "handler.py was changed"


def test_the_handler_written_while_it_is_being_loaded_is_news_at_once(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.manifest(handler="handler.py:serve")
    halted.write("handler.py")
    began_ns = halted.begin_load()
    time.sleep(0.05)
    halted.write("handler.py", "good")
    halted.fail(began_ns)
    watch = halted.watch()
    assert watch.within() == "handler.py was changed"
    assert watch.within(1.5) is None


def test_what_changed_before_a_later_load_is_not_news_after_it_failed(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    halted.write("data.json")
    halted.fail()
    halted.write("data.json", "good")
    halted.fail()
    assert halted.watch().within(1.5) is None
    halted.write("data.json", "better")
    assert halted.watch().within() == "data.json was changed"


def test_of_several_holders_one_gets_the_sentence(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    halted.fail()
    watches = [halted.watch() for _ in range(4)]
    for watch in watches:
        watch.change()
    halted.write("handler.py", "good")
    said = []
    until = time.monotonic() + 4
    while time.monotonic() < until:
        said += [s for s in (watch.change() for watch in watches) if s]
        time.sleep(0.02)
    assert said == ["handler.py was changed"]


def test_what_was_seen_stays_news_until_it_is_absorbed(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    halted.fail()
    first, second = halted.watch(), halted.watch()
    first.seen(), second.seen()
    halted.write("handler.py", "good")
    until = time.monotonic() + 3
    while not (first.seen() and second.seen()) and time.monotonic() < until:
        time.sleep(0.02)
    assert first.seen() == second.seen() == "handler.py was changed"
    assert first.absorb()
    assert not second.absorb()
    assert second.within(1.5) is None


def test_a_change_is_absorbed_though_another_process_has_written_the_baseline(
    tmp_path: Path,
) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    halted.fail()
    watch = halted.watch()
    watch.seen()
    halted.write("handler.py", "good")
    until = time.monotonic() + 3
    while watch.seen() is None and time.monotonic() < until:
        time.sleep(0.02)
    halted.watch().follow(waits_for([str(tmp_path / "x")]))
    assert watch.absorb()
    assert watch.within(1.5) is None
    assert halted.watch().within(1.5) is None


def test_a_file_that_changes_all_the_time_waits_longer_and_longer(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("metrics.csv")
    halted.fail()
    watch = halted.watch()
    watch.change()
    reports = 0
    for count in range(8):
        halted.write("metrics.csv", f"row {count}")
        reports += watch.within(1.4) is not None
    assert reports == 5


def test_without_a_baseline_or_with_a_spoilt_one_nothing_is_seen(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    assert halted.watch().change() is None
    halted.fail()
    watched = halted.store / "watched.json"
    assert watched.stat().st_mode & 0o777 == 0o600
    for content in ("{", "[]", '{"schema": 2}', '{"schema": 1}', watched.read_text()[:-30]):
        watched.write_text(content)
        assert halted.watch().change() is None
        assert (halted.store / "watched.json.rejected").exists()
        assert not watched.exists()


def test_a_model_that_is_away_is_no_change_and_comes_back_unchanged(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    halted.write("a/b.py")
    halted.fail()
    watch = halted.watch()
    watch.change()
    os.rename(halted.model, tmp_path / "away")
    assert watch.within(1.5) is None
    os.rename(tmp_path / "away", halted.model)
    assert watch.within(1.5) is None


def test_a_model_in_a_linked_directory_is_watched_by_the_link(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("handler.py")
    (tmp_path / "v2").mkdir()
    (tmp_path / "current").symlink_to(halted.model)
    (tmp_path / "registered").symlink_to(tmp_path / "current")
    halted.fail(registration=str(tmp_path / "registered") + "#/tmp/.ts.sock.9000")
    watch = halted.watch()
    watch.change()
    (tmp_path / "current").unlink()
    (tmp_path / "current").symlink_to(tmp_path / "v2")
    assert watch.within() == f"{tmp_path}/registered points elsewhere"


def test_what_the_failing_process_had_no_time_for_is_watched_by_the_holders(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("ts_retry_ext.worker.take_baseline.SURVEY_SEC", 0.0)
    halted = Halted(tmp_path)
    for number in range(50):
        halted.write(f"{number}/x.json")
    began_ns = halted.begin_load()
    halted.write("7/written_by_the_load.json")
    halted.fail(began_ns)
    watch = halted.watch()
    for _ in range(60):
        assert watch.change() is None
    halted.write("7/written_by_the_load.json", "again")
    assert watch.within(1.5) is None
    halted.write("49/x.json", "good")
    assert watch.within() == "49/x.json was changed"
    halted.write("48/x.json", "good")
    assert halted.watch().within() == "48/x.json was changed"


def test_each_of_20_000_files_is_watched_and_one_sentence_covers_them_all(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    for number in range(200):
        for inner in range(100):
            halted.write(f"{number}/{inner}.json")
    halted.fail()
    watch = halted.watch()
    watch.change()
    (halted.model / "199/99.json").rename(halted.model / "199/x.json")
    (halted.model / "199/x.json").rename(halted.model / "199/99.json")
    assert watch.within(30) == "199/99.json was changed"
    for number in range(200):
        shutil.rmtree(halted.model / str(number))
    seen = watch.within(30)
    assert seen is not None
    assert "vanished (and" in seen
    assert watch.within(3) is None


@pytest.mark.skipif(AS_ROOT, reason="root may look everywhere")
def test_a_directory_that_becomes_readable_is_watched_from_then_on(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("data/w.bin")
    (halted.model / "data").chmod(0)
    halted.fail()
    watch = halted.watch()
    watch.change()
    (halted.model / "data").chmod(0o755)
    assert watch.within() == "data became readable"
    for _ in range(5):
        watch.change()
    halted.write("data/w.bin", "good")
    assert watch.within() == "data/w.bin was changed"


def test_links_that_lead_in_circles_and_names_that_are_no_utf_8_do_no_harm(tmp_path: Path) -> None:
    halted = Halted(tmp_path)
    halted.write("a/handler.py")
    (halted.model / "a" / "up").symlink_to(halted.model)
    (halted.model / "a" / "root").symlink_to("..")
    strange = os.path.join(os.fsencode(halted.model), b"caf\xe9\n.bin")
    with open(strange, "wb") as stream:
        stream.write(b"bad")
    halted.fail()
    watch = halted.watch()
    watch.change()
    with open(strange, "wb") as stream:
        stream.write(b"good")
    assert watch.within() == "caf\\udce9\n.bin was changed"


def test_a_module_that_appears_in_a_directory_of_python_path_is_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process that judges imports nothing from there, and its own path lacks the directory."""
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.setenv("PYTHONPATH", str(packages))
    monkeypatch.setattr("ts_retry_ext.worker.isolation._foreign", None)
    halted = Halted(tmp_path)
    halted.fail(modules=("late_part",))
    watch = halted.watch()
    assert watch.within(0.3) is None
    (packages / "late_part.py").write_text("")
    assert watch.within() == f"{packages}/late_part.py appeared"


def test_what_an_earlier_failure_missed_is_watched_on_when_it_came_and_was_no_better(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = tmp_path / "packages"
    packages.mkdir()
    monkeypatch.syspath_prepend(str(packages))
    halted = Halted(tmp_path)
    halted.fail(modules=("late_part",))
    (packages / "late_part.py").write_text("import another_part")
    halted.fail(modules=("another_part",))
    watch = halted.watch()
    assert watch.within(0.3) is None
    (packages / "late_part.py").write_text("")
    assert watch.within() == f"{packages}/late_part.py was changed"
