"""Workers of one model, one after the other, whose state directory is spoilt in between.

Run as a script whose command line names the frontend's main class. It does what its other arguments
say, in that order, and prints a JSON line with what became of each worker.
"""

from __future__ import annotations

import json
import os
import resource
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

from tests.faults.killing import fail_to_load, in_child, lay_out, left, open_worker
from ts_retry_ext.worker import startup
from ts_retry_ext.worker.holder import hold_connection
from ts_retry_ext.worker.marker_in_force import applicable_marker

STORIES = {0: "held", 1: "loaded", 2: "inactive"}
#: Names that lead elsewhere, that no file can have, or that some file systems take for the same.
NAMES = (
    "../../../etc/cron.d/x", "/absolute", "..", ".", "-rf", "a b", "a\nb\r\x1b[31m", "nul\0l", "ünïcödé 模型 🤖",
    "x" * 200, "Case", "case", "caf\u00e9", "cafe\u0301", "%2e%2e%2f", "$(reboot)", "marker.json", "\ud800", "",
)  # fmt: skip
DISK_BYTES = 256 * 1024


def main(folder: Path, steps: list[str]) -> None:
    """Run `steps`: ``worker`` for one worker, else the name of a fault."""
    model_dir = lay_out(str(folder))
    os.chdir(folder)
    place = folder / "logs" / "ts_retry"
    for step in steps:
        name, _, number = step.partition("=")
        if name == "worker":
            story = STORIES.get(in_child(lambda: os._exit(_work(model_dir))), "died")
            print(
                json.dumps(
                    {
                        "story": story,
                        **left(str(folder)),
                        "fallback": left(str(folder), fallback=True),
                    }
                )
            )
        else:
            FAULTS[name](place, int(number or 0))


def _work(model_dir: str) -> int:
    """Be a worker as the start-up hook makes it; its model cannot be loaded."""
    try:
        session = open_worker(model_dir)
        marker = applicable_marker(session) or startup._judge_crashes(session)
        if marker is not None:
            ours, theirs = socket.socketpair()
            holder = threading.Thread(target=hold_connection, args=(session, marker, ours))
            holder.start()
            theirs.settimeout(20)
            answer = theirs.recv(4)
            theirs.close()
            holder.join(60)
            return 0 if answer == (500).to_bytes(4, "big") and not holder.is_alive() else 3
        fail_to_load(session)
    except OSError as error:
        print(f"inactive: {error}", file=sys.stderr)
        return 2
    return 1


def _mount(place: Path, size: int) -> None:
    """Put a small file system in the place of the state directory; needs a mount namespace of its own."""
    place.mkdir(parents=True)
    options = f"size={size or DISK_BYTES},mode=0700"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "none", str(place)], check=True)


def _fill(place: Path, size: int) -> None:
    """Leave no more than `size` bytes on the disk."""
    with (place / "filler").open("wb", buffering=0) as stream:
        try:
            while True:
                stream.write(b"x" * 1024)
        except OSError:
            pass
        stream.truncate(max(0, stream.tell() - size))


def _read_only(place: Path, _: int) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(place)], check=True)


def _limit(place: Path, size: int) -> None:
    """Let no file of this process and its children grow beyond `size` bytes."""
    del place
    resource.setrlimit(
        resource.RLIMIT_FSIZE, (size or resource.RLIM_INFINITY, resource.RLIM_INFINITY)
    )


def _remove(place: Path, _: int) -> None:
    shutil.rmtree(place)


def _file(place: Path, _: int) -> None:
    shutil.rmtree(place)
    place.write_text("mine")


def _reset(place: Path, _: int) -> None:
    """Begin anew: nothing is mounted, and no worker has written anything."""
    _limit(place, 0)
    if place.is_mount():
        subprocess.run(["umount", str(place)], check=True)
    shutil.rmtree(place.parent, ignore_errors=True)
    for kept in Path(os.environ["TEMP"]).iterdir():
        shutil.rmtree(kept)


def _link(place: Path, _: int) -> None:
    shutil.rmtree(place)
    (place.parent / "elsewhere").mkdir(exist_ok=True)
    place.symlink_to("elsewhere")


def _link_run(place: Path, _: int) -> None:
    """Put a link in the place of the directory of the server's run."""
    (run,) = place.glob("server-*")
    shutil.rmtree(run)
    elsewhere = place.parent / "elsewhere"
    elsewhere.mkdir(mode=0o755)
    run.symlink_to(elsewhere)


def _file_for_model(place: Path, _: int) -> None:
    (model,) = place.glob("server-*/m-*")
    shutil.rmtree(model)
    model.write_text("mine")


def _name(place: Path, number: int) -> None:
    """Give the model another name."""
    manifest = {"model": {"modelName": NAMES[number], "handler": "h.py"}}
    path = place.parents[1] / "model" / "MAR-INF" / "MANIFEST.json"
    path.write_text(json.dumps(manifest))


FAULTS = {
    "name": _name,
    "reset": _reset,
    "mount": _mount,
    "fill": _fill,
    "free": lambda place, _: (place / "filler").unlink(),
    "read-only": _read_only,
    "limit": _limit,
    "remove": _remove,
    "file": _file,
    "link": _link,
    "link-run": _link_run,
    "file-for-model": _file_for_model,
}


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[3:])
