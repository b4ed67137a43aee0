from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from ts_retry_ext.worker.model_files import (
    Manifest,
    read_config_section,
    read_manifest,
    registration,
    signature,
)


def lay_out(model_dir: Path, manifest: object) -> None:
    (model_dir / "MAR-INF").mkdir(parents=True)
    (model_dir / "MAR-INF" / "MANIFEST.json").write_text(
        manifest if isinstance(manifest, str) else json.dumps(manifest)
    )


@pytest.mark.parametrize(
    ("manifest", "expected"),
    [
        (
            {"model": {"modelName": "m", "modelVersion": "2.0", "handler": "h.py",
                       "configFile": "c.yaml"}},
            Manifest("m", "2.0", "h.py", "c.yaml"),
        ),
        ({"model": {"modelName": "m"}}, Manifest("m", None, None, None)),
        ({"model": {"modelName": 5, "handler": ""}}, Manifest("5", None, None, None)),
        ({"model": ["m"]}, Manifest(None, None, None, None)),
        ({}, Manifest(None, None, None, None)),
        ([], Manifest(None, None, None, None)),
        ("{", Manifest(None, None, None, None)),
        ("[" * 100_000, Manifest(None, None, None, None)),
    ],
)  # fmt: skip
def test_a_manifest_tells_what_it_can_and_is_never_an_error(
    tmp_path: Path, manifest: object, expected: Manifest
) -> None:
    lay_out(tmp_path, manifest)
    assert read_manifest(str(tmp_path)) == expected


def test_without_a_manifest_nothing_is_told(tmp_path: Path) -> None:
    assert read_manifest(str(tmp_path)) == Manifest(None, None, None, None)


def test_an_unpacked_archive_is_its_own_registration() -> None:
    assert registration("/tmp/models/0123", ["/tmp/models/0123", "/serve"]) == "/tmp/models/0123"
    assert registration("/tmp/models/0123", []) == "/tmp/models/0123"


def test_a_linked_directory_is_registered_by_its_link(tmp_path: Path) -> None:
    model = tmp_path / "store" / "plain"
    model.mkdir(parents=True)
    link = tmp_path / "models" / "0123"
    link.mkdir(parents=True)
    (link / "plain").symlink_to(model)
    other = tmp_path / "other"
    other.mkdir()
    path = [str(other), str(model), str(link), "/serve"]
    assert registration(str(model), path) == str(link)
    assert registration(str(model), [str(model), str(other)]) == str(model)


def test_the_signature_changes_with_the_files_and_with_nothing_else(tmp_path: Path) -> None:
    handler = tmp_path / "handler.py"
    handler.write_text("x = 1\n")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.pt").write_bytes(b"w")
    first = signature(str(tmp_path))
    assert signature(str(tmp_path)) == first

    (tmp_path / "__pycache__").mkdir()
    (tmp_path / "__pycache__" / "handler.cpython-311.pyc").write_bytes(b"c")
    handler.read_text()
    assert signature(str(tmp_path)) == first

    seen = {first}
    for change in (
        lambda: handler.write_text("x = 2\n"),
        lambda: os.utime(handler, (1, 1)),
        lambda: (tmp_path / "weights" / "more.pt").write_bytes(b""),
        lambda: (tmp_path / "weights" / "more.pt").unlink(),
        lambda: (tmp_path / "weights" / "w.pt").rename(tmp_path / "w.pt"),
    ):
        change()
        seen.add(signature(str(tmp_path)))
    # Removing what was added leads back to the state before, so one signature comes twice.
    assert len(seen) == 5


@pytest.mark.parametrize(
    ("text", "section", "problem"),
    [
        ("retry:\n  onFatal: hold\n", {"onFatal": "hold"}, None),
        ("minWorkers: 1\n", None, None),
        ("other:\n  retry: 5\n", None, None),
        ("retry: [\n", None, "cannot read retry:"),
        ('"retry": {enabled: false}\n', {"enabled": False}, None),
        ("retry:\n", None, None),
    ],
)
def test_the_section_of_the_models_configuration_is_read(
    tmp_path: Path, text: str, section: object, problem: str | None
) -> None:
    (tmp_path / "c.yaml").write_text(text)
    found, said = read_config_section(str(tmp_path), Manifest("m", None, None, "c.yaml"), "retry")
    assert found == section
    assert (said is None) if problem is None else (problem in (said or ""))


def test_a_configuration_that_is_not_named_or_not_there_has_no_section(tmp_path: Path) -> None:
    (tmp_path / "model-config.yaml").write_text("retry:\n  onFatal: hold\n")
    unnamed, missing = Manifest("m", None, None, None), Manifest("m", None, None, "c.yaml")
    assert read_config_section(str(tmp_path), unnamed, "retry") == (None, None)
    assert read_config_section(str(tmp_path), missing, "retry") == (None, None)
