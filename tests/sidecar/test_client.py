"""What only the sidecar's client does; tests/frontend/test_conversation.py has what both do."""

from __future__ import annotations

import pytest

from tests.frontend.api import described, serving
from tests.frontend.clients import ask_with_aiohttp
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint


def test_many_models_are_described_by_name_those_that_are_gone_too() -> None:
    names = [f"m{n}" for n in range(20)]
    answers = {f"GET /models/{name}/all": [described(name)] for name in names}
    with serving(answers) as api:
        found = ask_with_aiohttp(
            Endpoint(api.address), lambda client: client.describe_many([*names, "gone", "m0"])
        )
    assert sorted(found) == sorted([*names, "gone"])
    assert (found["m7"][0].name, found["gone"]) == ("m7", [])
    assert len(api.asked) == 21


def test_first_refusal_ends_a_question_about_many_models() -> None:
    answers = {f"GET /models/m{n}/all": (500, {"message": "no idea"}) for n in range(100)}
    with serving(answers) as api, pytest.raises(ManagementError, match="no idea"):
        ask_with_aiohttp(
            Endpoint(api.address),
            lambda client: client.describe_many(f"m{n}" for n in range(100)),
        )
    assert len(api.asked) < 100
