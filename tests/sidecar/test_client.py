"""What only the sidecar's client does; tests/frontend/test_conversation.py has what both do."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest

from tests.frontend.api import described, serving
from tests.frontend.clients import ask_with_aiohttp
from ts_retry_ext.frontend.condition import ManagementError
from ts_retry_ext.frontend.endpoint import Endpoint
from ts_retry_ext.frontend.exchange import HttpAnswer, Question, UnreachableError
from ts_retry_ext.sidecar.client import Client


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


def test_who_is_cancelled_leaves_the_answer_to_the_others_who_wait_for_it() -> None:
    """One model's question may be given up while another waits for the same renewed key."""
    asked, answered = threading.Event(), threading.Event()

    def renew(_: str | None) -> Any:
        asked.set()
        answered.wait(10)
        return b" "

    async def two(address: str) -> HttpAnswer | UnreachableError:
        client = Client(Endpoint(address))
        question = Question("GET", f"{address}/token", {}, is_shared=True)
        first, second = (asyncio.ensure_future(client._told(question)) for _ in range(2))
        await asyncio.get_running_loop().run_in_executor(None, asked.wait, 10)
        first.cancel()
        answered.set()
        try:
            return await second
        finally:
            await client.close()

    with serving({"GET /token": renew}) as api:
        assert asyncio.run(two(api.address)) == HttpAnswer(200, b" ")
    assert len(api.asked) == 1
