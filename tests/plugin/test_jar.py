"""The jar in the package is what the sources beside it say, and runs on every Java that TorchServe does."""

from __future__ import annotations

import struct
import zipfile
from pathlib import Path
from types import ModuleType

from ts_retry_ext.plugin import JAR

#: Major version of class files of Java 11.
JAVA_11 = 55


def test_the_jar_is_built_from_the_sources_byte_for_byte(
    builder: ModuleType, javac: str, tmp_path: Path
) -> None:
    builder.build(tmp_path / "rebuilt.jar", javac)
    same = (tmp_path / "rebuilt.jar").read_bytes() == Path(JAR).read_bytes()
    assert same, "ts-retry-plugin.jar is not what plugin/ says: run python plugin/build.py"


def test_the_jar_names_its_endpoints_and_needs_no_more_than_java_11() -> None:
    with zipfile.ZipFile(JAR) as jar:
        services = jar.read("META-INF/services/org.pytorch.serve.servingsdk.ModelServerEndpoint")
        assert services.split() == [b"tsretry.PingEndpoint", b"tsretry.RetryEndpoint"]
        classes = [name for name in jar.namelist() if name.endswith(".class")]
        assert {struct.unpack(">H", jar.read(name)[6:8])[0] for name in classes} == {JAVA_11}
