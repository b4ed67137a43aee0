from __future__ import annotations

from tests.frontend.api import described, serving
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
