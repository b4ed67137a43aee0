"""Models that are folders, and one folder or one archive under several names."""

from __future__ import annotations

from textwrap import indent
from typing import Iterator

import pytest

from tests.e2e.archives import SOUND, initialize, lacks, lay_out, pack, refused
from tests.e2e.torchserve import TorchServe

#: One source for all the names that it is registered under: one of them recovers, two lack something.
BY_NAME = initialize(
    'if context.model_name.endswith("flaky"):\n'
    + indent(refused(1), "    ")
    + "else:\n"
    + indent(lacks(), "    ")
)
#: Registered as <source>_first, <source>_second and <source>_flaky.
SOURCES = ("folder", "archive")

pytestmark = pytest.mark.xdist_group("directory_model")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("folders")
    store = root / "store"
    places = {
        "folder": lay_out(store / "folder", "folder", BY_NAME),
        "archive": pack(store, "archive", BY_NAME),
    }
    models = {
        f"{source}_{name}": place
        for source, place in places.items()
        for name in ("first", "second", "flaky")
    }
    models["plain"] = lay_out(store / "plain", "plain", "def handle(data, context)\n")
    with TorchServe(root, models) as running:
        yield running


def test_repairing_the_file_in_place_brings_the_model_back_without_a_command(
    server: TorchServe,
) -> None:
    server.wait_for(lambda: server.is_held("plain") or server.is_ready("plain"), "plain is held")
    handler = server.store / "plain" / "plain_handler.py"
    handler.write_text(SOUND.replace("\n    ", "\n"))
    server.wait_for(lambda: server.is_ready("plain"), "plain serves", timeout=60)
    assert server.predict("plain") == (200, "sound")
    assert server.marker_of("plain") is None
    assert server.events("plain") == [
        *("start", "load", "failure", "hold"),
        *("trial", "tried", "resume", "release"),
        *("start", "load", "loaded"),
    ]
    (trial,) = [r for r in server.journal_of("plain") if r.event == "trial"]
    assert trial.reason == "plain_handler.py was changed"


@pytest.mark.parametrize("source", SOURCES)
def test_under_another_name_the_same_files_recover(server: TorchServe, source: str) -> None:
    model = f"{source}_flaky"
    server.wait_for(lambda: server.is_ready(model), f"{model} serves")
    assert server.events(model) == ["start", "load", "failure", "start", "load", "loaded"]
    assert server.predict(model) == (200, "sound")


@pytest.mark.parametrize("source", SOURCES)
def test_each_name_is_halted_and_resumed_for_itself(server: TorchServe, source: str) -> None:
    first, second = f"{source}_first", f"{source}_second"
    for model in (first, second):
        server.wait_for(lambda model=model: server.is_held(model), f"{model} is held")  # type: ignore[misc]
        assert server.events(model)[:4] == ["start", "load", "failure", "hold"]
    assert server.directory_of(first) != server.directory_of(second)
    server.supply(first)
    server.resume(first)
    assert server.predict(first) == (200, "sound")
    assert server.is_held(second)
    server.supply(second)
    server.resume(second)
    assert server.predict(second) == (200, "sound")
