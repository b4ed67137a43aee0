"""A worker that can serve no more is replaced; one that dies while it serves is counted, not halted."""

from __future__ import annotations

from typing import Iterator

import pytest

from tests.e2e.archives import pack
from tests.e2e.torchserve import TorchServe

HANDLER = """
    import os
    import time

    from ts_retry_ext import RetryAwareHandler


    class Handler(RetryAwareHandler):
        poisonous = (EOFError,)

        def initialize(self, context):
            self.poison = None

        def handle(self, data, context):
            word = data[0].get("word", b"")  # the client posts a form
            word = word if isinstance(word, str) else bytes(word).decode()
            if word == "forked":
                if os.fork() == 0:
                    time.sleep(90)
                    os._exit(0)
                word = "assert"
            if word == "assert":
                self.poison = RuntimeError("CUDA error: device-side assert triggered")
            elif word == "declared":
                self.poison = EOFError("the session is gone")
            elif word == "die":
                os._exit(9)
            elif word == "wrong":
                raise ValueError("this request makes no sense")
            if self.poison is not None:
                raise self.poison
            return [str(os.getpid())]
"""

pytestmark = pytest.mark.xdist_group("workers_poisoned")


@pytest.fixture(scope="module")
def servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, TorchServe]]:
    """Ours, and TorchServe alone as the yardstick."""
    found = {}
    for name, enabled in (("ours", "true"), ("stock", "false")):
        root = tmp_path_factory.mktemp(name)
        pack(root / "store", "patient", HANDLER)
        environ = {"TS_RETRY_ENABLED": enabled}
        found[name] = TorchServe(root, {"patient": "patient.mar"}, environ=environ)
    with found["ours"], found["stock"]:
        for server in found.values():
            server.wait_for(lambda server=server: server.is_ready("patient"), "patient serves")  # type: ignore[misc]
        yield found


def test_stock_keeps_a_worker_that_can_serve_no_more(servers: dict[str, TorchServe]) -> None:
    server = servers["stock"]
    assert [server.predict("patient", b"word=assert")[0] for _ in range(2)] == [507, 507]
    assert [server.predict("patient", b"x")[0] for _ in range(3)] == [507, 507, 507]
    assert server.process_starts("patient") == 1


@pytest.mark.parametrize(("word", "code"), [("assert", 507), ("declared", 503), ("forked", 507)])
def test_the_request_gets_its_answer_and_the_next_one_a_fresh_worker(
    servers: dict[str, TorchServe], word: str, code: int
) -> None:
    server = servers["ours"]
    before = server.wait_for(lambda: _pid(server), "a worker serves")
    starts = server.process_starts("patient")
    assert server.predict("patient", f"word={word}".encode())[0] == code
    _wait_for_start(server, starts + 1)
    server.wait_for(lambda: server.is_ready("patient"), "it serves")
    assert _pid(server) not in (None, before)
    failure = [r for r in server.journal_of("patient") if r.event == "failure"][-1]
    assert (failure.phase, failure.rule) == ("inference", "worker-poisoned")
    assert failure.verdict == "recoverable"
    assert server.marker_of("patient") is None


def test_an_error_of_the_request_itself_ends_nothing(servers: dict[str, TorchServe]) -> None:
    server = servers["ours"]
    server.wait_for(lambda: server.is_ready("patient"), "patient serves")
    before = _pid(server)
    assert server.predict("patient", b"word=wrong")[0] == 503
    assert _pid(server) == before


def test_a_worker_that_dies_again_and_again_while_it_serves_is_counted_and_not_halted(
    servers: dict[str, TorchServe],
) -> None:
    server = servers["ours"]
    for _ in range(4):
        server.wait_for(lambda: server.is_ready("patient"), "patient serves")
        starts = server.process_starts("patient")
        assert server.predict("patient", b"word=die")[0] == 500
        _wait_for_start(server, starts + 1)
    server.wait_for(lambda: _lost(server) == 4, "each death is written down")
    assert server.marker_of("patient") is None
    server.wait_for(lambda: server.is_ready("patient"), "patient serves")
    assert server.predict("patient")[0] == 200


def _pid(server: TorchServe) -> str | None:
    code, body = server.predict("patient")
    return str(body) if code == 200 else None


def _lost(server: TorchServe) -> int:
    return sum(record.rule == "worker-lost" for record in server.journal_of("patient"))


def _wait_for_start(server: TorchServe, number: int) -> None:
    server.wait_for(lambda: server.process_starts("patient") == number, "a fresh worker starts")
