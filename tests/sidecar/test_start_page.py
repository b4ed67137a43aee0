"""The start page of a server with many models: one card a cause, one row a model."""

from __future__ import annotations

import html
import os
import re
import signal
import statistics
import time
from pathlib import Path
from typing import Iterator
from urllib.parse import urlencode

import pytest

from tests.cli.servers import Frontend, frontend
from tests.sidecar.browsing import MISSING, browser
from tests.sidecar.fleets import CAUSES, fleet
from tests.sidecar.sidecars import Answer, Sidecar, sidecar
from ts_retry_ext.sidecar.cause_cards import progress_in_words, quoted
from ts_retry_ext.sidecar.model_table import ROWS, _natural
from ts_retry_ext.sidecar.resumptions import ResumeProgress

#: Models that are down for each cause: 17 of 60.
DOWN = (6, 5, 4, 2)
BROWSER = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    with frontend(tmp_path_factory.mktemp("server") / "run") as running:
        fleet(running, 60, DOWN)
        yield running


@pytest.fixture(scope="module")
def observing(server: Frontend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    options = ("--pid", str(server.pid), "--inference", server.api.address)
    with sidecar(tmp_path_factory.mktemp("sidecar"), *options) as running:
        running.wait_for(lambda: len(running.states()) == 60, "all are known", 60)
        yield running


def page(observing: Sidecar, **query: str) -> Answer:
    """Return the start page."""
    return observing.ask(f"/?{urlencode(query)}" if query else "/", headers=BROWSER)


def rows(answer: Answer) -> list[str]:
    """Return the models of the table, in its order."""
    return re.findall(r'<th scope="row"><a [^>]*>([^<]*)<', answer.text)


def cards(answer: Answer) -> list[str]:
    """Return the cards of the causes."""
    return re.findall(r'<article class="card.*?</article>', answer.text, re.DOTALL)


def test_each_cause_has_one_card_with_place_models_and_what_to_do(observing: Sidecar) -> None:
    answer = page(observing)

    assert "17 of 60 models do not serve: 4 causes" in answer.text
    first, _, third, _ = cards(answer)
    for part in (
        "NameError: name &#39;thresold&#39; is not defined",
        "h.py:8 initialize: self.t = float(thresold)",
        "6 models:",
        "6 failures in 6 loads",
        "It waits for: the model&#39;s files",
        "Correct thresold in h.py",
        'action="/causes/aaaaaaaaaaaaaaaa/resume"',
        "Resume all 6",
        'decided by <a href="/rules/name-error">rule name-error</a>',
    ):
        assert part in first
    assert "Next trial load" in third
    assert "4 waiting" in third


def test_each_model_has_one_row_the_broken_ones_first(observing: Sidecar) -> None:
    names = rows(page(observing))

    assert len(names) == len(set(names)) == 60
    down = {name for name, state in observing.states().items() if state != "serving"}
    assert set(names[:17]) == down


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"q": "MODEL-0000"}, 1),
        ({"q": "nameerror h.py"}, 6),
        ({"q": "no such"}, 0),
        ({"state": "halted"}, 13),
        ({"state": "down"}, 17),
        ({"state": "retired"}, 0),
        ({"cause": "bbbbbbbbbbbbbbbb"}, 5),
        ({"cause": "bbbbbbbbbbbbbbbb", "q": "model-0018"}, 1),
    ],
)
def test_table_is_filtered_by_the_address(
    observing: Sidecar, query: dict[str, str], expected: int
) -> None:
    answer = page(observing, **query)

    assert len(rows(answer)) == expected
    assert f"{expected} of 60 models" in answer.text


def test_table_is_sorted_by_the_address_either_way(observing: Sidecar) -> None:
    up, down = (rows(page(observing, sort=sort)) for sort in ("model", "-model"))

    assert up == sorted(up)
    assert down == up[::-1]
    oldest = rows(page(observing, sort="-age"))
    assert oldest[0] == "model-0059"
    assert 'aria-sort="descending"' in page(observing, sort="-loads").text


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ({"state": "brokn"}, "state is 'brokn', allowed are any, down, halted"),
        ({"sort": "size"}, "sort is 'size', allowed are state, model"),
        ({"page": "-1"}, "page is '-1', allowed are numbers from 1"),
        ({"page": "²"}, "page is '²', allowed are numbers from 1"),
    ],
)
def test_what_the_address_asks_in_vain_is_named(
    observing: Sidecar, query: dict[str, str], told: str
) -> None:
    answer = page(observing, **query)

    assert answer.status == 200
    assert told in html.unescape(answer.text)
    assert len(rows(answer)) == 60


def test_what_is_asked_for_is_never_run(observing: Sidecar) -> None:
    answer = page(observing, q="<script>alert(1)</script>", cause='"><img src=x>', page="9" * 50)

    assert answer.status == 200
    assert "<script>alert" not in answer.text
    assert "<img" not in answer.text


def test_page_is_kept_apart_for_each_query_and_unchanged_while_nothing_happens(
    observing: Sidecar,
) -> None:
    whole, part = page(observing), page(observing, q="model-0001")
    assert whole.headers["ETag"] != part.headers["ETag"]
    again = observing.ask("/", headers={**BROWSER, "If-None-Match": whole.headers["ETag"]})
    assert again.status == 304


@pytest.mark.skipif(MISSING, reason="no chromium and chromedriver on this machine")
@pytest.mark.xdist_group("chromium")
def test_sixty_models_and_four_causes_fit_three_screens(observing: Sidecar, tmp_path: Path) -> None:
    with browser(tmp_path, "window-size=1280,900") as driver:
        metrics = {"width": 1280, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
        driver.get(observing.address + "/")
        tall = driver.execute_script("return document.documentElement.scrollHeight")
    assert tall <= 3 * 900


def test_thousand_models_make_pages_that_are_quick_and_small(tmp_path: Path) -> None:
    with frontend(tmp_path / "run") as server:
        fleet(server, 1000, (100, 50, 40, 10))
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        with sidecar(tmp_path / "sidecar", *options) as observing:
            observing.wait_for(lambda: len(observing.states()) == 1000, "all are known", 90)
            first = page(observing)
            assert "200 of 1000 models do not serve: 4 causes" in first.text
            assert len(first.text) < 150_000
            assert len(rows(first)) == ROWS
            assert "88 more" in cards(first)[0]
            seen = [name for n in range(1, 11) for name in rows(page(observing, page=str(n)))]
            assert len(seen) == len(set(seen)) == 1000
            took = []
            for number in range(15):
                begun = time.perf_counter()
                page(observing, q=f"model-{number:04d}")  # Made anew each time.
                took.append(time.perf_counter() - begun)
            assert statistics.median(took) < 0.5


def test_cause_is_resumed_as_a_whole_and_the_page_shows_how_it_goes(tmp_path: Path) -> None:
    """Nobody holds these models, so each is left to its workers, which are none."""
    with frontend(tmp_path / "run") as server:
        fleet(server, 8, (1, 0, 0, 2))
        with sidecar(tmp_path / "sidecar", "--pid", str(server.pid)) as observing:
            observing.wait_for(lambda: len(observing.states()) == 8, "all are known")
            cause = CAUSES[3]["fingerprint"]
            answer = observing.ask(f"/causes/{cause}/resume", "POST", b"{}")
            assert answer.status == 202
            assert [told["result"] for told in answer.json()] == ["resuming", "resuming"]
            shown = html.unescape(page(observing).text)
            assert re.search(r"Resum(ed|ing): of 2 models, ", shown)
            # Without JavaScript the page follows: not by its own address, whose fragment leads nowhere else.
            assert re.search(r'http-equiv="refresh" content="(3|30);url=/"', shown)
            assert observing.ask("/causes/none/resume", "POST", b"{}").status == 404
            left = {name for name, state in observing.states().items() if state == "halted"}
            assert "model-0000" in left


def test_server_that_has_ended_is_named_and_nothing_can_be_resumed(tmp_path: Path) -> None:
    with frontend(tmp_path / "run") as server:
        fleet(server, 3, (1,))
        with sidecar(tmp_path / "sidecar", "--pid", str(server.pid)) as observing:
            observing.wait_for(lambda: "Resume" in page(observing).text, "it is seen")
            os.kill(server.pid, signal.SIGKILL)
            observing.wait_for(
                lambda: "The server does not answer" in page(observing).text, "it has ended"
            )
            for path in ("/", "/model/model-0000/1.0"):
                text = observing.ask(path, headers=BROWSER).text
                assert "thresold" in text
                assert ">Resume" not in text


def test_progress_of_several_resumptions_is_counted() -> None:
    def of(model: str, result: str, message: str, at: float = 0.0) -> ResumeProgress:
        return ResumeProgress(model, "1.0", result, message, at)

    served, failed = of("a", "serves", "serves again, after 3 s"), of("b", "failed-again", "has …")
    running = [of("c", "resuming", "asked for", 1.0), of("d", "resuming", "a trial begins", 2.0)]
    assert progress_in_words([]) is None
    assert progress_in_words([served]) == "a 1.0 serves again, after 3 s"
    assert progress_in_words(running[:1]) == "c 1.0: asked for"
    assert progress_in_words([served, failed]) == "of 2 models, 1 serves again, 1 failed again"
    told = progress_in_words([*running[::-1], served])
    assert told == "of 3 models, 1 serves again, 2 are being resumed. d 1.0: a trial begins"


def test_names_and_versions_are_sorted_as_people_do() -> None:
    names = ["m10", "m2", "1", "m", "m2b", "10.0", "9.0", "²", ""]
    assert sorted(names, key=_natural) == ["", "1", "9.0", "10.0", "m", "m2", "m2b", "m10", "²"]


def test_name_that_no_encoding_holds_makes_an_address_all_the_same() -> None:
    assert quoted("a/b \ud800") == "a%2Fb%20%3F"
