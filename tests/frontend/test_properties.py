from __future__ import annotations

import os
import random
import subprocess
from pathlib import Path
from typing import Iterable, Mapping

import pytest

from ts_retry_ext.frontend.programs import find_java
from ts_retry_ext.frontend.properties import (
    marked_keys,
    parse_properties,
    read_properties,
    resolve_environment,
)


def as_bytes(text: str) -> str:
    """Return UTF-8 text as it looks to a reader of ISO 8859-1."""
    return text.encode().decode("latin-1")


CASES = [
    ("a=b", {"a": "b"}),
    ("a = b ", {"a": "b "}),
    ("a:b", {"a": "b"}),
    ("a b=c", {"a": "b=c"}),
    ("  a\t=\tb", {"a": "b"}),
    ("a", {"a": ""}),
    ("# a=b\n! c=d\n\n  # e=f\ng=h", {"g": "h"}),
    ("a=1\na=2", {"a": "2"}),
    ("a=one\\\n   two", {"a": "onetwo"}),
    ("a=one\\\\\nb=c", {"a": "one\\", "b": "c"}),
    ("a\\=b=c", {"a=b": "c"}),
    ("a=\\u00e9\\t\\q", {"a": "é\tq"}),
    ("a=# not a comment", {"a": "# not a comment"}),
    ("a=x\\\n# part of the value", {"a": "x# part of the value"}),
    ("a=b\r\nc=d\r", {"a": "b", "c": "d"}),
    ("url=http://127.0.0.1:8081", {"url": "http://127.0.0.1:8081"}),
    ("a=b\\", {"a": "b"}),
    # Letters in UTF-8, whose bytes 85, 0c and 1c some take for the end of a line.
    (as_bytes("# \u0445 retry_enabled=false\na=b"), {"a": "b"}),
    (as_bytes("a=/srv/Åsa/models"), {"a": as_bytes("/srv/Åsa/models")}),
    (as_bytes("# \u4e05 a=1\nb=2"), {"b": "2"}),
    ("a=all\x0cretry_enabled=false", {"a": "all\x0cretry_enabled=false"}),
    ("a=1\x1cb=2\x1dc=3\x1ed=4\x0be=5\x85f=6", {"a": "1\x1cb=2\x1dc=3\x1ed=4\x0be=5\x85f=6"}),
    (as_bytes("\ufeffa=b"), {as_bytes("\ufeffa"): "b"}),
    ("\x0ca=b", {"a": "b"}),
    ("\\", {}),
    ("\\\n\na=b", {"a": "b"}),
    ("\\\n# c=d\na=b", {"a": "b"}),
    ("a=b\\\n\nc=d", {"a": "b", "c": "d"}),
    ("a=b\\\r\n  c", {"a": "bc"}),
    ("a=\\ud83d\\ude00", {"a": "\U0001f600"}),
    (" = b", {"": "b"}),
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_text_is_read_as_java_reads_it(text: str, expected: dict[str, str]) -> None:
    assert parse_properties(text) == expected


SHOW = """
    import java.io.*; import java.nio.file.*; import java.util.*;
    public class Show { public static void main(String[] files) throws Exception {
        for (String file : files) { Properties all = new Properties();
            all.load(Files.newInputStream(Paths.get(file)));
            for (String key : new TreeSet<>(all.stringPropertyNames()))
                System.out.print(hex(key) + "=" + hex(all.getProperty(key)) + " ");
            System.out.println(); } }
        static String hex(String text) { StringBuilder out = new StringBuilder("x");
            for (char c : text.toCharArray()) out.append(String.format("%04x", (int) c));
            return out.toString(); } }
"""


def read_by_java(folder: Path, texts: Iterable[str]) -> list[str]:
    """`java` runs a single source file, so the reference is at hand wherever TorchServe is."""
    source = folder / "Show.java"
    source.write_text(SHOW)
    files = []
    for number, text in enumerate(texts):
        files.append(folder / f"{number}.properties")
        files[-1].write_bytes(text.encode("latin-1"))
    command = [find_java(os.environ).executable, str(source), *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # A backslash that stands alone is an empty key for some versions of Java, for others nothing.
    return [" ".join(w for w in line.split() if w != "x=x") for line in done.stdout.splitlines()]


def shown(pairs: Mapping[str, str]) -> str:
    """Return what `SHOW` prints for `pairs`."""
    return " ".join(f"{_hex(key)}={_hex(pairs[key])}" for key in sorted(pairs) if key or pairs[key])


def test_the_cases_above_are_what_java_itself_reads(tmp_path: Path) -> None:
    assert read_by_java(tmp_path, (text for text, _ in CASES)) == [shown(p) for _, p in CASES]


def test_any_bytes_are_read_as_java_reads_them(tmp_path: Path) -> None:
    chosen = random.Random(12)
    parts = ["a", "b", "=", ":", " ", "\t", "\f", "\n", "\r", "\r\n", "\\", "\\\n", "#", "!", "\x85",
             "\x1c", "\x0b", "\xa0", "\xe9", "\\t", "\\u0041", "\0", "$$"]  # fmt: skip
    texts = ["".join(chosen.choices(parts, k=chosen.randint(1, 12))) for _ in range(800)]
    texts = [text for text in texts if "\\u" not in text.replace("\\u0041", "")]

    assert read_by_java(tmp_path, texts) == [shown(parse_properties(text)) for text in texts]


def test_a_file_is_read_as_latin_1(tmp_path: Path) -> None:
    path = tmp_path / "config.properties"
    path.write_bytes(b"a=\xe9\n")
    assert read_properties(str(path)) == {"a": "é"}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("$$HOME_DIR$$/logs", "/srv/logs"),
        ("$$A$$$$HOME_DIR$$", "$$A$$/srv"),
        ("$$UNSET$$", "$$UNSET$$"),
        ("${HOME_DIR}", "${HOME_DIR}"),
        ("costs $$5", "costs $$5"),
    ],
)
def test_references_to_the_environment_are_resolved(value: str, expected: str) -> None:
    assert resolve_environment({"k": value}, {"HOME_DIR": "/srv"}) == {"k": expected}


def _hex(text: str) -> str:
    return "x" + text.encode("utf-16-be").hex()


def test_a_byte_order_mark_that_hides_the_first_key_is_named(tmp_path: Path) -> None:
    path = tmp_path / "config.properties"
    path.write_text("retry_enabled=false\nload_models=all\n", encoding="utf-8-sig")

    (problem,) = marked_keys(read_properties(str(path)), str(path))

    assert "retry_enabled" in problem
    assert str(path) in problem
    assert marked_keys({"retry_enabled": "false"}, str(path)) == []
