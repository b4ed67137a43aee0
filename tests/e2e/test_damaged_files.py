"""A file of weights that is cut where somebody still writes it is loaded once it is whole; a cut one in the archive is not."""

from __future__ import annotations

import io
from functools import partial
from pathlib import Path
from typing import Iterator

import pytest
import torch

from tests.e2e.archives import initialize, pack
from tests.e2e.torchserve import TorchServe

safetensors = pytest.importorskip("safetensors.torch")

pytestmark = [pytest.mark.xdist_group("damaged_files"), pytest.mark.timeout(900)]

#: Seconds for loads and trials where the machine is busy.
BUSY_SEC = 200.0
#: The model's directory, with what a load has copied into it: a download in small.
FETCHED = """context.system_properties['model_dir']
import shutil
shutil.copytree(os.path.join(os.environ['TEMP'], 'volume'), folder, dirs_exist_ok=True)"""
ALONE = "retry:\n  enabled: false\n"
#: Large enough for torch to name the zip file: of a cut one below 64 KB it says only EINVAL.
TENSORS = {"layer": torch.ones(1_000_000)}
#: What loads a file of weights that is named relative to a folder.
LOADERS = {
    "weights.pt": "import torch; torch.load(os.path.join(folder, 'weights.pt'), weights_only=True)",
    "weights.safetensors": "import safetensors.torch; safetensors.torch.load_file(os.path.join(folder, 'weights.safetensors'))",
}


def _whole(name: str) -> bytes:
    if name.endswith(".safetensors"):
        return bytes(safetensors.save(TENSORS))
    written = io.BytesIO()
    torch.save(TENSORS, written)
    return written.getvalue()


def _cut(name: str) -> bytes:
    content = _whole(name)
    return content[: len(content) // 2]


def _handler(folder: str, name: str) -> str:
    return initialize(f"import os\nfolder = {folder}\n{LOADERS[name]}")


@pytest.fixture(
    params=["weights.safetensors", pytest.param("weights.pt", marks=pytest.mark.nightly)]
)
def weights(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def server(tmp_path: Path, weights: str) -> Iterator[TorchServe]:
    """Run a server with models of a volume with a cut file, of a copy that each load makes of it, and of an archive with one."""
    store = tmp_path / "store"
    on_volume = _handler("os.path.join(os.environ['TEMP'], 'volume')", weights)
    fetched = _handler(FETCHED, weights)
    in_archive = _handler("context.system_properties['model_dir']", weights)
    pack(store, "watched", on_volume)
    pack(store, "alone", on_volume, config=ALONE)
    pack(store, "fetched", fetched)
    pack(store, "inside", in_archive, {weights: _cut(weights)}, serialized=weights)
    models = {name: f"{name}.mar" for name in ("watched", "alone", "fetched", "inside")}
    volume = tmp_path / "tmp" / "volume"
    volume.mkdir(parents=True)
    (volume / weights).write_bytes(_cut(weights))
    with TorchServe(tmp_path, models) as running:
        yield running


def test_a_cut_file_on_a_volume_is_loaded_once_it_is_whole_as_torchserve_alone_does(
    server: TorchServe, weights: str
) -> None:
    server.wait_for(
        lambda: "tried" in server.events("watched"), "a trial load has failed", BUSY_SEC
    )
    told = {model["model"]: model for model in server.status()}
    assert told["watched"]["state"] == "waiting"
    assert "unless somebody still writes it" in told["watched"]["reason"]

    (server.temp / "volume" / weights).write_bytes(_whole(weights))
    for model in ("watched", "alone", "fetched"):
        server.wait_for(partial(server.is_ready, model), f"{model} serves", BUSY_SEC)
        assert server.predict(model) == (200, "sound")

    server.wait_for(lambda: server.is_held("inside"), "the cut file of the archive is held")
    assert server.events("inside") == ["start", "load", "failure", "hold"]
    assert told["inside"]["state"] == "halted"
