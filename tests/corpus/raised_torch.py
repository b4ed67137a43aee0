"""torch, numpy and YAML: raised with what TorchServe's environment always holds."""

from __future__ import annotations

import io
from datetime import timedelta
from pathlib import Path
from typing import Any

from tests.corpus.raising import Raised, memory_limited
from tests.corpus.world import World


def torch() -> Any:
    import torch

    return torch


def linear(inputs: int, outputs: int) -> Any:
    return torch().nn.Linear(inputs, outputs)


def saved(world: World, thing: Any, name: str = "model.pt") -> Path:
    path = world.tmp / name
    torch().save(thing, path)
    return path


def scripted(world: World) -> Path:
    path = world.tmp / "script.pt"
    torch().jit.save(torch().jit.trace(linear(2, 2), torch().zeros(1, 2)), str(path))
    return path


def cut(path: Path, size: int) -> str:
    path.write_bytes(path.read_bytes()[:size])
    return str(path)


def load_dict(inner: Any, state: Any) -> None:
    inner.load_state_dict(state)


class Plain:
    """An object that weights_only refuses."""


def row(name: str, wanted: str, raiser: Any) -> Raised:
    return Raised(name, wanted, raiser, "torch")


def distributed(world: World, wanted: Any) -> None:
    """Save a distributed checkpoint, and load something else from it."""
    import torch.distributed.checkpoint as checkpoint

    where = str(world.tmp / "checkpoint")
    checkpoint.save({"a": torch().zeros(2)}, checkpoint_id=where)
    checkpoint.load(wanted, checkpoint_id=where)


def hub_with_cut_safetensors(world: World) -> Any:
    code = (
        "from safetensors.torch import load_file\n\n\ndef net(path):\n    return load_file(path)\n"
    )
    world.file("hubconf.py", code.encode())
    path = world.file("cut.safetensors", b"\xff" * 8 + b"{")
    return torch().hub.load(str(world.tmp), "net", source="local", path=path)


def yaml_text(text: str) -> Any:
    import yaml

    return yaml.safe_load(text)


def meta_tensor(_: World) -> None:
    with torch().device("meta"):
        layer = linear(2, 2)
    layer.to("cpu")


ROWS: tuple[Raised, ...] = (
    row("state-dict-missing-keys", "N", lambda _: load_dict(linear(2, 2), {})),
    row("state-dict-unexpected-keys", "N", lambda _: load_dict(linear(2, 2), {**linear(2, 2).state_dict(), "extra": torch().zeros(1)})),
    row("state-dict-sizes", "N", lambda _: load_dict(linear(2, 2), linear(3, 3).state_dict())),
    row("state-dict-prefix", "N", lambda _: load_dict(linear(2, 2), {f"module.{k}": v for k, v in linear(2, 2).state_dict().items()})),
    row("state-dict-no-mapping", "N", lambda _: load_dict(linear(2, 2), [1])),
    row("file-missing", "N", lambda _: torch().load("model_that_is_not_there.pt")),
    row("file-empty", "N", lambda world: torch().load(world.file("empty.pt"))),
    row("file-is-text", "N", lambda world: torch().load(world.file("text.pt", b"version https://git-lfs.github.com/spec/v1\n"))),
    row("file-is-html", "U", lambda world: torch().load(world.file("page.pt", b"<html><body>404</body></html>"))),
    row("file-cut", "N", lambda world: torch().load(cut(saved(world, torch().zeros(5000)), 9000))),
    row("file-cut-short", "N", lambda world: torch().load(cut(saved(world, torch().zeros(5000)), 300))),
    row("weights-only-object", "N", lambda world: torch().load(saved(world, Plain()))),
    row("weights-only-model", "N", lambda world: torch().load(saved(world, linear(2, 2)))),
    row("script-missing", "N", lambda _: torch().jit.load("script_that_is_not_there.pt")),
    row("script-empty", "N", lambda world: torch().jit.load(world.file("empty.pt"))),
    row("script-cut", "N", lambda world: torch().jit.load(cut(scripted(world), 500))),
    row("script-is-state-dict", "N", lambda world: torch().jit.load(str(saved(world, linear(2, 2).state_dict())))),
    row("script-is-text", "N", lambda world: torch().jit.load(world.file("t.pt", b"hello"))),
    Raised("no-cuda", "N", lambda _: torch().zeros(1).cuda(), "torch", "cpu"),
    Raised("no-cuda-device", "N", lambda _: torch().zeros(1, device="cuda:3"), "torch", "cpu"),
    row("device-name", "N", lambda _: torch().zeros(1, device="gpu")),
    row("device-xpu", "N", lambda _: torch().zeros(1).to("xpu")),
    row("device-mps", "N", lambda _: torch().zeros(1).to("mps")),
    row("meta-tensor", "N", meta_tensor),
    row("matrix-shapes", "N", lambda _: linear(2, 2)(torch().zeros(1, 3))),
    row("matrix-dtypes", "N", lambda _: linear(2, 2)(torch().zeros(1, 2, dtype=torch().float64))),
    row("index-dtype", "N", lambda _: torch().nn.Embedding(3, 2)(torch().zeros(1))),
    row("host-memory-by-torch", "N", lambda _: torch().empty(2**46)),
    row("hub-callable", "N", lambda world: _hub_callable(world)),
    row("hub-source", "N", lambda _: torch().hub.load("a/b", "c", source="nowhere")),
    row("hub-hash", "R", lambda world: torch().hub.load_state_dict_from_url(world.url + "/page/x-12345678.pt", model_dir=str(world.tmp), check_hash=True, progress=False)),
    row("hub-404", "U", lambda world: torch().hub.load_state_dict_from_url(world.url + "/status/404", model_dir=str(world.tmp), progress=False)),
    row("hub-503", "R", lambda world: torch().hub.load_state_dict_from_url(world.url + "/status/503", model_dir=str(world.tmp), progress=False)),
    row("hub-429", "R", lambda world: torch().hub.load_state_dict_from_url(world.url + "/status/429", model_dir=str(world.tmp), progress=False)),
    row("hub-refused", "R", lambda world: torch().hub.load_state_dict_from_url(f"http://127.0.0.1:{world.closed_port()}/x.pt", model_dir=str(world.tmp), progress=False)),
    row("hub-reset", "R", lambda world: torch().hub.load_state_dict_from_url(world.url + "/reset/x", model_dir=str(world.tmp), progress=False)),
    row("disk-full-while-saving", "U", lambda _: torch().save({"a": torch().zeros(10**6)}, "/dev/full")),
    row("hub-safetensors-cut", "U", hub_with_cut_safetensors),
    row("checkpoint-key-missing", "N", lambda world: distributed(world, {"b": torch().zeros(2)})),
    row("checkpoint-size", "N", lambda world: distributed(world, {"a": torch().zeros(3)})),
    row("group-not-set-up", "N", lambda _: torch().distributed.all_reduce(torch().zeros(1))),
    row("group-variable-missing", "N", lambda _: torch().distributed.init_process_group("gloo")),
    row("store-time-out", "R", lambda world: torch().distributed.TCPStore("127.0.0.1", world.closed_port(), 2, False, timeout=timedelta(seconds=1))),
    row("store-port-in-use", "R", lambda world: torch().distributed.TCPStore("127.0.0.1", int(world.url.rpartition(":")[2]), 1, True, timeout=timedelta(seconds=1), use_libuv=True)),
    row("group-backend", "N", lambda _: torch().distributed.init_process_group("nosuch", init_method="tcp://127.0.0.1:1", rank=0, world_size=1)),
    row("operator-missing", "N", lambda _: torch().ops.torchvision.nms(torch().zeros(1, 4), torch().zeros(1), 0.5)),
    row("library-operators-missing", "N", lambda _: torch().ops.load_library("/opt/no/such/libcustom.so")),
    row("package-importer", "N", lambda world: torch().package.PackageImporter(world.file("p.pt", b"no zip"))),
    row("stream-not-seekable", "N", lambda _: torch().load(io.BytesIO(b"\x80\x02"))),
    Raised("numpy-pickle-forbidden", "N", lambda world: _numpy().load(_object_array(world)), "numpy"),
    Raised("numpy-header-cut", "N", lambda world: _numpy().load(world.file("h.npy", b"\x93NUMPY\x01\x00xxx")), "numpy"),
    Raised("numpy-cut", "N", lambda world: _numpy().load(_cut_array(world)), "numpy"),
    Raised("numpy-memory", "R", lambda _: _numpy_memory_runs_out(), "numpy"),
    Raised("numpy-memory-impossible", "N", lambda _: _numpy().empty((2**22, 2**22)), "numpy"),
    Raised("numpy-shapes", "N", lambda _: _numpy().zeros(3) + _numpy().zeros(4), "numpy"),
    Raised("yaml-mapping", "N", lambda _: yaml_text("a: b: c"), "yaml"),
    Raised("yaml-tab", "N", lambda _: yaml_text("a:\n\t- b"), "yaml"),
    Raised("yaml-cut", "N", lambda _: yaml_text("a: [1, 2"), "yaml"),
    Raised("yaml-tag", "N", lambda _: yaml_text("a: !!python/object:os.system {}"), "yaml"),
)  # fmt: skip


def _hub_callable(world: World) -> Any:
    world.file("hubconf.py")
    return torch().hub.load(str(world.tmp), "no_such", source="local")


def _numpy() -> Any:
    import numpy

    return numpy


def _numpy_memory_runs_out() -> None:
    with memory_limited(2**30):
        _numpy().empty(2**32, dtype="uint8")


def _object_array(world: World) -> str:
    path = str(world.tmp / "o.npy")
    _numpy().save(path, _numpy().array([{}], dtype=object), allow_pickle=True)
    return path


def _cut_array(world: World) -> str:
    path = world.tmp / "c.npy"
    _numpy().save(path, _numpy().zeros(1000))
    return cut(path, 200)
