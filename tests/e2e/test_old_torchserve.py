"""The main job on an older TorchServe, in an environment of its own; nox runs the whole matrix."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Iterator

import pytest

from tests.e2e.archives import initialize, pack, refused
from tests.e2e.environments import Environment
from tests.e2e.torchserve import TorchServe

VERSION = "0.11.1"

pytestmark = pytest.mark.xdist_group("old_torchserve")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("old")
    environment = Environment(root / "environment", without=("ts", "torchserve"))
    try:
        environment.download(f"torchserve=={VERSION}")
    except subprocess.CalledProcessError as error:
        if "CI" in os.environ:
            raise
        pytest.skip(f"torchserve {VERSION} cannot be installed: {error.stderr[-300:]}")
    pack(root / "store", "syntax", "def handle(data, context)\n    return data\n")
    pack(root / "store", "flaky", initialize(refused(2)))
    models = {"syntax": "syntax.mar", "flaky": "flaky.mar"}
    with TorchServe(root, models, python=environment.python) as running:
        assert running.call("/api-description")[1]["info"]["version"] == VERSION
        yield running


def test_what_cannot_recover_is_held_after_one_load(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("syntax"), "syntax is held")
    marker = server.marker_of("syntax")
    assert marker is not None
    assert (marker.basis, marker.rule) == ("rule", "syntax-error")
    assert server.events("syntax") == ["start", "load", "failure", "hold"]
    assert server.process_starts("syntax") == 2


def test_what_recovers_is_retried_until_it_serves(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_ready("flaky"), "flaky serves")
    assert server.events("flaky").count("load") == 3
    assert server.predict("flaky") == (200, "sound")


def test_a_repaired_model_serves_after_it_was_resumed(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("syntax"), "syntax is held")
    (module,) = Path(server.temp).glob("models/*/syntax_handler.py")
    module.write_text("def handle(data, context):\n    return ['sound'] * len(data or ())\n")
    server.wait_for(lambda: server.is_ready("syntax"), "syntax serves")
    assert server.predict("syntax") == (200, "sound")
