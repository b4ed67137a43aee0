"""What is fuzzed with coverage: for each parser its promise, sound inputs to begin with, and words of its language."""

from __future__ import annotations

import gzip
import io
import json
import struct
import tarfile
import zipfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Callable, Sequence

from tests.corpus.shapes import SHAPES, record
from tests.faults import promises
from tests.faults.sound import (
    CONFIG,
    JOURNAL,
    MANIFEST,
    MAR,
    MARKER,
    RECORDS,
    RETIRED,
    RULES,
    RUN,
    TAR,
    YAML,
    YAML_TOKENS,
)
from tests.judge.promises import record_gets_a_verdict, text_gets_a_verdict
from tests.logs.written import log
from tests.worker.test_protocol import load_message, text
from ts_retry_ext.judge import When
from ts_retry_ext.trial.frontend_side import predict_request
from ts_retry_ext.worker.protocol import plain_response

#: Between the parts of an input that is several files.
PART = b"\n%%\n"


@dataclass(frozen=True)
class Target:
    """Something that reads bytes.

    Attributes:
        check: hands bytes in and checks the promise; gets a directory of its own, too.
        seeds: sound inputs.
        words: what mutations of single bytes hardly ever make.
    """

    check: Callable[[bytes, Path], object]
    seeds: Sequence[bytes]
    words: Sequence[str] = ()


def _traceback(data: bytes, _: Path) -> None:
    text_gets_a_verdict(data.decode("utf-8", "replace"))


def _record(data: bytes, _: Path) -> None:
    content = _json(data)
    if isinstance(content, dict):
        record_gets_a_verdict(content)


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _model_folder(data: bytes, folder: Path) -> None:
    """Read a model folder as a worker does, and as `ts-retry config` does."""
    config, _, manifest = data.partition(PART)
    promises.model_folder_is_read(folder / "m", config, manifest)
    promises.archive_is_read_or_refused(folder / "m")


def _mar(data: bytes, folder: Path) -> None:
    _archive(folder / "a.mar", data)


def _tar(data: bytes, folder: Path) -> None:
    """Read a gzipped tar. Nobody guesses checksums, so that each header gets the right one."""
    whole = bytearray(data)
    for at in range(0, len(whole) - tarfile.BLOCKSIZE + 1, tarfile.BLOCKSIZE):
        header = bytes(whole[at : at + tarfile.BLOCKSIZE])
        if header[257:262] == b"ustar":
            checksum = sum(header[:148]) + sum(b" " * 8) + sum(header[156:])
            whole[at + 148 : at + 156] = b"%06o\0 " % checksum
    _archive(folder / "a.tar.gz", gzip.compress(bytes(whole), 1))


def _archive(path: Path, data: bytes) -> None:
    path.write_bytes(data)
    promises.archive_is_read_or_refused(path)
    promises.archive_is_unpacked_inside(path, path.parent / "unpacked")


def _store(data: bytes, folder: Path) -> None:
    parts = [*data.split(PART), b"", b"", b""]
    promises.commands_read_what_lies_there(folder / "state" / "server-1", *parts[:4])


def _linked_mar() -> bytes:
    stream = io.BytesIO(MAR)
    with zipfile.ZipFile(stream, "a") as archive:
        link = zipfile.ZipInfo("sub/link")
        link.external_attr = 0o120777 << 16
        archive.writestr(link, "../h.py")
        archive.writestr("sub/", "")
    return stream.getvalue()


def _linked_tar() -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for kind in (tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE):
            entry = tarfile.TarInfo(f"m/{kind.decode()}ü" + "x" * 120)
            entry.type, entry.linkname = kind, "m/h.py"
            archive.addfile(entry)
    return stream.getvalue()


def _log_seeds() -> list[bytes]:
    """Return pieces of real logs, plain and as collectors wrap them."""
    pieces = [
        b"\n".join(log(name).split(b"\n")[begin : begin + 60])
        for name in ("ts_log.log", "console.log")
        for begin in range(0, 700, 140)
    ]
    lines = pieces[1].decode().split("\n")[:12]
    events = [{"timestamp": 1795463366887, "message": line} for line in lines]
    layout = {"instant": {"epochSecond": 1795463366, "nanoOfSecond": 887000000}, "level": "DEBUG",
              "thread": "W-9000-m_1.0", "loggerName": "x", "message": "Worker cmdline: [python]",
              "thrown": {"name": "java.lang.E", "message": "why"}}  # fmt: skip
    wrapped = [
        "\n".join(f"2026-11-23T19:49:13.123456789Z stdout F {line}" for line in lines),
        "\n".join(f"[pod/ts-0/main] {line}" for line in lines),
        "\n".join(json.dumps({"log": f"{line}\n", "time": "2026-11-23T19:49:13.1Z"}) for line in lines),
        json.dumps({"logStreamName": "AllTraffic/i-1", "events": events}),
        json.dumps(layout),
        json.dumps({"@timestamp": "2026-11-23T19:49:13,1+01:00", "process": {"thread": {"name": "W-1-m_1"}},
                    "message": "Worker cmdline: [python]", "kubernetes": {"pod_name": "a"}}),
    ]  # fmt: skip
    return pieces + [text.encode() for text in wrapped]


def _paste_seeds() -> list[bytes]:
    """Return pieces of a real log as consoles and copies show them."""
    lines = log("console.log").decode().split("\n")[180:230]
    forms = (
        "> {}",
        "<tr><td>1</td><td>{}</td></tr>",
        "| 1713848436460 | {} | AllTraffic/i-0b |",
        "[rank0]: {}",
        "   12\t{}",
    )
    texts = ["\n".join(form.format(line) for line in lines) for form in forms]
    broken = "\n".join(line[at : at + 80] for line in lines for at in range(0, len(line) or 1, 80))
    return [text.encode() for text in (*texts, broken, "```\n" + "\n".join(lines) + "\n```")]


_TRACEBACKS = [
    f'Traceback (most recent call last):\n  File "/m/h.py", line 3, in load\n{row[1]}: {row[2]}\n'.encode()
    for rows in SHAPES.values()
    for row in rows[::4]
]
_FOLDER = [YAML.encode() + PART + json.dumps(MANIFEST).encode()]

TARGETS = {
    "traceback": Target(
        _traceback,
        [*_TRACEBACKS, *_log_seeds()[:4]],
        ("Traceback (most recent call last):", "During handling of the above exception, another exception occurred:",
         "  + Exception Group Traceback (most recent call last):", "+---------------- 1 ----------------", "Error: ",
         "-----BEGIN PRIVATE KEY-----", "://u:p@h", "[Errno 111]", "No module named ", "CUDA out of memory. Tried to allocate "),
    ),
    "record": Target(
        _record,
        [json.dumps(record(row)).encode() for rows in SHAPES.values() for row in rows[::8]],
        ('"phase"', '"exc_type"', '"mro"', '"message"', '"errno"', '"chain"', '"frames"', '"notes"', '"http_status"'),
    ),
    "log": Target(
        lambda data, _: promises.log_gives_a_report(data),
        _log_seeds(),
        ("State change null -> WORKER_STOPPED", "Worker cmdline", "Retry worker: 1 in 1 seconds", "-stdout", "[PID]1",
         "Backend worker error", "Backend worker process died.", '{"message": "', "Torchserve version: 0.12.0"),
    ),
    "paste": Target(
        lambda data, _: promises.paste_is_classified(data),
        [*_TRACEBACKS[:20], *_log_seeds(), *_paste_seeds()],
        ("Traceback (most recent call last):", '  File "/m/h.py", line 3, in f', "Error: ", "State change null -> WORKER_STOPPED",
         "</td></tr>", "&quot;", "[PID]1", "  | ", "> ", "\x1b[36m", "[rank0]: ", "Failed to load model: x.mar", "Torchserve stopped.",
         "During handling of the above exception, another exception occurred:", "  + Exception Group Traceback (most recent call last):"),
    ),
    "marker": Target(
        lambda data, folder: promises.marker_is_refused_or_as_good_as_ours(folder / "marker", data),
        [json.dumps(MARKER).encode()],
        tuple(f'"{key}"' for key in MARKER),
    ),
    "journal": Target(
        lambda data, folder: promises.journal_is_written_on(folder / "journal", data),
        [JOURNAL],
        tuple(sorted({f'"{key}"' for line in RECORDS for key in line})),
    ),
    "store": Target(
        _store,
        [PART.join([JOURNAL, *(json.dumps(file).encode() for file in (MARKER, RUN, RETIRED))])],
        tuple(sorted({f'"{key}"' for file in (*RECORDS, MARKER, RUN, RETIRED) for key in file})),
    ),
    "properties": Target(
        lambda data, folder: promises.configuration_gives_settings(folder / "config.properties", data),
        [CONFIG],
        ("\\u0041", "$$HOME$$", "\\\n"),
    ),
    "rules": Target(
        lambda data, folder: promises.rules_are_read_or_refused(folder / "rules.yaml", data),
        [RULES.encode()],
        (*YAML_TOKENS, *(field.name for field in fields(When)), "verdict: unknown"),
    ),
    "model-folder": Target(_model_folder, _FOLDER, (*YAML_TOKENS, PART.decode())),
    "mar": Target(_mar, [MAR, _linked_mar()], ("../", "MAR-INF/MANIFEST.json")),
    "tar": Target(_tar, [TAR, _linked_tar()], ("../", "ustar", "MAR-INF/MANIFEST.json")),
    "message": Target(
        lambda data, _: promises.message_is_read_or_refused(data),
        [load_message(1), predict_request("id", b"body", "text/plain"), plain_response(200, "ok"),
         struct.pack("!i", 200) + text("ok") + text("id") + text("application/json") + struct.pack("!i", 200)
         + text("ok") + struct.pack("!i", 1) + text("ts_stream_next") + text("true") + text("{}") + struct.pack("!i", -1)],
    ),
}  # fmt: skip
