"""TorchServe 0.8 and 0.9, where no retry can succeed: one load, the cause told, resume by scaling."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.e2e.archives import pack
from tests.e2e.torchserve import VERSION, TorchServe

BROKEN = """
    import os
    import sys

    sys.path.append(os.environ["TEMP"])
    import a_part


    class Handler:
        def initialize(self, context):
            pass

        def handle(self, data, context):
            return ["sound"] * len(data)
"""

pytestmark = pytest.mark.skipif(
    VERSION >= (0, 10), reason="from 0.10 on retries succeed: docs/torchserve-defects.md"
)


def test_a_broken_model_loads_once_is_told_and_resumed(tmp_path: Path) -> None:
    pack(tmp_path / "store", "broken", BROKEN)
    with TorchServe(tmp_path, {"broken": "broken.mar"}) as server:
        server.wait_for(lambda: server.process_starts("broken") >= 4, "the frontend retries")
        assert server.events("broken").count("load") == 1
        shown = server.command("status", "--json", "--pid", str(server.frontend().pid))
        (model,) = json.loads(shown.stdout)["models"]
        assert (model["state"], model["rule"]) == ("halted", "module-missing")

        (server.temp / "a_part.py").write_text("")
        resumed = server.command("resume", "broken", "--pid", str(server.frontend().pid))
        assert resumed.returncode == 0, resumed.stdout + resumed.stderr
        assert server.predict("broken") == (200, "sound")
