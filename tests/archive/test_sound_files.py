from __future__ import annotations

import json
from pathlib import Path
from typing import Callable

import numpy as np
import pytest
import torch

from ts_retry_ext.archive.sound_files import is_sound


def _json(path: Path) -> None:
    path.write_text(json.dumps({str(number): "tench" for number in range(50)}))


def _torch(path: Path) -> None:
    torch.save({"layer": torch.ones(1000)}, path)


def _numpy(path: Path) -> None:
    np.savez(path, layer=np.ones(1000))


def _safetensors(path: Path) -> None:
    library = pytest.importorskip("safetensors.torch")
    library.save_file({"layer": torch.ones(1000), "bias": torch.ones(3)}, path, {"format": "pt"})


@pytest.mark.parametrize(
    ("name", "save"),
    [
        ("index_to_name.json", _json),
        ("net.pt", _torch),
        ("net.npz", _numpy),
        ("net.safetensors", _safetensors),
    ],
)
def test_a_file_is_sound_until_it_is_cut(
    name: str, save: Callable[[Path], None], tmp_path: Path
) -> None:
    path = tmp_path / name
    save(path)
    assert is_sound(str(path))
    content = path.read_bytes()
    for kept in (0, 1, 7, 40, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:kept])
        assert not is_sound(str(path)), f"{kept} of {len(content)} bytes"
    path.write_text("<html><body>503</body></html>")
    assert not is_sound(str(path))


def test_what_shows_nothing_of_itself_is_not_taken_for_sound(tmp_path: Path) -> None:
    (tmp_path / "vocab.txt").write_text("a")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "marked.json").write_text("{}", encoding="utf-8-sig")
    for name in ("vocab.txt", "deep.json", "marked.json", "missing.json", ".", "missing.pt"):
        assert not is_sound(str(tmp_path / name))
