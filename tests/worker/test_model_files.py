from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Callable

import pytest

from ts_retry_ext.worker.model_files import (
    is_unchanged,
    registration,
    signature,
)


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
