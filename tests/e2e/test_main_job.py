"""One server with broken, flaky and sound models: what the package exists for."""

from __future__ import annotations

import io
import re
import time
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Iterator

import pytest
import torch

from tests.e2e.archives import SOUND, initialize, pack, refused
from tests.e2e.torchserve import TorchServe

#: Loaded once, never again. Name: (handler, further files, rule that decides).
SYNTAX_ERROR = "def handle(data, context)\n    return data\n"
IMPORTS_BROKEN = "import broken_part\n" + initialize("pass").replace("class", "class ", 1)
BROKEN_PART = {"broken_part.py": "def f(:\n"}
MISSING_MODULE = "import no_such_module_anywhere\n\n" + initialize("pass")
STATE_DICT = initialize("""
    import os, torch
    path = os.path.join(context.system_properties["model_dir"], "weights.pt")
    torch.nn.Linear(3, 2).load_state_dict(torch.load(path))
""")
#: What handlers of large models do. The second worker does it when the first one holds already.
UNPACKS = initialize("""
    import os, time, zipfile
    try:
        os.close(os.open(os.path.join(os.environ["TEMP"], "unpacks"), os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        time.sleep(5)
    folder = context.system_properties["model_dir"]
    with zipfile.ZipFile(os.path.join(folder, "tokenizer.zip")) as archive:
        archive.extractall(folder)
    import broken_part
""")
TWO = "minWorkers: 2\nmaxWorkers: 2\n"
SEGFAULT = initialize("import ctypes; ctypes.string_at(0)")
OS_EXIT = initialize("import os; os._exit(7)")
HELD_AFTER_ONE_LOAD = ("syntax", "imports", "missing", "mismatch")


def _weights_of_another_shape() -> bytes:
    buffer = io.BytesIO()
    torch.save(torch.nn.Linear(4, 2).state_dict(), buffer)
    return buffer.getvalue()


def _zipped() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("vocab.txt", "a b c")
    return buffer.getvalue()


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("main")
    store = root / "store"
    pack(store, "syntax", SYNTAX_ERROR)
    pack(store, "imports", IMPORTS_BROKEN, BROKEN_PART)
    pack(store, "missing", MISSING_MODULE)
    pack(store, "mismatch", STATE_DICT, {"weights.pt": _weights_of_another_shape()})
    pack(store, "flaky", initialize(refused(3)))
    pack(store, "segfault", SEGFAULT)
    pack(store, "osexit", OS_EXIT)
    pack(store, "sound", SOUND)
    pack(store, "twins", SYNTAX_ERROR, config=TWO)
    pack(store, "unpacks", UNPACKS, {"tokenizer.zip": _zipped(), **BROKEN_PART}, config=TWO)
    names = [path.stem for path in store.glob("*.mar")]
    models = {name: f"{name}.mar" for name in names}
    with TorchServe(root, models, torch_at_start=True) as running:
        yield running


pytestmark = pytest.mark.xdist_group("main_job")


@pytest.mark.parametrize(
    ("model", "rule", "phase", "cause"),
    [
        ("syntax", "syntax-error", "import", "SyntaxError"),
        ("imports", "syntax-error", "import", "SyntaxError"),
        ("missing", "module-missing", "import", "no_such_module_anywhere"),
        ("mismatch", "state-dict-mismatch", "initialize", "size mismatch"),
    ],
)
def test_what_cannot_recover_is_held_after_one_load(
    server: TorchServe, model: str, rule: str, phase: str, cause: str
) -> None:
    server.wait_for(lambda: server.is_held(model), f"{model} is held")
    marker = server.marker_of(model)
    assert marker is not None
    assert (marker.verdict, marker.basis, marker.rule) == ("non_recoverable", "rule", rule)
    assert marker.phase == phase
    assert cause in f"{marker.exception.type}: {marker.exception.message}"
    assert marker.max_retry_timeout_sec == 300
    assert marker.max_retry_timeout_source == "default"
    assert server.events(model) == ["start", "load", "failure", "hold"]
    assert server.process_starts(model) == 2


def test_the_held_worker_says_what_and_why_and_how_to_resume(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("missing"), "missing is held")
    marker = server.marker_of("missing")
    assert marker is not None
    (line,) = [line for line in server.lines_of("missing").splitlines() if "is held" in line]
    for part in ("no_such_module_anywhere", "module-missing", marker.fingerprint):
        assert part in line
    assert "ts-retry resume missing" in line


def test_the_frontend_learns_of_the_halt_within_a_second_and_a_half_of_quiet(
    server: TorchServe,
) -> None:
    """A second is the frontend's own wait; the machine is busy here, so bench/ has the figure."""
    server.wait_for(lambda: server.is_held("syntax"), "syntax is held")
    failed = next(r for r in server.journal_of("syntax") if r.event == "failure")
    held = next(r for r in server.journal_of("syntax") if r.event == "hold")
    assert _seconds(held.at) - _seconds(failed.at) >= 1.0
    # On a busy machine the frontend ends a worker that it has just started, and retries once more.
    assert server.retry_waits("syntax") in ([1], [1, 1])


def test_a_refused_connection_is_retried_as_stock_would_until_the_model_serves(
    server: TorchServe,
) -> None:
    server.wait_for(lambda: server.is_ready("flaky"), "flaky serves")
    assert server.events("flaky").count("load") == 4
    verdicts = [r.verdict for r in server.journal_of("flaky") if r.event == "failure"]
    assert verdicts == ["recoverable"] * 3
    assert server.retry_waits("flaky") == [1, 1, 2]
    assert server.predict("flaky") == (200, "sound")
    assert server.marker_of("flaky") is None


@pytest.mark.parametrize(
    ("model", "cause"), [("segfault", "Segmentation fault"), ("osexit", "without an exception")]
)
def test_a_process_that_dies_without_an_exception_is_held_after_three_loads(
    server: TorchServe, model: str, cause: str
) -> None:
    server.wait_for(lambda: server.is_held(model), f"{model} is held")
    marker = server.marker_of(model)
    assert marker is not None
    assert (marker.basis, marker.phase) == ("crashed", "process")
    assert marker.failures >= 3  # trial loads that fail count, too
    assert cause in marker.exception.message
    assert server.events(model).count("load") == 3
    assert server.process_starts(model) == 4


def test_the_stack_of_a_segfault_names_the_handler(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("segfault"), "segfault is held")
    marker = server.marker_of("segfault")
    assert marker is not None
    assert "segfault_handler.py" in marker.exception.traceback
    assert "ts_retry_ext" not in marker.exception.traceback
    assert any(frame.function == "initialize" for frame in marker.exception.frames)


def test_two_workers_of_a_broken_model_load_once_each(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("twins").count("hold") == 2, "both twins hold")
    assert server.events("twins").count("load") == 2
    assert server.process_starts("twins") == 4


def test_files_that_a_load_writes_are_no_repair_for_the_worker_that_holds(
    server: TorchServe,
) -> None:
    server.wait_for(lambda: server.events("unpacks").count("hold") == 2, "both hold")
    last = _seconds(server.journal_of("unpacks")[-1].at)
    server.wait_for(lambda: time.time() > last + 4, "each has looked at the files again")
    assert server.events("unpacks").count("load") == 2
    assert "release" not in server.events("unpacks")


def test_a_sound_model_serves_beside_them(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_ready("sound"), "sound serves")
    assert server.predict("sound") == (200, "sound")
    assert server.events("sound") == ["start", "load", "loaded"]


def test_a_holder_is_light(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("segfault"), "segfault is held")
    held = [r.pid for m in (*HELD_AFTER_ONE_LOAD, "segfault") for r in server.journal_of(m)
            if r.event == "hold" and r.pid is not None]  # fmt: skip
    workers = {worker.pid: worker for worker in server.workers()}
    sizes = [workers[pid].memory_info().rss for pid in held]
    assert len(sizes) == 5
    assert max(sizes) < 16 * 1024 * 1024


def test_nothing_is_started_in_the_minute_after_a_halt(server: TorchServe) -> None:
    for model in (*HELD_AFTER_ONE_LOAD, "segfault", "osexit"):
        server.wait_for(lambda model=model: server.is_held(model), f"{model} is held")  # type: ignore[misc]
    server.wait_for(lambda: server.events("unpacks").count("hold") == 2, "both unpacks hold")
    before = server.log().count("Worker cmdline")
    last = max(_seconds(server.journal_of(m)[-1].at) for m in HELD_AFTER_ONE_LOAD)
    server.wait_for(lambda: time.time() > last + 60, "a minute has passed", timeout=70)
    assert server.log().count("Worker cmdline") == before


def test_no_file_of_the_store_is_readable_by_others(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("syntax"), "syntax is held")
    paths = [server.state_dir, *Path(server.state_dir).rglob("*")]
    assert all(path.stat().st_mode & 0o077 == 0 for path in paths)
    assert not [path for path in paths if re.search(r"\.tmp$", path.name)]


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()
