"""`RetryAwareHandler` and the errors that any handler may raise."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.e2e.archives import pack
from tests.e2e.environments import Environment
from tests.e2e.torchserve import TorchServe

AWARE = """
    from ts_retry_ext import RetryAwareHandler


    class Aware(RetryAwareHandler):
        {declared}

        def initialize(self, context):
            {body}

        def handle(self, data, context):
            return ["sound"] * len(data)
"""
DECLARES_FATAL = AWARE.format(
    declared="non_recoverable = (LookupError,)",
    body="raise KeyError('tenant-7 is not configured')",
)
DECLARES_RECOVERABLE = AWARE.format(
    declared="recoverable = (ImportError,)", body="import no_such_module_anywhere"
)
RAISES_FATAL = """
    from ts_retry_ext import NonRecoverableError


    def handle(data, context):
        raise NonRecoverableError("the contract ended", remedy="Renew it with sales.")
"""
FORGETS_THE_COMMA = AWARE.format(
    declared="non_recoverable = (LookupError)", body="raise KeyError('tenant-8')"
)
LOGS_AND_GOES_ON = """
    import logging


    class Patient:
        def initialize(self, context):
            try:
                import no_such_cache
            except ImportError:
                logging.exception("Failed to load model from the cache, taking the slow way")

        def handle(self, data, context):
            return ["sound"] * len(data)
"""
SPAWNS = """
    import multiprocessing

    from ts_retry_ext import RetryAwareHandler


    def double(number):
        return 2 * number


    class Spawning(RetryAwareHandler):
        def initialize(self, context):
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                assert pool.map(double, [1, 2]) == [2, 4]

        def handle(self, data, context):
            return ["sound"] * len(data)
"""
SERVES = AWARE.format(declared="recoverable = (OSError,)", body="pass")


def test_what_a_handler_declares_decides(tmp_path: Path) -> None:
    store = tmp_path / "store"
    pack(store, "fatal", DECLARES_FATAL)
    pack(store, "recoverable", DECLARES_RECOVERABLE)
    pack(store, "raises", RAISES_FATAL)
    pack(store, "serves", SERVES)
    pack(store, "comma", FORGETS_THE_COMMA)
    names = ("fatal", "recoverable", "raises", "serves", "comma")
    with TorchServe(tmp_path, {name: f"{name}.mar" for name in names}) as server:
        for model in ("fatal", "raises", "comma"):
            server.wait_for(lambda model=model: server.is_held(model), f"{model} is held")  # type: ignore[misc]
            marker = server.marker_of(model)
            assert marker is not None
            assert (marker.basis, marker.failures) == ("declared", 1)
            assert server.events(model) == ["start", "load", "failure", "hold"]
        raised = server.marker_of("raises")
        assert raised is not None
        assert raised.remedy == "Renew it with sales."
        failures = server.wait_for(
            lambda: [r for r in server.journal_of("recoverable") if r.event == "failure"],
            "recoverable fails",
        )
        assert (failures[0].verdict, failures[0].basis) == ("recoverable", "declared")
        server.wait_for(lambda: server.is_ready("serves"), "serves serves")
        assert server.events("serves") == ["start", "load", "loaded"]


def test_what_a_handler_does_within_its_load_is_not_taken_for_the_worker(tmp_path: Path) -> None:
    pack(tmp_path / "store", "patient", LOGS_AND_GOES_ON)
    pack(tmp_path / "store", "spawns", SPAWNS)
    with TorchServe(tmp_path, {"patient": "patient.mar", "spawns": "spawns.mar"}) as server:
        server.wait_for(lambda: server.is_ready("spawns"), "spawns serves")
        assert server.events("spawns") == ["start", "load", "loaded"]
        server.wait_for(lambda: server.is_ready("patient"), "patient serves")
        assert "taking the slow way" in server.log()
        assert server.events("patient") == ["start", "load", "loaded"]
        assert server.marker_of("patient") is None


@pytest.mark.parametrize("communication", ["unix", "tcp"])
def test_where_the_hook_cannot_run_the_handler_brings_the_protection(
    tmp_path: Path, communication: str
) -> None:
    environment = Environment(tmp_path / "venv", without=("ts_retry_ext.pth",))
    pack(tmp_path / "store", "fatal", DECLARES_FATAL)
    pack(tmp_path / "store", "serves", SERVES)
    config = {"use_native_io": "false"} if communication == "tcp" else {}
    models = {"fatal": "fatal.mar", "serves": "serves.mar"}
    with TorchServe(tmp_path, models, python=environment.python, config=config) as server:
        server.wait_for(lambda: server.is_held("fatal"), "fatal is held")
        assert server.events("fatal") == ["start", "load", "failure", "hold"]
        assert server.process_starts("fatal") == 2
        server.wait_for(lambda: server.is_ready("serves"), "serves serves")
        assert server.predict("serves") == (200, "sound")
        server.wait_for(
            lambda: server.events("serves") == ["start", "load", "loaded"], "its load is noted"
        )
