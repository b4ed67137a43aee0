"""A real frontend, its workers and our tools agree on every form of manifest and configuration."""

from __future__ import annotations

import json
from pathlib import Path
from textwrap import dedent
from typing import Any, Iterator

import pytest

from tests.archive.odd_configurations import CONFIGURATIONS
from tests.archive.packing import CONFIG, files, manifest, write_mar
from tests.e2e.archives import BROKEN, SOUND
from tests.e2e.torchserve import TorchServe

REJECTING = ("block", "flow", "json", "json with a byte order mark", "indented", "tag",
             "escaped keys", "merge keys", "tabs behind values")  # fmt: skip
SWITCHED_OFF = '{"retry": {"enabled": false}}'

pytestmark = pytest.mark.xdist_group("odd_configurations")


def name_of(case: str) -> str:
    return "".join(char if char.isalnum() else "_" for char in case)


def archive(store: Path, name: str, handler: str, config: bytes | None, text: str = "") -> str:
    """Write an archive as it stands, without the archiver, and return its file name."""
    model = manifest(name, **({} if config is None else {"configFile": CONFIG}))
    entries = {**files(text or model), "h.py": dedent(handler).encode()}
    if config is not None:
        entries[CONFIG] = config
    write_mar(store / f"{name}.mar", entries)
    return f"{name}.mar"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("odd_configurations")
    store = root / "store"
    store.mkdir()
    for odd in CONFIGURATIONS:
        archive(store, f"idle_{name_of(odd.name)}", SOUND, odd.data)
        if odd.name in REJECTING:
            archive(store, name_of(odd.name), BROKEN, odd.data)
    archive(store, "off", BROKEN, SWITCHED_OFF.encode())
    numbered = json.dumps(manifest("numbered")).replace('"1.0"', "1.10")
    archive(store, "numbered", BROKEN, None, numbered)
    lenient = json.dumps(manifest("lenient", configFile=CONFIG)).replace('"', "'") + "\n"
    archive(store, "lenient", BROKEN, SWITCHED_OFF.encode(), lenient)
    models = {
        name: f"{name}.mar" for name in (*map(name_of, REJECTING), "off", "numbered", "lenient")
    }
    # A comment whose letter ends in the byte 85: no new line, for Java and for us.
    with TorchServe(root, models, config={"# \u0445 retry_enabled": "false"}) as running:
        yield running


def described(server: TorchServe, model: str) -> dict[str, Any]:
    code, body = server.call(f"/models/{model}")
    assert code == 200, body
    return dict(body[0])


@pytest.mark.parametrize("case", REJECTING)
def test_reject_in_any_form_answers_503(server: TorchServe, case: str) -> None:
    model = name_of(case)
    server.wait_for(lambda: server.is_held(model) and server.is_ready(model), f"{model} rejects")

    code, body = server.predict(model)

    assert code == 503
    assert "no_such_module_anywhere" in body["exception"]["message"]


def test_a_model_that_is_switched_off_in_json_style_is_not_halted(server: TorchServe) -> None:
    for model in ("off", "lenient"):
        server.wait_for(lambda m=model: len(server.retry_waits(m)) >= 4, f"four retries of {model}")  # type: ignore[misc]
        assert server.retry_waits(model)[:4] == [1, 1, 2, 3]
        assert server.directory_of(model) is None


def test_a_version_that_is_a_number_is_the_same_text_for_everybody(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("numbered"), "numbered is held")
    marker = server.marker_of("numbered")
    assert marker is not None

    (status,) = [model for model in server.status() if model["model"] == "numbered"]
    told = json.loads(server.command("config", "--json", str(server.store / "numbered.mar")).stdout)
    versions = (described(server, "numbered")["modelVersion"], marker.version, status["version"],
                told[0]["version"])  # fmt: skip
    assert versions == ("1.10",) * 4
    assert (status["state"], status["verdict"]) == ("halted", "non_recoverable")


def test_the_frontend_has_in_force_what_the_table_says(server: TorchServe) -> None:
    wrong = []
    for odd in CONFIGURATIONS:
        model = f"idle_{name_of(odd.name)}"
        path = f"/models?url={model}.mar&initial_workers=0&synchronous=true"
        code, body = server.call(path, "POST")
        assert code in (200, 409), (odd.name, body)  # 409: registered by the first try.
        shown = described(server, model)
        keys = ("startupTimeout", "responseTimeout", "maxRetryTimeoutInSec")
        found = tuple(shown[key] for key in keys)
        if found != (odd.startup_sec, odd.response_sec, odd.window_sec):
            wrong.append((odd.name, found))
    assert not wrong

    done = server.command("config", "--json", "--pid", str(server.frontend().pid))
    rows = json.loads(done.stdout)
    disagree = [row["model"] for row in rows for problem in row["problems"]
                if problem["code"] == "frontend-disagrees"]  # fmt: skip
    assert not disagree
