#!/usr/bin/env python3
"""Build the frontend plug-in: ``python plugin/build.py`` writes ``ts_retry_ext/plugin/ts-retry-plugin.jar``.

It takes a ``javac`` (Debian's openjdk-17-jdk-headless) and an installed TorchServe, whose jar holds the
plug-in SDK. The jar is the same, byte for byte, each time: entries are sorted, stored as they are, and bear
one date.
"""

from __future__ import annotations

import argparse
import importlib.util
import subprocess
import tempfile
import zipfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
JAR = HERE.parent / "ts_retry_ext" / "plugin" / "ts-retry-plugin.jar"
#: TorchServe asks for Java 11 or later, since its own jar has classes of 11.
RELEASE = "11"
#: The oldest date that a zip file can hold.
DATE = (1980, 1, 1, 0, 0, 0)
MANIFEST = b"Manifest-Version: 1.0\r\nImplementation-Title: ts-retry-ext\r\n\r\n"


def sdk() -> Path:
    """Return TorchServe's jar; raise SystemExit where no TorchServe is installed here."""
    spec = importlib.util.find_spec("ts")
    if spec is None or spec.origin is None:
        msg = "no TorchServe in this environment: pip install torchserve==0.12.0"
        raise SystemExit(msg)
    return Path(spec.origin).parent / "frontend" / "model-server.jar"


def build(target: Path, javac: str = "javac") -> None:
    """Compile the sources and write the jar to `target`.

    Raises:
        subprocess.CalledProcessError: the sources do not compile.
    """
    sources = sorted(str(path) for path in (HERE / "tsretry").glob("*.java"))
    with tempfile.TemporaryDirectory() as classes:
        options = ["--release", RELEASE, "-g:none", "-proc:none", "-Xlint:all,-options", "-Werror"]
        subprocess.run(
            [javac, *options, "-encoding", "UTF-8", "-cp", str(sdk()), "-d", classes, *sources],
            check=True,
        )
        entries = {"META-INF/MANIFEST.MF": MANIFEST}
        for folder, found in ((HERE, HERE / "META-INF"), (Path(classes), Path(classes))):
            for path in (p for p in found.rglob("*") if p.is_file()):
                entries[path.relative_to(folder).as_posix()] = path.read_bytes()
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_STORED) as jar:
        for name in sorted(entries):
            jar.writestr(zipfile.ZipInfo(name, DATE), entries[name])


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--jar", type=Path, default=JAR, help="where to write it")
    parser.add_argument("--javac", default="javac", help="the compiler")
    arguments = parser.parse_args()
    build(arguments.jar, arguments.javac)
    print(arguments.jar)
