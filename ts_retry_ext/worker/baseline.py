"""How everything was when the marker was written, kept beside it: what a holder compares with."""

from __future__ import annotations

import binascii
import json
import os
import struct
from array import array
from typing import Any, NamedTuple

from ts_retry_ext.store.atomic import SCHEMA, UntrustedFileError, read_json, set_aside, write_bytes
from ts_retry_ext.worker.news import History
from ts_retry_ext.worker.path_facts import PACKED_BYTES, unpacked
from ts_retry_ext.worker.survey import Survey
from ts_retry_ext.worker.watched_directory import WatchedDirectory
from ts_retry_ext.worker.watched_files import WatchedFiles
from ts_retry_ext.worker.watched_names import NamedPath
from ts_retry_ext.worker.watched_packages import Installed

#: Seconds that are spent on a look at everything; what is left then is looked at by holders, in slices.
SURVEY_SEC = 2.0
WATCHED_FILE = "watched.json"
#: A model with 50,000 files, their names as long as most, takes about 4 MB.
MAX_WATCHED_BYTES = 16 << 20


class Baseline(NamedTuple):
    """What is known of everything that is watched; holders move it on.

    Attributes:
        model_dir: real path of the model's directory.
        first_load_ns: when the first load of the registration began, in nanoseconds since the epoch.
        skipped: paths that are no part of the model's files: ours, logs, and what `names` has.
        directories: the model's files.
        pending: directories that nobody has walked through yet, and how deep they lie.
        names: paths that the failure, or the manifest, names.
        packages: what is installed, by directory; empty if packages cannot be the cause.
        histories: of things that have changed before, by path.
    """

    model_dir: str
    first_load_ns: int
    skipped: list[str]
    directories: list[WatchedDirectory]
    pending: list[tuple[str, int]]
    names: dict[str, NamedPath]
    packages: dict[str, Installed]
    histories: dict[str, History]

    def files_watch(self) -> WatchedFiles:
        """Return a watch of the model's files that moves this baseline on."""
        survey = Survey(self.pending, self.first_load_ns, self.skipped, self.histories)
        return WatchedFiles(self.directories, survey)


def watched_path(directory: str) -> str:
    """Return where the baseline of the registration kept in `directory` lies."""
    return os.path.join(directory, WATCHED_FILE)


def write_baseline(directory: str, baseline: Baseline) -> None:
    """Write the baseline of the registration kept in `directory`. Raises OSError."""
    content = dict(
        baseline._asdict(),
        schema=SCHEMA,
        directories=[
            [each.path, each.names, _text_of(each.facts), _text_of(each.glances.tobytes())]
            for each in baseline.directories
        ],
        names={
            path: [named.facts, named.parent, named.parent_facts, named.alone]
            for path, named in baseline.names.items()
        },
    )
    data = json.dumps(content, ensure_ascii=True, separators=(",", ":")).encode("ascii") + b"\n"
    write_bytes(watched_path(directory), data)


def read_baseline(directory: str) -> Baseline | None:
    """Return the baseline of the registration kept in `directory`, None where there is none to trust.

    A file that is torn, foreign or of a newer version is set aside. Never raises.
    """
    path = watched_path(directory)
    try:
        content = read_json(path, MAX_WATCHED_BYTES)
        return None if content is None else _from_json(content)
    except OSError:
        return None
    except (UntrustedFileError, ValueError, TypeError, KeyError, AttributeError, struct.error):
        pass
    try:
        set_aside(path)
    except OSError:
        pass  # It stays, and goes on being read as none.
    return None


def _from_json(content: dict[str, Any]) -> Baseline:
    """Return the baseline that a file holds. Raises ValueError and the like if it is none of ours."""
    return Baseline(
        model_dir=_text(content["model_dir"]),
        first_load_ns=int(content["first_load_ns"]),
        skipped=list(map(_text, content["skipped"])),
        directories=[_directory(*each) for each in content["directories"]],
        pending=[(_text(path), int(depth)) for path, depth in content["pending"]],
        names={path: _named(*each) for path, each in content["names"].items()},
        packages={
            directory: {name: int(at) for name, at in installed.items()}
            for directory, installed in content["packages"].items()
        },
        histories={
            key: History(int(by_loads), int(reports), float(last))
            for key, (by_loads, reports, last) in content["histories"].items()
        },
    )


def _directory(path: str, names: str, facts: str, glances: str) -> WatchedDirectory:
    known, seen = bytearray(binascii.a2b_base64(facts)), array("q", binascii.a2b_base64(glances))
    count = len(names.split("/"))
    if (len(known), len(seen)) != (PACKED_BYTES * count, count):
        msg = f"{len(known)} bytes of facts and {len(seen)} glances for {count} names in {path!r}"
        raise ValueError(msg)
    return WatchedDirectory(_text(path), names, known, seen)


def _text_of(data: bytes | bytearray) -> str:
    return binascii.b2a_base64(data, newline=False).decode("ascii")


def _named(facts: list[int], parent: str, parent_facts: list[int], alone: bool) -> NamedPath:
    # The numbers must fit, or the look that compares them fails for ever.
    known, known_parent = (
        unpacked(struct.pack("<BIIIIBB", *each)) for each in (facts, parent_facts)
    )
    return NamedPath(known, _text(parent), known_parent, bool(alone))


def _text(value: object) -> str:
    if not isinstance(value, str):
        msg = f"{value!r} is no text"
        raise ValueError(msg)
    return value
