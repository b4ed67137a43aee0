"""``ts-retry check`` answers before the deployment what the server answers after it."""

from __future__ import annotations

import json
from pathlib import Path

from tests.e2e.archives import SOUND, initialize, lay_out, pack
from tests.e2e.torchserve import TorchServe
from ts_retry_ext.store.record import Event

BROKEN = {
    "syntax": "def handle(data, context)\n",
    "import_error": "import acme_feature_store\n" + SOUND,
    "unknown": initialize("raise ValueError('calibration drifted')"),
    "dies": initialize("import os\nos._exit(7)"),
}
OUTCOMES = (Event.LOADED, Event.FAILURE, Event.CRASH)
JUDGED = ("verdict", "basis", "rule", "scope", "fingerprint", "phase")


def test_the_check_agrees_with_the_server(tmp_path: Path) -> None:
    store = tmp_path / "store"
    for name, handler in BROKEN.items():
        pack(store, name, handler)
    models = {name: f"{name}.mar" for name in BROKEN}
    models["folder"] = lay_out(store / "folder", "folder", SOUND, "maxRetryTimeoutInSec: 20\n")
    with TorchServe(tmp_path, models) as server:
        done = server.command("check", str(store), "--json", "--data", __file__)
        assert done.returncode == 3, done.stdout + done.stderr
        rows = {row["model"]: row for row in json.loads(done.stdout)}
        assert set(rows) == set(models)
        for name, row in rows.items():
            [first, *_] = server.wait_for(
                lambda name=name: [  # type: ignore[misc]
                    r for r in server.journal_of(name) if r.event in OUTCOMES
                ],
                f"{name} has loaded or failed",
            )
            assert (row["result"] == "loads") is (first.event == Event.LOADED), row
            assert {k: row[k] for k in JUDGED} == {k: getattr(first, k) for k in JUDGED}, name
        described = server.call("/models/folder")[1][0]
        assert rows["folder"]["max_retry_timeout_sec"] == described["maxRetryTimeoutInSec"]
        assert rows["folder"]["request"]["body"] == server.predict("folder")[1]
    assert [row["result"] for row in rows.values()].count("loads") == 1
