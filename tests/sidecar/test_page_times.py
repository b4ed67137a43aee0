"""Times on the pages: one clock, that of the server's commands and logs, for whoever looks from wherever."""

from __future__ import annotations

import html
import re
import time
from pathlib import Path
from typing import Iterator

import pytest
from selenium.webdriver.common.by import By

from tests.cli.servers import Frontend, frontend
from tests.sidecar.browsing import MISSING, browser
from tests.sidecar.fleets import fleet
from tests.sidecar.sidecars import Sidecar, sidecar
from ts_retry_ext.snapshot.down_in_words import local_time

BROWSER = {"Accept": "text/html"}
PATHS = ("/", "/model/model-0000/1.0", "/model/model-0003/1.0", "/model/model-0001/1.0")


@pytest.fixture(autouse=True)
def _two_hours_ahead() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TZ", "XYZ-2")
        time.tzset()
        yield
    time.tzset()


@pytest.fixture
def observing(tmp_path: Path) -> Iterator[tuple[Frontend, Sidecar]]:
    with frontend(tmp_path / "run") as server:
        fleet(server, 10, (1, 0, 1))
        options = ("--pid", str(server.pid), "--inference", server.api.address)
        (tmp_path / "sidecar").mkdir()
        with sidecar(tmp_path / "sidecar", *options) as running:
            # What the frontend says of a model comes a moment after what its workers wrote.
            page, asked = PATHS[1], "maxRetryTimeoutInSec 300 s"
            running.wait_for(
                lambda: asked in running.ask(page, headers=BROWSER).text, "all is known"
            )
            yield server, running


def test_every_time_is_on_the_clock_of_the_server_and_in_its_iso_form_for_machines(
    observing: tuple[Frontend, Sidecar],
) -> None:
    _, running = observing
    for path in PATHS:
        text = running.ask(path, headers=BROWSER).text
        times = re.findall(r'<time class="clock" datetime="([^"]*)">([^<]*)</time>', text)
        assert times
        assert [shown for _, shown in times] == [local_time(at, time.time()) for at, _ in times]
        outside = html.unescape(re.sub(r"<time [^>]*>", "", text))
        assert not re.findall(r"\d\d:\d\d(?! XYZ|:\d\d XYZ)\b.{0,9}", outside), path
        assert "UTC" not in outside


def test_card_and_page_name_the_commands_that_the_terminal_names(
    observing: tuple[Frontend, Sidecar], capsys: pytest.CaptureFixture[str]
) -> None:
    server, running = observing
    assert server.run("status") == 3
    advice = capsys.readouterr().out
    for name, ends in (
        (
            "model-0000",
            "ts-retry resume model-0000, or ts-retry deploy ARCHIVE if you packed it again",
        ),
        ("model-0005", "ts-retry resume model-0005"),
    ):
        assert f"To try it now: {ends}\n" in advice
        for path in ("/", f"/model/{name}/1.0"):
            shown = html.unescape(running.ask(path, headers=BROWSER).text)
            assert f">or: {ends}</span>" in re.sub("</?code>", "", shown)


@pytest.mark.skipif(MISSING, reason="no chromium and chromedriver on this machine")
def test_browser_in_another_zone_shows_the_same_times(
    observing: tuple[Frontend, Sidecar], tmp_path: Path
) -> None:
    _, running = observing
    with browser(tmp_path / "profile") as chromium:
        chromium.execute_cdp_cmd(
            "Emulation.setTimezoneOverride", {"timezoneId": "America/New_York"}
        )
        chromium.get(running.address + "/")
        chromium.execute_script("tick()")
        times = chromium.find_elements(By.CSS_SELECTOR, "time.clock")
        assert len(times) > 2
        for element in times:
            at = str(element.get_attribute("datetime"))
            assert element.text == local_time(at, time.time())
