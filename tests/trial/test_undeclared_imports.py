from __future__ import annotations

import json
from pathlib import Path

import pytest

from ts_retry_ext.trial.undeclared_imports import declared


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("numpy", ["numpy"]),
        ("# numpy\n\n", []),
        ("Scikit_Learn[all]>=1,<2 ; python_version > '3' # why", ["scikit-learn"]),
        ("requests==2 --hash=sha256:0", ["requests"]),
        ("--index-url https://example.org/simple", []),
        ("-e git+https://example.org/a.git#egg=Some.Thing", ["some-thing"]),
        ("thing @ https://example.org/thing.zip", ["thing"]),
        ("https://example.org/my_wheel-1.0-py3-none-any.whl", ["my-wheel"]),
        ("./wheels/my_wheel-1.0-py3-none-any.whl", ["my-wheel"]),
        ("-r more.txt\nnumpy", ["pandas", "numpy"]),
        ("--requirement=more.txt", ["pandas"]),
        ("-r requirements.txt\nnumpy", ["numpy"] * 9),
    ],
)
def test_names_in_a_requirements_file(tmp_path: Path, text: str, names: list[str]) -> None:
    (tmp_path / "MAR-INF").mkdir()
    manifest = {"model": {"requirementsFile": "requirements.txt"}}
    (tmp_path / "MAR-INF" / "MANIFEST.json").write_text(json.dumps(manifest))
    (tmp_path / "requirements.txt").write_text(text)
    (tmp_path / "more.txt").write_text("pandas\n")
    assert declared(str(tmp_path)) == names


def test_an_archive_without_a_manifest_or_file_declares_nothing(tmp_path: Path) -> None:
    assert declared(str(tmp_path)) == []
    (tmp_path / "MAR-INF").mkdir()
    (tmp_path / "MAR-INF" / "MANIFEST.json").write_text('{"model": {"requirementsFile": "no.txt"}}')
    assert declared(str(tmp_path)) == []
