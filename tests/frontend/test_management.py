from __future__ import annotations

import time
from typing import Callable

import pytest

from tests.frontend.api import Raw, described, serving
from ts_retry_ext.frontend import management
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.management import ManagementApi


def test_model_that_is_unregistered_meanwhile_is_left_out() -> None:
    answers = {
        "GET /models": {"models": [{"modelName": "gone"}, {"modelName": "m"}]},
        "GET /models/m/all": [described()],
    }
    with serving(answers) as api:
        found = ManagementApi(Endpoint(api.address)).describe_all()
    assert [model.name for model in found] == ["m"]


def test_functions_of_a_workflow_which_no_list_has_are_asked_for_by_name() -> None:
    answers = {
        "GET /models": {"models": [{"modelName": "m"}]},
        "GET /models/m/all": [described()],
        "GET /models/flow__f/all": [described("flow__f")],
    }
    with serving(answers) as api:
        found = ManagementApi(Endpoint(api.address)).describe_all(["flow__f", "m"])
    assert [model.name for model in found] == ["m", "flow__f"]


@pytest.mark.parametrize(
    ("do", "asked"),
    [
        (
            lambda api: api.register("m.mar", initial_workers=2),
            "POST /models?url=m.mar&initial_workers=2&synchronous=false",
        ),
        (
            lambda api: api.register("https://h/a b.mar?x=1", initial_workers=1),
            "POST /models?url=https%3A%2F%2Fh%2Fa+b.mar%3Fx%3D1&initial_workers=1&synchronous=false",
        ),
        (lambda api: api.unregister("m", "1.0"), "DELETE /models/m/1.0"),
        (lambda api: api.unregister("a/b", "1 0"), "DELETE /models/a%2Fb/1%200"),
        (lambda api: api.set_default("m", "2.0"), "PUT /models/m/2.0/set-default"),
    ],
)
def test_models_are_registered_unregistered_and_made_the_default(
    do: Callable[[ManagementApi], str], asked: str
) -> None:
    with serving({asked.partition("?")[0]: {"status": "done"}}) as api:
        assert do(ManagementApi(Endpoint(api.address))) == "done"
    assert api.asked == [asked]


@pytest.mark.parametrize(
    ("put", "asked"),
    [
        (lambda api: api.describe("m"), ["GET /models/m/all"] * 2),
        (lambda api: api.torchserve_version(), ["OPTIONS /"] * 2),
        (lambda api: api.set_default("m", "1.0"), ["PUT /models/m/1.0/set-default"]),
    ],
)
def test_only_what_changes_nothing_is_asked_again_of_another_thread(
    monkeypatch: pytest.MonkeyPatch, put: Callable[[ManagementApi], object], asked: list[str]
) -> None:
    """One of the frontend's threads is busy with a registration: it answers when that is over."""
    monkeypatch.setattr(management, "FIRST_SEC", 0.2)
    busy = iter([Raw(lambda _: time.sleep(1))])
    with serving({}) as api:
        api.answers = dict.fromkeys(asked, lambda _: next(busy, [described()]))
        try:
            put(ManagementApi(Endpoint(api.address), 0.5))
        except ManagementError:
            assert len(asked) == 1
        assert api.asked == asked
