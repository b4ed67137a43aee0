"""Every form of handler that TorchServe accepts, and the ways to configure its workers' surroundings."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any, Callable, Iterator, Mapping, NamedTuple

import psutil
import pytest

from tests.e2e.archives import BROKEN, function, initialize, lacks, lay_out, pack, refused
from tests.e2e.kinds import CPU_LAUNCHER, PATH, VENV
from tests.e2e.torchserve import VERSION, TorchServe

HALTED = ["start", "load", "failure", "hold"]
RECOVERED = ["start", "load", "failure", "start", "load", "loaded"]


def architecture(body: str) -> str:
    """Return the source of a model for a default handler, which runs `body` when it imports it."""
    return f"""{body}
import torch


class Doubles(torch.nn.Module):
    def forward(self, numbers):
        return 2 * numbers
"""


class Form(NamedTuple):
    """A form of handler: its source, made from what its load does, and a request with its answer."""

    source: Callable[[str], str]
    manifest: Mapping[str, str] = {}
    request: bytes = b"x"
    answer: Any = "sound"


def forms(suffix: str) -> dict[str, Form]:
    """Return every form of handler, by the name of its model, which ends in `suffix`."""
    default = {"handler": "image_classifier", "modelFile": f"default{suffix}_handler.py"}
    likeliest = {"4": 1.0, "0": 0.0, "1": 0.0, "2": 0.0, "3": 0.0}
    found = {
        "class": Form(initialize),
        "function": Form(partial(function, "handle")),
        "named": Form(partial(function, "serve"), {"handler": f"named{suffix}_handler.py:serve"}),
    }
    if VERSION >= (0, 11):  # those of 0.10.0 need pkg_resources, which newer setuptools has no more
        found["default"] = Form(architecture, default, b"[0, 0, 0, 0, 500]", likeliest)
    return {name + suffix: form for name, form in found.items()}


#: What `lacks` something; image_classifier does by itself: it needs torchvision.
LACKING = forms("_lacking")
#: What cannot connect at its first load.
REFUSED = forms("_refused")
#: As much of torchvision and captum as image_classifier needs for a list of numbers. The real one of
#: the package index is made for torch with CUDA; beside the CPU's it cannot be imported.
STAND_INS = {
    "torchvision/__init__.py": "",
    "torchvision/transforms.py": """
def Compose(*args, **kwargs):
    pass


Resize = CenterCrop = ToTensor = Normalize = Compose
""",
    "captum/__init__.py": "",
    "captum/attr.py": """
class IntegratedGradients:
    def __init__(self, model):
        pass
""",
}
OWN_ENVIRONMENTS = {"install_py_dep_per_model": "true"}
ENVELOPE = {"service_envelope": "json"}
#: Versions of one model, and what their loads do.
VERSIONS = {"1.0": lacks("'many1'"), "2.0": lacks("'many2'"), "3.0": refused(1)}

pytestmark = pytest.mark.xdist_group("workers_kinds")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TorchServe]:
    root = tmp_path_factory.mktemp("kinds")
    store = root / "store"
    for model, form in {**LACKING, **REFUSED}.items():
        body = refused(1, repr(model)) if model in REFUSED else lacks(repr(model))
        source = form.source("" if model == "default_lacking" else body)
        lay_out(store / model, model, source, manifest=form.manifest)
    if "default_refused" in REFUSED:
        _stand_in(store / "default_refused")
    for version, body in VERSIONS.items():
        manifest = {"modelVersion": version}
        lay_out(store / f"many{version}", "many", initialize(body), manifest=manifest)
    pack(store, "repeats", initialize("raise RuntimeError('nobody knows this one')"))
    models = {name: name for name in (*LACKING, *REFUSED)}
    models["repeats"] = "repeats.mar"
    # TCP instead of Unix sockets, and our variables hidden from the workers.
    config = {"use_native_io": "false", "blacklist_env_vars": ".*TS_RETRY.*"}
    environ = {"TS_RETRY_MAX_IDENTICAL_FAILURES": "2", "PYTHONPATH": str(root / "tmp")}
    with TorchServe(root, models, config=config, environ=environ) as running:
        yield running


def _stand_in(folder: Path) -> None:
    for name, text in STAND_INS.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)


@pytest.mark.parametrize("model", LACKING)
def test_a_handler_of_any_form_is_halted_after_one_load(server: TorchServe, model: str) -> None:
    server.wait_for(lambda: server.is_held(model), f"{model} is held")
    marker = server.marker_of(model)
    assert marker is not None
    missing = "torchvision" if model == "default_lacking" else f"{model}_missing"
    assert missing in marker.exception.message
    assert (marker.basis, marker.rule) == ("rule", "module-missing")
    assert server.events(model) == HALTED
    assert marker.worker.socket.startswith("127.0.0.1:")


@pytest.mark.parametrize("model", REFUSED)
def test_a_handler_of_any_form_is_retried_until_it_serves(server: TorchServe, model: str) -> None:
    server.wait_for(lambda: server.is_ready(model), f"{model} serves")
    assert server.events(model) == RECOVERED
    (failure,) = [r for r in server.journal_of(model) if r.event == "failure"]
    assert (failure.verdict, failure.rule) == ("recoverable", "connection-errno")
    assert server.predict(model, REFUSED[model].request) == (200, REFUSED[model].answer)


@pytest.mark.parametrize("model", LACKING)
def test_a_handler_of_any_form_is_resumed(server: TorchServe, model: str) -> None:
    server.wait_for(lambda: server.is_held(model) or server.is_ready(model), f"{model} is held")
    if model == "default_lacking":
        _stand_in(server.temp)
    server.supply(model)
    server.resume(model)
    assert server.predict(model, LACKING[model].request) == (200, LACKING[model].answer)


def test_what_the_operator_set_holds_though_the_frontend_hides_it(server: TorchServe) -> None:
    server.wait_for(lambda: server.is_held("repeats"), "repeats is held")
    assert server.events("repeats").count("load") == 2


def test_versions_of_one_model_are_halted_recover_and_are_resumed_each_for_itself(
    server: TorchServe,
) -> None:
    def states() -> dict[str, str]:
        return {m["version"]: m["state"] for m in server.status() if m["model"] == "many"}

    for version in VERSIONS:
        path = f"/models?url=many{version}&model_name=many&initial_workers=1&synchronous=false"
        assert server.call(path, "POST")[0] in (200, 202, 409)
    expected = {"1.0": "halted", "2.0": "halted", "3.0": "serving"}
    server.wait_for(lambda: states() == expected, "two versions are halted, one serves")
    server.supply("many1")
    server.resume("many", "--version", "1.0")
    assert states() == {**expected, "1.0": "serving"}
    server.supply("many2")
    server.resume("many", "--version", "2.0")
    for version in VERSIONS:
        path = f"/predictions/many/{version}"
        assert server.call(path, "POST", b"x", server.inference) == (200, "sound")


def test_no_worker_outlives_a_killed_frontend(server: TorchServe) -> None:
    """The last test on this server: it ends it, with workers that serve and one that holds."""
    server.wait_for(lambda: server.is_held("repeats"), "repeats is held")
    server.wait_for(lambda: server.is_ready("class_refused"), "class_refused serves")
    processes = server.processes()
    assert len(server.workers()) >= 2
    server.frontend().kill()
    _, alive = psutil.wait_procs(processes, timeout=60)
    assert not alive


@pytest.mark.parametrize(
    ("config", "model_config", "command_line"),
    [
        pytest.param(
            *(CPU_LAUNCHER, None, "torch.backends.xeon.run_cpu"),
            id="cpu-launcher",
            marks=pytest.mark.nightly,
        ),
        # A service envelope is a setting of the whole server, whatever a manifest says (0.12.0 ModelManager).
        pytest.param({**OWN_ENVIRONMENTS, **ENVELOPE}, VENV, "/venv/", id="useVenv-envelope"),
    ],
)
def test_a_worker_in_other_surroundings_is_halted_recovers_is_resumed_and_ends(
    tmp_path: Path, config: Mapping[str, str], model_config: str | None, command_line: str
) -> None:
    handlers = {
        "broken": BROKEN,
        "lacking": initialize(lacks()),
        "flaky": initialize(refused(1)),
    }
    for name, handler in handlers.items():
        pack(tmp_path / "store", name, handler, config=model_config)
    models = {name: f"{name}.mar" for name in handlers}
    with TorchServe(tmp_path, models, config=config, environ=PATH) as server:
        for model in ("broken", "lacking"):
            server.wait_for(lambda model=model: server.is_held(model), f"{model} is held")  # type: ignore[misc]
            assert server.events(model) == HALTED
        server.wait_for(lambda: server.is_ready("flaky"), "flaky serves")
        assert server.events("flaky") == RECOVERED
        starts = [r for r in server.journal_of("lacking") if r.event in ("start", "hold")]
        assert [r.launcher for r in starts] == [config is CPU_LAUNCHER] * 2
        server.supply("lacking")
        server.resume("lacking")
        for model in ("lacking", "flaky"):
            if "service_envelope" in config:
                answer = server.predict(model, b'{"instances": ["x", "y"]}')
                assert answer == (200, {"predictions": ["sound", "sound"]})
            else:
                assert server.predict(model) == (200, "sound")
        commands = [" ".join(process.cmdline()) for process in server.processes()]
        assert sum(command_line in command for command in commands) >= 3
        processes = server.processes()
        server.frontend().kill()
        _, alive = psutil.wait_procs(processes, timeout=60)
        assert not alive
