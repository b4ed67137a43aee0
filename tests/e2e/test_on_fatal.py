"""What follows a failure that cannot recover: `reject` and `observe`. See test_shutdown.py, too."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Iterator

import grpc
import pytest

from tests.e2e.archives import BROKEN, SOUND, pack
from tests.e2e.torchserve import VERSION, TorchServe

REPAIRED = SOUND.replace("\n    ", "\n")
#: The first worker loads, the next ones do not.
HALF_BROKEN = """
    import os


    class Handler:
        def initialize(self, context):
            try:
                os.close(os.open(os.path.join(os.environ["TEMP"], "first"), os.O_CREAT | os.O_EXCL))
            except FileExistsError:
                import no_such_module_anywhere

        def handle(self, data, context):
            return ["sound"] * len(data)
"""
DESCRIBES = """
    from ts.torch_handler.base_handler import BaseHandler


    class Describes(BaseHandler):
        def initialize(self, context):
            self.initialized = True

        def preprocess(self, data):
            return data

        inference = preprocess

        def postprocess(self, data):
            return ["sound"] * len(data)
{own}
"""
SAYS = """
        def describe_handle(self):
            return {"mine": 1}
"""
BATCH = "batchSize: 3\nmaxBatchDelay: 2000\n"
INFERENCE = "/org.pytorch.serve.grpc.inference.InferenceAPIsService/"

pytestmark = pytest.mark.xdist_group("on_fatal")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("on_fatal")
    pack(root / "store", "rejecting", BROKEN)
    pack(root / "store", "batched", BROKEN, config=BATCH)
    pack(root / "store", "observed", BROKEN, config="retry:\n  onFatal: observe\n")
    pack(root / "store", "held", BROKEN, config="responseTimeout: 5\nretry:\n  onFatal: hold\n")
    pack(root / "store", "pair", HALF_BROKEN, config="minWorkers: 2\nmaxWorkers: 2\n")
    pack(root / "store", "sound", SOUND)
    pack(
        root / "store", "describes", DESCRIBES.format(own=SAYS), config="maxRetryTimeoutInSec: 77\n"
    )
    pack(root / "store", "silent", DESCRIBES.format(own=""))
    models = {path.stem: path.name for path in (root / "store").glob("*.mar")}
    with TorchServe(root, models, config={"retry_on_fatal": "reject"}) as running:
        yield running


def _rejects(server: TorchServe, model: str) -> bool:
    return server.is_held(model) and server.is_ready(model)


def test_a_request_is_answered_at_once_with_503_and_the_cause(server: TorchServe) -> None:
    server.wait_for(lambda: _rejects(server, "rejecting"), "rejecting rejects")
    code, body = server.predict("rejecting", b"x" * 3_000_000)
    assert code == 503
    marker = server.marker_of("rejecting")
    assert marker is not None
    assert body["code"] == 503
    assert body["exception"]["type"] == "ModuleNotFoundError"
    assert "no_such_module_anywhere" in body["exception"]["message"]
    for key in ("model", "verdict", "rule", "reason", "remedy", "fingerprint", "phase"):
        assert body[key] == getattr(marker, key)
    assert "Traceback" not in json.dumps(body)
    assert server.events("rejecting") == ["start", "load", "failure", "hold"]
    assert server.ping() == (200, "Healthy")


def test_each_request_of_a_batch_gets_the_cause(server: TorchServe) -> None:
    server.wait_for(lambda: _rejects(server, "batched"), "batched rejects")
    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(lambda _: server.predict("batched"), range(3)))
    assert [code for code, _ in answers] == [503] * 3
    assert {body["exception"]["type"] for _, body in answers} == {"ModuleNotFoundError"}


def test_grpc_predictions_streams_among_them_fail_with_unavailable_and_the_cause(
    server: TorchServe,
) -> None:
    server.wait_for(lambda: _rejects(server, "rejecting"), "rejecting rejects")
    for call in (_predict, _stream):
        with pytest.raises(grpc.RpcError) as failed:
            call(server, "rejecting")
        assert failed.value.code() is grpc.StatusCode.UNAVAILABLE
        cause = json.loads(failed.value.details().splitlines()[0])
        assert cause["rule"] == "module-missing"
    assert _predict(server, "sound") is not None


def test_a_batch_of_both_kinds_of_client_fails_for_both(server: TorchServe) -> None:
    server.wait_for(lambda: _rejects(server, "batched"), "batched rejects")
    with ThreadPoolExecutor(3) as pool:
        answers = [pool.submit(server.predict, "batched") for _ in range(2)]
        remote = pool.submit(_predict, server, "batched")
        assert [answer.result()[0] for answer in answers] == [503] * 2
        assert isinstance(remote.exception(), grpc.RpcError)
    assert "no_such_module_anywhere" in json.dumps(answers[0].result()[1])


def described(server: TorchServe, model: str) -> dict[str, Any]:
    """Return what a model says of itself; 0.10.0 gives it as a text."""
    code, body = server.call(f"/models/{model}?customized=true")
    assert code == 200
    metadata = body[0]["customizedMetadata"]
    return dict(json.loads(metadata) if isinstance(metadata, str) else metadata)


def test_the_customized_description_is_the_report(server: TorchServe) -> None:
    server.wait_for(lambda: _rejects(server, "rejecting"), "rejecting rejects")
    metadata = described(server, "rejecting")
    report = metadata["retry"]
    assert metadata["ts_retry"] == report
    assert report["rule"] == "module-missing"
    assert "no_such_module_anywhere" in report["exception"]["message"]


@pytest.mark.skipif(VERSION < (0, 11), reason="BaseHandler of 0.10.0 needs pkg_resources")
def test_a_base_handler_that_serves_describes_what_is_in_force(server: TorchServe) -> None:
    for model, own, window in (("describes", {"mine": 1}, 77), ("silent", {}, 300)):
        server.wait_for(lambda m=model: server.is_ready(m), f"{model} serves")  # type: ignore[misc]
        metadata = described(server, model)
        part = metadata.pop("retry")
        assert metadata == own
        found = {row["name"]: row.get("value") for row in part["parameters"]}
        assert part["state"] == "serving"
        assert (found["maxRetryTimeoutInSec"], found["retry_on_fatal"]) == (window, "reject")
        assert server.predict(model) == (200, "sound")
    # A plain handler is called as for a prediction, as without the package.
    assert described(server, "sound") == {}


def test_what_rejects_is_as_light_as_what_holds(server: TorchServe) -> None:
    server.wait_for(lambda: _rejects(server, "rejecting"), "rejecting rejects")
    held = [r.pid for r in server.journal_of("rejecting") if r.event == "hold"]
    (size,) = [w.memory_info().rss for w in server.workers() if w.pid in held]
    assert size < 16 * 1024 * 1024


def test_observing_stops_nothing(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("observed").count("load") >= 3, "it is loaded again")
    assert server.marker_of("observed") is None
    assert server.retry_waits("observed")[:2] == [1, 1]
    failures = [r for r in server.journal_of("observed") if r.event == "failure"]
    assert {r.verdict for r in failures} == {"non_recoverable"}
    assert "nothing is halted, on_fatal is observe" in server.log()


def test_a_request_that_a_held_worker_was_given_ends_with_the_cause_and_not_with_the_worker(
    server: TorchServe,
) -> None:
    """Stock answers 500, `Worker died.`, and starts the next worker."""
    server.wait_for(lambda: server.is_held("held"), "held is held")
    begun = time.monotonic()
    code, body = server.predict("held")
    assert time.monotonic() - begun > 4
    assert (code, body["rule"]) == (503, "module-missing")
    assert server.process_starts("held") == 2


def test_a_worker_that_serves_is_not_robbed_of_its_requests(server: TorchServe) -> None:
    server.wait_for(lambda: server.events("pair").count("loaded") == 1, "one serves")
    server.wait_for(lambda: server.events("pair")[-1] == "hold", "the other one keeps still")
    assert sorted(server.worker_states("pair")) == ["READY", "UNLOADING"]
    assert [server.predict("pair") for _ in range(10)] == [(200, "sound")] * 10
    assert server.events("pair").count("load") == 2


def test_status_tells_that_it_is_halted_and_resume_brings_it_back(server: TorchServe) -> None:
    server.wait_for(lambda: _rejects(server, "batched"), "batched rejects")
    status = server.command("status", "--json", "--state-dir", str(server.state_dir))
    assert status.returncode == 3, status.stderr
    states = {m["model"]: (m["state"], m["action"]) for m in json.loads(status.stdout)["models"]}
    assert states["batched"] == ("halted", "reject")

    again = server.command("resume", "batched", "--state-dir", str(server.state_dir))
    assert again.returncode == 3, again.stdout + again.stderr
    assert _rejects(server, "batched")
    assert server.events("batched") == ["start", "load", "failure", "hold", "trial", "tried"]

    (module,) = server.temp.glob("models/*/batched_handler.py")
    module.write_text(REPAIRED)
    server.wait_for(lambda: server.events("batched")[-1] == "loaded", "the repaired file is loaded")
    assert server.predict("batched") == (200, "sound")


def _prediction(model: str) -> bytes:
    """Encode a ``PredictionsRequest``: field 1, the model's name; field 3, input ``data``."""
    entry = b"\x0a\x04data\x12\x01x"
    name = model.encode()
    return b"\x0a" + bytes([len(name)]) + name + b"\x1a" + bytes([len(entry)]) + entry


def _predict(server: TorchServe, model: str) -> Any:
    with grpc.insecure_channel(f"127.0.0.1:{server.config['grpc_inference_port']}") as channel:
        return channel.unary_unary(INFERENCE + "Predictions")(_prediction(model), timeout=60)


def _stream(server: TorchServe, model: str) -> Any:
    with grpc.insecure_channel(f"127.0.0.1:{server.config['grpc_inference_port']}") as channel:
        return list(
            channel.unary_stream(INFERENCE + "StreamPredictions")(_prediction(model), timeout=60)
        )
