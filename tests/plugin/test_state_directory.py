"""The plug-in finds its server's markers where workers put them, and trusts nothing else."""

from __future__ import annotations

import json
import os
import subprocess
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Iterator, NamedTuple

import pytest

from tests.snapshot.writing import marker, record
from ts_retry_ext.frontend.process import start_of
from ts_retry_ext.store import journal
from ts_retry_ext.store.directory import model_directory, server_directory
from ts_retry_ext.store.marker import MarkedServer, Marker, write_marker
from ts_retry_ext.store.record import Event

MODELS = 60


class Seen(NamedTuple):
    """What the plug-in finds: is it on, models with their holders, problems, time, and what failed."""

    enabled: bool
    models: list[str]
    problems: list[str]
    ms: float
    failed: str | None


class Reader:
    """A Java process that stands for the frontend, and the state directory of its run."""

    def __init__(self, process: subprocess.Popen[str], state_dir: Path) -> None:
        self.process = process
        assert process.stdout is not None
        self.pid = int(process.stdout.readline())
        start = start_of(self.pid)
        assert start is not None
        self.run = Path(server_directory(str(state_dir), self.pid, start))

    def write(self, name: str, **changes: Any) -> Path:
        made: Marker = marker(model=name, server=MarkedServer(self.pid, 0.0), **changes)
        folder = Path(model_directory(str(self.run), name, f"/models/{name}"))
        folder.mkdir(parents=True, exist_ok=True)
        write_marker(str(folder), made)
        return folder

    def look(self) -> Seen:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        seen = Seen(*json.loads(self.process.stdout.readline()))
        return seen._replace(models=sorted(seen.models))


@contextmanager
def reader(
    class_path: str, cwd: Path, state_dir: Path, *config: str, **environ: str
) -> Iterator[Reader]:
    command = ["java", "-cp", class_path, "tsretry.Markers", *config]
    hidden = ("TS_RETRY_STATE_DIR", "TS_RETRY_ENABLED", "LOG_LOCATION")
    clean = {name: value for name, value in os.environ.items() if name not in hidden}
    pipe = subprocess.PIPE
    with subprocess.Popen(
        command, cwd=cwd, env={**clean, **environ}, stdin=pipe, stdout=pipe, text=True
    ) as process:
        yield Reader(process, state_dir)
        process.communicate("x")


@pytest.mark.parametrize(
    ("config", "environ", "place"),
    [
        ((), {}, "logs/ts_retry"),
        ((), {"LOG_LOCATION": "other"}, "other/ts_retry"),
        (("retry_state_dir=mine",), {}, "mine"),
        (("retry_state_dir=mine",), {"TS_RETRY_STATE_DIR": "yours"}, "yours"),
        (("retry_state_dir=mine",), {"TS_RETRY_STATE_DIR": " "}, "mine"),
        ((), {"TMPDIR": "scratch"}, f"scratch/ts_retry-{os.geteuid()}"),
        (("retry_state_dir=not-usable",), {}, "logs/ts_retry"),
    ],
)
def test_markers_are_found_where_workers_write_them(
    class_path: str, tmp_path: Path, config: tuple[str, ...], environ: dict[str, str], place: str
) -> None:
    with reader(class_path, tmp_path, tmp_path / place, *config, **environ) as java:
        assert java.look()[:3] == (True, [], [])
        java.write("broken")
        assert java.look()[:3] == (True, ["broken:[]"], [])


def test_what_is_no_whole_marker_of_this_server_does_not_count(
    class_path: str, tmp_path: Path
) -> None:
    with reader(class_path, tmp_path, tmp_path / "logs/ts_retry") as java:
        kept = java.write("käse", reason="ü\u2028")
        torn = java.write("torn")
        (torn / "marker.json").write_text("{")
        newer = java.write("newer")
        text = (newer / "marker.json").read_text().replace('"schema": 1', '"schema": 2')
        (newer / "marker.json").write_text(text)
        huge = java.write("huge")
        (huge / "marker.json").write_bytes(b" " * 300_000)
        (java.write("folder") / "marker.json").unlink()
        (java.run / "folder-x").mkdir()
        (java.run / "folder-x" / "marker.json").mkdir()
        (java.run / "pipe-x").mkdir()
        os.mkfifo(java.run / "pipe-x" / "marker.json")
        (java.run / "server.json").write_text("{}")
        others = java.write("others")
        write_marker(str(others), marker(model="others", server=MarkedServer(1, 0.0)))
        seen = java.look()
        assert seen.models == ["käse:[]"]
        assert len(seen.problems) == 5, seen.problems
        (kept / "marker.json").unlink()
        assert java.look().models == []


def test_a_marker_that_is_replaced_and_a_process_that_rejects_are_seen(
    class_path: str, tmp_path: Path
) -> None:
    with reader(class_path, tmp_path, tmp_path / "logs/ts_retry") as java:
        folder = java.write("m")
        assert java.look().models == ["m:[]"]
        java.write("m", action="reject")
        (folder / "journal.jsonl").write_bytes(journal.line_of(record(Event.HOLD, 0, 7)) + b'{"to')
        assert java.look().models == ["m:[7]"]
        with (folder / "journal.jsonl").open("ab") as stream:
            stream.write(b"\n" + journal.line_of(record(Event.HOLD, 1, 8)))
        assert java.look().models == ["m:[7, 8]"]


def test_switched_off_is_off(class_path: str, tmp_path: Path) -> None:
    state = tmp_path / "logs/ts_retry"
    with reader(class_path, tmp_path, state, "retry_enabled=False") as java:
        assert not java.look().enabled
    with reader(class_path, tmp_path, state, "retry_enabled=no") as java:
        assert java.look().enabled
    with reader(
        class_path, tmp_path, state, "retry_enabled=true", TS_RETRY_ENABLED="false"
    ) as java:
        assert not java.look().enabled


def test_sixty_markers_that_have_not_changed_are_not_read_again(
    class_path: str, tmp_path: Path
) -> None:
    with reader(class_path, tmp_path, tmp_path / "logs/ts_retry") as java:
        folders = [java.write(f"m{number}") for number in range(MODELS)]
        seen = java.look()
        assert len(seen.models) == MODELS
        for folder in folders:
            _spoil_unseen(folder / "marker.json")
        again = java.look()
        assert again.models == seen.models
        print(f"{MODELS} markers that have not changed take {again.ms:.2f} ms")

        os.utime(folders[0] / "marker.json")
        assert len(java.look().models) == MODELS - 1


def _spoil_unseen(file: Path) -> None:
    """Write other bytes into a file, and leave what tells that it has changed."""
    before = file.stat()
    file.write_bytes(b" " * before.st_size)
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
