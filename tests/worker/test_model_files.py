from __future__ import annotations

import json
import os
import time
from pathlib import Path
from typing import Callable

import pytest

from ts_retry_ext.worker.model_files import (
    Manifest,
    is_unchanged,
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


#: What happens to a model's files, and whether that is a repair of a model that failed to load.
CHANGES: dict[str, tuple[Callable[[Path], object], bool]] = {
    "written": (lambda model: (model / "handler.py").write_text("x = 2\n"), True),
    "older copy": (lambda model: os.utime(model / "handler.py", (1, 1)), True),
    "added": (lambda model: (model / "weights" / "more.pt").write_bytes(b""), True),
    "removed": (lambda model: (model / "weights" / "w.pt").unlink(), True),
    "moved": (lambda model: (model / "weights" / "w.pt").rename(model / "w.pt"), True),
    "unpacked file removed": (lambda model: (model / "unpacked" / "vocab.txt").unlink(), True),
    "read": (lambda model: (model / "handler.py").read_text(), False),
    "compiled": (lambda model: (model / "handler.pyc").write_bytes(b"c"), False),
    "core dump": (lambda model: (model / "core.1234").write_bytes(b"c"), False),
    "unpacked again": (lambda model: (model / "unpacked" / "vocab.txt").write_text("b"), False),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_model_has_changed_when_a_file_did_that_no_load_writes(
    tmp_path: Path, change: str
) -> None:
    (tmp_path / "handler.py").write_text("x = 1\n")
    (tmp_path / "weights").mkdir()
    (tmp_path / "weights" / "w.pt").write_bytes(b"w")
    begun = time.time_ns() + 50_000_000
    while time.time_ns() < begun + 50_000_000:
        time.sleep(0.01)
    (tmp_path / "unpacked").mkdir()
    (tmp_path / "unpacked" / "vocab.txt").write_text("a")
    signed = signature(str(tmp_path), begun)
    assert is_unchanged(str(tmp_path), signed)

    act, is_repair = CHANGES[change]
    act(tmp_path)
    assert is_unchanged(str(tmp_path), signed) is not is_repair


@pytest.mark.parametrize(
    "text", ["", "3-0a0b0c0d", "3-0a0b0c0d-", "3-0a0b0c0d-²", "3-0a0b0c0d-" + "9" * 5000]
)
def test_a_signature_that_is_none_holds_no_model(tmp_path: Path, text: str) -> None:
    assert not is_unchanged(str(tmp_path), text)


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
