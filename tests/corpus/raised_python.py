"""Python itself, files, processes: raised with the standard library alone."""

from __future__ import annotations

import abc
import bz2
import concurrent.futures
import configparser
import ctypes
import fcntl
import gzip
import importlib
import io
import json
import lzma
import mmap
import os
import pickle
import queue
import re
import resource
import socket
import sqlite3
import subprocess
import sys
import tarfile
import zipfile
from multiprocessing import shared_memory
from pathlib import Path
from typing import Any

from tests.corpus.raising import Raised, memory_limited, raise_it
from tests.corpus.world import World


def module(world: World, name: str, source: str) -> Any:
    """Write a module and import it."""
    world.file(f"{name}.py", source.encode())
    sys.path.insert(0, str(world.tmp))
    try:
        importlib.invalidate_caches()
        return importlib.import_module(name)
    finally:
        sys.path.remove(str(world.tmp))
        sys.modules.pop(name, None)


def code(name: str, wanted: str, source: str) -> Raised:
    """Build a row for a module whose import fails."""
    return Raised(name, wanted, lambda world: module(world, "m_" + name.replace("-", "_"), source))


def bad_shared_object(world: World, content: bytes) -> None:
    ctypes.CDLL(world.file("libbroken.so", content))


def descriptors_run_out(world: World) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (32, hard))
    path = world.file("x")
    held: list[Any] = []
    try:
        held.extend(os.fdopen(os.open(path, os.O_RDONLY)) for _ in range(64))
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for handle in held:
            handle.close()


def lock_held(world: World) -> None:
    path = world.file("lock")
    with open(path) as first, open(path) as second:
        fcntl.flock(first, fcntl.LOCK_EX | fcntl.LOCK_NB)
        fcntl.flock(second, fcntl.LOCK_EX | fcntl.LOCK_NB)


def port_in_use(_: World) -> None:
    with socket.socket() as one, socket.socket() as two:
        one.bind(("127.0.0.1", 0))
        one.listen()
        two.bind(one.getsockname())


def database_locked(world: World) -> None:
    path = str(world.tmp / "locked.db")
    one, two = sqlite3.connect(path), sqlite3.connect(path, timeout=0.05)
    try:
        one.execute("create table t (x)")
        one.execute("begin exclusive")
        two.execute("insert into t values (1)")
    finally:
        one.close()
        two.close()


def with_database(world: World, name: str, content: bytes, query: str) -> None:
    connection = sqlite3.connect(world.file(name, content))
    try:
        connection.execute(query)
    finally:
        connection.close()


def future_waits_too_long(_: World) -> None:
    concurrent.futures.Future().result(timeout=0.01)


def broken_pipe(_: World) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    try:
        os.write(writer, b"x")
    finally:
        os.close(writer)


def memory_runs_out(_: World) -> None:
    with memory_limited(2**30):
        bytearray(2**32)


def mmap_not_supported(_: World) -> None:
    with open("/dev/null", "r+b") as file:
        mmap.mmap(file.fileno(), 4096)


def zip_changed(world: World) -> None:
    path = world.file("w.zip")
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("weights.bin", b"A" * 5000)
    content = bytearray(Path(path).read_bytes())
    content[100] ^= 1
    with zipfile.ZipFile(world.file("w.zip", bytes(content))) as packed:
        packed.read("weights.bin")


def unpacked(opener: Any, path: str) -> Any:
    with opener(path) as packed:
        return packed.read()


def tar_cut(world: World) -> None:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as packed:
        member = tarfile.TarInfo("weights.bin")
        member.size = 50_000
        packed.addfile(member, io.BytesIO(os.urandom(member.size)))
    with tarfile.open(world.file("w.tar.gz", content.getvalue()[:20_000])) as packed:
        packed.extractall(world.tmp)


class _Base(abc.ABC):
    @abc.abstractmethod
    def handle(self) -> None:
        """Stand for TorchServe's base class."""


ROWS: tuple[Raised, ...] = (
    code("syntax", "N", "def f(:\n    pass\n"),
    code("indentation", "N", "def f():\npass\n"),
    code("tabs", "N", "if 1:\n\tx = 1\n        y = 2\n"),
    code("print-statement", "N", "print 'hello'\n"),
    code("unterminated-string", "N", "x = 'abc\n"),
    code("null-bytes", "N", "x = 1\0\n"),
    code("missing-module", "N", "import no_such_package_anywhere\n"),
    code("missing-submodule", "N", "import json.nothing_here\n"),
    code("missing-name", "N", "from json import no_such_name\n"),
    code("relative-import", "N", "from . import sibling\n"),
    code("name", "N", "x = undefined_name\n"),
    code("unbound", "N", "def f():\n    x += 1\nf()\n"),
    code("module-attribute", "N", "import json\njson.no_such_function()\n"),
    code("object-attribute", "N", "(1).no_such_attribute\n"),
    code("none-attribute", "U", "x = None\nx.group()\n"),
    code("missing-argument", "N", "def f(a):\n    pass\nf()\n"),
    code("too-many-arguments", "N", "def f():\n    pass\nf(1)\n"),
    code("unknown-keyword", "N", "def f():\n    pass\nf(read_timeout=1)\n"),
    code("operand-types", "N", "1 + 'a'\n"),
    code("none-subscript", "U", "x = None\nx['a']\n"),
    code("not-callable", "N", "x = 3\nx()\n"),
    code("missing-key", "N", "{}['state_dict']\n"),
    code("missing-variable", "N", "import os\nos.environ['NO_SUCH_VARIABLE_HERE']\n"),
    code("index", "U", "[][0]\n"),
    code("unpack", "N", "a, b = (1, 2, 3)\n"),
    code("int-of-text", "N", "int('abc')\n"),
    code("division", "N", "1 / 0\n"),
    code("recursion", "N", "def f():\n    f()\nf()\n"),
    code("not-implemented", "N", "raise NotImplementedError('inference')\n"),
    code("assert-empty", "U", "assert False\n"),
    code("assert-reason", "N", "assert 3 == 4, 'hidden size must be divisible by 4, got 3'\n"),
    code("bare-exception", "U", "raise Exception('could not load')\n"),
    code("bare-runtime-error", "U", "raise RuntimeError('load failed')\n"),
    code("exit", "U", "import sys\nsys.exit(3)\n"),
    code("partially-initialized", "U", "import m_partially_initialized as me\nme.later()\ndef later(): pass\n"),
    code("circular", "N", "from m_circular import x\n"),
    code("wrong-encoding", "N", "# -*- coding: no-such-coding -*-\n"),
    code("cause-is-network", "R", "try:\n    raise ConnectionRefusedError(111, 'Connection refused')\nexcept OSError:\n    x = weights\n"),
    code("cause-from-none", "R", "try:\n    raise ConnectionResetError(104, 'Connection reset by peer')\nexcept OSError:\n    raise RuntimeError('model is not there') from None\n"),
    Raised("abstract-class", "N", lambda _: _Base()),  # type: ignore[abstract]
    Raised("missing-file-beside-handler", "N", lambda _: Path("no_such_vocab.txt").read_text()),
    Raised("missing-file-in-archive", "N", lambda _: Path("/tmp/models/0123456789abcdef0123456789abcdef/vocab.txt").read_text()),
    Raised("missing-file-on-a-mount", "U", lambda _: Path("/mnt/no-such-mount/model.pt").read_text()),
    Raised("missing-file-in-a-cache", "R", lambda _: Path("/root/.cache/torch/hub/none/model.pt.incomplete").read_text()),
    Raised("missing-segment-of-shared-memory", "U", lambda _: shared_memory.SharedMemory(name="no-such-segment-here")),
    Raised("directory-as-file", "N", lambda world: world.tmp.read_text()),
    Raised("file-as-directory", "N", lambda world: Path(world.file("f") + "/x").read_text()),
    Raised("name-too-long", "N", lambda world: (world.tmp / ("x" * 300)).read_text()),
    Raised("too-many-open-files", "U", descriptors_run_out),
    Raised("lock-held", "R", lock_held),
    Raised("port-in-use", "R", port_in_use),
    Raised("broken-pipe", "R", broken_pipe),
    Raised("no-space", "U", lambda _: Path("/dev/full").write_bytes(b"x" * 100_000)),
    Raised("host-memory", "R", memory_runs_out),
    Raised("future-timeout", "R", future_waits_too_long),
    Raised("queue-empty", "R", lambda _: queue.Queue().get(timeout=0.01)),
    Raised("command-missing", "N", lambda _: subprocess.run(["no-such-command-here"], check=True)),
    Raised("command-fails", "U", lambda _: subprocess.run([sys.executable, "-c", "raise SystemExit(2)"], check=True)),
    Raised("command-takes-too-long", "R", lambda _: subprocess.run([sys.executable, "-c", "import time; time.sleep(5)"], timeout=0.2, check=True)),
    Raised("command-not-executable", "N", lambda world: subprocess.run([world.file("tool.sh")], check=True)),
    Raised("json-cut", "U", lambda world: json.loads(Path(world.file("c.json", b'{"a": 1')).read_text())),
    Raised("json-empty", "U", lambda world: json.loads(Path(world.file("c.json")).read_text())),
    Raised("json-trailing-comma", "N", lambda world: json.loads(Path(world.file("c.json", b'{"a": 1,}')).read_text())),
    Raised("json-two-documents", "U", lambda world: json.loads(Path(world.file("c.json", b"{}{}")).read_text())),
    Raised("text-is-binary", "N", lambda world: Path(world.file("b.txt", b"\x80\x02\xff")).read_text(encoding="utf-8")),
    Raised("ini-key-missing", "N", lambda _: configparser.ConfigParser().get("section", "key")),
    Raised("pickle-empty", "N", lambda world: pickle.loads(Path(world.file("p.pkl")).read_bytes())),
    Raised("pickle-cut", "N", lambda _: pickle.loads(pickle.dumps(list(range(1000)))[:50])),
    Raised("pickle-lfs-pointer", "N", lambda _: pickle.loads(b"version https://git-lfs.github.com/spec/v1\n")),
    Raised("pickle-is-html", "U", lambda _: pickle.loads(b"<html>")),
    Raised("pickle-class-missing", "N", lambda _: pickle.loads(b"cjson\nNoSuchClass\n.")),
    Raised("pickle-module-missing", "N", lambda _: pickle.loads(b"cno_such_module_x\nNet\n.")),
    Raised("pickle-protocol", "N", lambda _: pickle.loads(b"\x80\x63.")),
    Raised("pickle-is-an-answer", "U", lambda _: pickle.loads(b'{"error": "busy"}')),
    Raised("zip-damaged", "U", lambda world: zipfile.ZipFile(world.file("z.zip", b"no zip"))),
    Raised("zip-changed", "U", zip_changed),
    Raised("tar-damaged", "U", lambda world: tarfile.TarFile(world.file("t.tar", b"no tar" * 100)).close()),
    Raised("tar-cut", "U", tar_cut),
    Raised("tar-is-html", "U", lambda world: unpacked(tarfile.open, world.file("t.tar.gz", b"<html>busy</html>"))),
    Raised("gzip-damaged", "U", lambda world: gzip.decompress(b"no gzip")),
    Raised("gzip-cut", "U", lambda world: gzip.decompress(gzip.compress(os.urandom(4000))[:900])),
    Raised("gzip-is-html", "U", lambda world: unpacked(gzip.open, world.file("x.gz", b"<!doctype html>"))),
    Raised("bz2-cut", "U", lambda world: unpacked(bz2.open, world.file("x.bz2", bz2.compress(os.urandom(4000))[:900]))),
    Raised("lzma-cut", "U", lambda world: unpacked(lzma.open, world.file("x.xz", lzma.compress(os.urandom(4000))[:900]))),
    Raised("lzma-damaged", "U", lambda world: unpacked(lzma.open, world.file("x.xz", b"no lzma"))),
    Raised("regular-expression", "N", lambda _: re.compile("(")),
    Raised("command-for-another-processor", "N", lambda _: subprocess.run([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGILL)"], check=True)),
    Raised("command-crashes", "U", lambda _: subprocess.run([sys.executable, "-c", "import os, signal; os.kill(os.getpid(), signal.SIGSEGV)"], check=True)),
    Raised("library-missing", "N", lambda _: ctypes.CDLL("libno_such_library_x.so.7")),
    Raised("library-is-text", "N", lambda world: bad_shared_object(world, b"hello, I am no library")),
    Raised("library-cut", "N", lambda world: bad_shared_object(world, b"\x7fELF")),
    Raised("symbol-missing", "N", lambda _: ctypes.CDLL(None).no_such_symbol_anywhere),
    Raised("sqlite-locked", "R", database_locked),
    Raised("sqlite-no-database", "N", lambda world: with_database(world, "d.db", b"hello, no database " * 100, "select * from t")),
    Raised("sqlite-no-table", "U", lambda world: with_database(world, "e.db", b"", "select * from features")),
    Raised("refused", "R", lambda world: socket.create_connection(("127.0.0.1", world.closed_port()))),
    Raised("name-unknown", "R", lambda _: socket.getaddrinfo("no-such-host.invalid", 80)),
    Raised("socket-timeout", "R", lambda world: _read_nothing(world)),
    Raised("memory-error", "R", lambda _: raise_it(MemoryError())),
    Raised("stale-handle", "R", lambda _: raise_it(OSError(116, os.strerror(116), "/mnt/efs/model.bin"))),
    Raised("busy", "R", lambda _: raise_it(OSError(16, os.strerror(16), "/mnt/x"))),
    Raised("io-error", "R", lambda _: raise_it(OSError(5, os.strerror(5), "/mnt/x/model.bin"))),
    Raised("read-only", "N", lambda _: raise_it(OSError(30, os.strerror(30), "/opt/ml/model/cache"))),
    Raised("read-only-mount", "U", lambda _: raise_it(OSError(30, os.strerror(30), "/mnt/hf_cache/refs/main"))),
    Raised("mount-gone", "R", lambda _: raise_it(OSError(107, os.strerror(107), "/mnt/s3fs/models"))),
    Raised("mmap-not-supported", "U", mmap_not_supported),
    Raised("missing-entry-of-a-cache", "U", lambda _: Path("/root/.cache/huggingface/hub/models--none/refs/main").read_text()),
    Raised("permission", "N", lambda _: raise_it(PermissionError(13, os.strerror(13), "/home/model-server/.cache"))),
)  # fmt: skip


def _read_nothing(world: World) -> bytes:
    port = world.tcp(lambda client: raise_it(OSError()) if not client.recv(1) else None)
    with socket.create_connection(("127.0.0.1", port), timeout=0.1) as client:
        return client.recv(10)
