"""Paths in a message: which there are, and what is known of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from ts_retry_ext.judge.paths import NO_HOST, PATH_PREDICATES, Host, paths_in

UNPACKED = "/tmp/models/0123456789abcdef0123456789abcdef"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[Errno 2] No such file or directory: '/a/b.pt'", ("/a/b.pt",)),
        ("[Errno 2] No such file or directory: 'model.pt'", ("model.pt",)),
        ("could not open /a/b/c.json.", ("/a/b/c.json",)),
        ("see https://huggingface.co/a/b", ()),
        ("nothing", ()),
        (
            "at /project/faiss/impl/io.cpp:69: could not open /a/b.index for reading",
            ("/a/b.index",),
        ),
        ("cannot open '/a/b.cpp'", ("/a/b.cpp",)),
    ],
)
def test_paths_are_found(text: str, expected: tuple[str, ...]) -> None:
    assert paths_in(text) == expected


@pytest.mark.parametrize(
    ("path", "predicate", "expected"),
    [
        (f"{UNPACKED}/vocab.txt", "missing_in_model_dir", True),
        ("vocab.txt", "missing_in_model_dir", True),
        ("../vocab.txt", "missing_in_model_dir", False),
        ("/mnt/models/x.pt", "missing_in_model_dir", False),
        ("/mnt/models/x.pt", "shared", True),
        ("/root/.cache/huggingface/x", "shared", True),
        ("/data/models/x.pt", "shared", True),
        ("/home/model-server/.insightface/models/x.onnx", "shared", True),
        ("/home/model-server/data/x.pt", "shared", False),
        ("/opt/app/x.pt", "shared", False),
        ("/opt/app/x.pt", "missing_on_host", True),
        ("/mnt/models/x.pt", "missing_on_host", False),
        (f"{UNPACKED}/vocab.txt", "exists_now", False),
    ],
)
def test_without_a_host_the_path_alone_decides(path: str, predicate: str, expected: bool) -> None:
    assert PATH_PREDICATES[predicate]((path,), NO_HOST) is expected


def test_a_host_tells_what_is_there(tmp_path: Path) -> None:
    (tmp_path / "there.txt").write_text("x")
    host = Host(model_dir=str(tmp_path), exists=os.path.exists)
    assert PATH_PREDICATES["missing_in_model_dir"]((f"{tmp_path}/gone.txt",), host)
    assert not PATH_PREDICATES["missing_in_model_dir"]((f"{tmp_path}/there.txt",), host)
    assert PATH_PREDICATES["exists_now"](("there.txt",), host)
    assert PATH_PREDICATES["present_in_model_dir"](("there.txt",), host)


def test_a_host_that_breaks_knows_nothing() -> None:
    def broken(path: str) -> bool:
        raise OSError(path)

    host = Host(model_dir="/m", exists=broken)
    assert PATH_PREDICATES["missing_in_model_dir"](("/m/x.txt",), host)
    assert not PATH_PREDICATES["exists_now"](("/m/x.txt",), host)


@pytest.mark.parametrize(
    ("source", "fetches"),
    [
        ('subprocess.run(["aws", "s3", "cp", url, path])', True),
        ('os.system(f"wget -q {url}")', True),
        ("snapshot_download(name, local_dir=folder)", True),
        ("answer = requests.get(url)", True),
        ("torch.hub.load_state_dict_from_url(url)", True),
        ("WEIGHTS = fetch_weights(DOWNLOAD_FOLDER)", True),
        ("rows = cursor.fetchall()", False),
        ("import torch\nself.model = torch.jit.load(path)", False),
        ("requests = data[0]['requests']", False),
        # Of the model's directory, this loads what is there.
        ("AutoModel.from_pretrained(model_dir)", False),
    ],
)
def test_a_missing_file_may_be_one_that_the_models_own_code_fetches(
    source: str, fetches: bool
) -> None:
    host = Host(exists=lambda _: False, sources=lambda: ["x = 1", source])
    assert PATH_PREDICATES["not_fetched"]((f"{UNPACKED}/weights.pt",), host) is fetches
    assert PATH_PREDICATES["not_fetched"](("/opt/weights.pt",), host) is fetches


def test_if_the_code_cannot_be_read_nothing_is_said_of_it() -> None:
    def unreadable() -> list[str]:
        raise PermissionError(13, "Permission denied")

    host = Host(exists=lambda _: False, sources=unreadable)
    assert not PATH_PREDICATES["not_fetched"]((f"{UNPACKED}/weights.pt",), host)
