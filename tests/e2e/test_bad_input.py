"""Whatever is wrong with settings, files or exceptions: one clear line, and nothing else breaks."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Iterator

import pytest

from tests.e2e.archives import SOUND, initialize, pack
from tests.e2e.torchserve import TorchServe

UNRAISABLE = initialize("""
    class Nasty(Exception):
        def __str__(self):
            raise ValueError("no text for you")

    raise Nasty
""")
HUGE = initialize("raise RuntimeError('x' * 5_000_000)")
CONTROL = initialize(r"raise RuntimeError('\x1b[31mred\x00\r\nts-retry: model gone\x07')")
SECRET = initialize("raise RuntimeError('GET https://user:hunter2secret@host/x failed')")


def test_wrong_settings_are_named_and_the_defaults_used(tmp_path: Path) -> None:
    section = "retry:\n  onFatal: explode\n  maxHardCrash: 2\n  maxIdenticalFailures: lots\n"
    pack(tmp_path / "store", "sound", SOUND, config=section)
    pack(tmp_path / "store", "listed", SOUND, config="retry: [hold]\n")
    pack(tmp_path / "store", "torn", SOUND, config="retry:\n  onFatal: [\n")
    config = {"retry_rules": "nowhere.yaml", "retry_on_fatall": "hold", "retry_enabled": "maybe"}
    environ = {"TS_RETRY_MAX_HARD_CRASHES": "-1"}
    models = {name: f"{name}.mar" for name in ("sound", "listed")}
    with TorchServe(tmp_path, models, config=config, environ=environ) as server:
        for model in models:
            server.wait_for(lambda model=model: server.is_ready(model), f"{model} serves")  # type: ignore[misc]
        lines = [line for line in server.log().splitlines() if "ts-retry: " in line]
        for model, parts in (
            ("sound", ("retry: onFatal", "'explode'", "hold, reject, retire, shutdown or observe")),
            ("sound", ("'maxHardCrash'", "did you mean maxHardCrashes?")),
            ("sound", ("retry: maxIdenticalFailures", "'lots'", "a whole number")),
            ("sound", ("TS_RETRY_MAX_HARD_CRASHES", "'-1'")),
            ("sound", ("config.properties", "'retry_on_fatall'", "did you mean retry_on_fatal?")),
            ("sound", ("config.properties", "retry_enabled", "'maybe'", "true or false")),
            ("listed", ("retry: must hold keys", "['hold']")),
        ):
            own = [line for line in lines if f"-{model}_1.0" in line]
            assert any(all(part in line for part in parts) for line in own), (parts, own)


def test_a_rules_file_that_is_not_there_is_named_and_the_built_in_rules_judge(
    tmp_path: Path,
) -> None:
    pack(tmp_path / "store", "broken", "def handle(data, context)\n")
    config = {"retry_rules": "nowhere.yaml"}
    with TorchServe(tmp_path, {"broken": "broken.mar"}, config=config) as server:
        server.wait_for(lambda: server.is_held("broken"), "broken is held")
        assert f"{server.cwd}/nowhere.yaml" in server.log()
        assert "the built-in rules apply" in server.log()


def test_the_operators_own_rules_come_first(tmp_path: Path) -> None:
    rules = tmp_path / "rules.yaml"
    rules.write_text(
        "- id: our-licence-server\n  when: {message: 'no licence'}\n  verdict: non_recoverable\n"
        "  reason: The licence server refused.\n  remedy: Ask IT for a licence.\n"
        "- id: two-tries\n  when: {type: ConnectionError}\n  verdict: recoverable\n"
        "  max_attempts: 2\n"
    )
    pack(tmp_path / "store", "broken", initialize("raise RuntimeError('no licence for you')"))
    pack(tmp_path / "store", "limited", initialize("raise ConnectionRefusedError(111, 'busy')"))
    config = {"retry_rules": str(rules)}
    models = {"broken": "broken.mar", "limited": "limited.mar"}
    with TorchServe(tmp_path, models, config=config) as server:
        server.wait_for(lambda: server.is_held("broken"), "broken is held")
        marker = server.marker_of("broken")
        assert marker is not None
        assert (marker.rule, marker.remedy) == ("our-licence-server", "Ask IT for a licence.")
        server.wait_for(lambda: server.is_held("limited"), "limited is held")
        assert server.events("limited").count("load") == 2


def test_a_state_directory_that_cannot_be_used_is_named_and_another_one_taken(
    tmp_path: Path,
) -> None:
    (tmp_path / "a-file").write_text("not a directory")
    pack(tmp_path / "store", "broken", "def handle(data, context)\n")
    config = {"retry_state_dir": str(tmp_path / "a-file")}
    with TorchServe(tmp_path, {"broken": "broken.mar"}, config=config) as server:
        server.wait_for(lambda: server.is_held("broken"), "broken is held")
        assert f"cannot use the state directory '{tmp_path}/a-file'" in server.log()


#: What somebody plants in the marker's place, and what is said of it.
UNTRUSTED = {
    "torn": (b'{"schema": 1, "model": "bro', "torn or not JSON"),
    "newer": (b'{"schema": 2, "model": "broken"}', "schema 2"),
    "incomplete": (b'{"schema": 1, "model": "broken"}', "lacks or spoils the keys"),
    "huge": (b"\x00" * 300_000, "larger than"),
}
ODD = {"unraisable": UNRAISABLE, "long": HUGE, "control": CONTROL, "secret": SECRET}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("odd")
    handlers = {**dict.fromkeys(UNTRUSTED, "def handle(data, context)\n"), **ODD}
    models = {name: pack(root / "store", name, source) for name, source in handlers.items()}
    with TorchServe(root, models) as running:
        yield running


@pytest.mark.xdist_group("bad_input")
@pytest.mark.parametrize("name", UNTRUSTED)
def test_a_marker_that_cannot_be_trusted_is_set_aside_and_holds_nothing(
    server: TorchServe, name: str
) -> None:
    content, problem = UNTRUSTED[name]
    server.wait_for(lambda: server.is_held(name), f"{name} is held")
    directory = server.directory_of(name)
    assert directory is not None
    marker = Path(directory, "marker.json")
    (Path(directory) / "planted").write_bytes(content)
    (Path(directory) / "planted").replace(marker)
    server.wait_for(lambda: problem in server.lines_of(name), "the planted marker is refused")
    server.wait_for(lambda: server.events(name).count("load") == 2, "it is loaded again")
    assert Path(directory, "marker.json.rejected").read_bytes() == content


@pytest.mark.xdist_group("bad_input")
@pytest.mark.parametrize("name", ODD)
def test_no_exception_is_too_odd_to_be_recorded(server: TorchServe, name: str) -> None:
    server.wait_for(lambda: server.is_held(name), f"{name} is held", timeout=120)
    marker = server.marker_of(name)
    assert marker is not None
    assert marker.basis == "repeated"
    assert marker.failures >= 3  # with its trial loads, where this comes late
    assert server.events(name).count("load") == 3
    directory = server.directory_of(name)
    assert directory is not None
    for path in Path(directory).iterdir():
        assert path.stat().st_size < 256 * 1024
    text = json.dumps(marker._asdict())
    assert "hunter2secret" not in text
    # A line from a dying worker can be lost: the frontend closes its pipes with its connection.
    server.wait_for(lambda: "is held" in server.lines_of(name), "the holder says why")
    ours = [line for line in server.log().splitlines() if f"ts-retry: model '{name}'" in line]
    assert all("MODEL_LOG - ts-retry: model" in line for line in ours)
    assert not any(ord(char) < 32 for line in ours for char in line)


def test_a_failure_that_torchserve_logs_no_traceback_of_is_told_all_the_same(
    tmp_path: Path,
) -> None:
    """Of a time-out of the model's own it logs that nobody connected, of a SystemExit nothing."""
    waits = "import socket\nown, other = socket.socketpair()\nown.settimeout(0.1)\nown.recv(1)"
    store = tmp_path / "store"
    pack(store, "waits", initialize(waits))
    pack(store, "leaves", initialize("raise SystemExit(3)"))
    with TorchServe(tmp_path, {"waits": "waits.mar", "leaves": "leaves.mar"}) as server:
        for name, cause in (("waits", "TimeoutError: timed out"), ("leaves", "SystemExit: 3")):
            told = f"ts-retry: model '{name}' failed in phase initialize with {cause}"
            server.wait_for(lambda told=told: told in server.log(), told, 60)  # type: ignore[misc]
