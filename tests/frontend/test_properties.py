from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from ts_retry_ext.frontend.java import find_java
from ts_retry_ext.frontend.properties import parse_properties, read_properties, resolve_environment

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
]


@pytest.mark.parametrize(("text", "expected"), CASES)
def test_text_is_read_as_java_reads_it(text: str, expected: dict[str, str]) -> None:
    assert parse_properties(text) == expected


def test_the_cases_above_are_what_java_itself_reads(tmp_path: Path) -> None:
    """`java` runs a single source file, so the reference is at hand wherever TorchServe is."""
    source = tmp_path / "Show.java"
    source.write_text("""
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
    """)
    files = []
    for number, (text, _) in enumerate(CASES):
        files.append(tmp_path / f"{number}.properties")
        files[-1].write_bytes(text.encode("latin-1"))
    command = [find_java(os.environ).executable, str(source), *map(str, files)]
    shown = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    expected = [
        " ".join(f"{_hex(k)}={_hex(v)}" for k, v in sorted(pairs.items())) for _, pairs in CASES
    ]
    assert [line.strip() for line in shown] == expected


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
    return "x" + "".join(f"{ord(char):04x}" for char in text)
