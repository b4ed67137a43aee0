"""The pages for who cannot see them, or has no mouse: axe-core's rules, the keyboard, and what updates leave alone."""

from __future__ import annotations

import importlib.util
import os
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from selenium.webdriver import Chrome, Keys
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By

from tests.cli.servers import Frontend, frontend
from tests.sidecar.browsing import MISSING, browser
from tests.sidecar.fleets import CAUSES, FIRST_PID, fleet
from tests.sidecar.sidecars import Sidecar, sidecar
from tests.snapshot.writing import hold

pytestmark = [
    pytest.mark.skipif(MISSING, reason="no chromium and chromedriver on this machine"),
    pytest.mark.xdist_group("chromium"),
]
DOWN = (4, 3, 2, 1)
PAGES = {
    "start": "/",
    "filtered": "/?state=halted&sort=-age&q=name",
    "wrong query": "/?state=brokn&page=x",
    "model that is down": "/model/model-0000/1.0",
    "model that waits": "/model/model-0021/1.0",
    "model that serves": "/model/model-0001/1.0",
    "unknown model": "/model/model-00/1.0",
    "unknown page": "/nothing",
}


def axe() -> str | None:
    """Return axe-core: the file that AXE_CORE names, else that of the package axe-core-python, else None."""
    named = os.environ.get("AXE_CORE")
    found = importlib.util.find_spec("axe_core_python")
    if named is None and (found is None or found.origin is None):
        return None
    path = Path(named) if named else Path(found.origin).with_name("axe.min.js")  # type: ignore[union-attr, arg-type]
    return path.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    with frontend(tmp_path_factory.mktemp("server") / "run") as running:
        fleet(running, 30, DOWN)
        yield running


@pytest.fixture(scope="module")
def observing(server: Frontend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    options = ("--pid", str(server.pid), "--inference", server.api.address)
    with sidecar(tmp_path_factory.mktemp("sidecar"), *options) as running:
        running.wait_for(lambda: len(running.states()) == 30, "all are known", 60)
        yield running


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


def emulate(driver: Chrome, width: int, *, dark: bool) -> None:
    metrics = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


@pytest.mark.skipif(axe() is None, reason="no axe-core: pip install axe-core-python, or AXE_CORE")
@pytest.mark.parametrize(("width", "dark"), [(1280, False), (390, True)], ids=["desk", "phone"])
def test_no_rule_of_axe_core_is_violated(
    observing: Sidecar, chromium: Chrome, width: int, dark: bool
) -> None:
    emulate(chromium, width, dark=dark)
    found: list[Any] = []
    for name, path in PAGES.items():
        chromium.get(observing.address + path)
        for details in chromium.find_elements(By.CSS_SELECTOR, "details:not([open]) > summary"):
            details.click()
        # As the browser's own: the page's policy allows no script of others.
        chromium.execute_cdp_cmd("Runtime.evaluate", {"expression": axe()})
        result = chromium.execute_async_script("axe.run().then(arguments[0])")
        assert len(result["passes"]) > 10
        for violation in result["violations"]:
            nodes = [node["target"] for node in violation["nodes"]]
            found.append((name, violation["id"], nodes[:3], violation["help"]))
        wide = chromium.execute_script("return document.documentElement.scrollWidth")
        assert wide <= width, name
    assert found == []


def test_keyboard_reaches_the_content_first_and_then_all_that_can_be_done(
    observing: Sidecar, chromium: Chrome
) -> None:
    emulate(chromium, 1280, dark=False)
    chromium.get(observing.address + "/")
    keys = ActionChains(chromium)
    keys.send_keys(Keys.TAB).perform()
    assert chromium.switch_to.active_element.text == "Skip to the content"
    keys.send_keys(Keys.TAB).perform()
    assert chromium.switch_to.active_element.text == "Skip to the table of all models"
    keys.key_down(Keys.SHIFT).send_keys(Keys.TAB).key_up(Keys.SHIFT).perform()
    keys.send_keys(Keys.ENTER).perform()
    seen = []
    for _ in range(40):
        keys.send_keys(Keys.TAB).perform()
        element = chromium.switch_to.active_element
        seen.append(
            element.accessible_name.strip()
        )  # Chromium 150 leaves a blank at the end of a label.
        outline = element.value_of_css_property("outline-style")
        assert outline != "none", element.get_attribute("outerHTML")
    for name in ("model-0000 1.0", "Resume all 4", "Name, version or cause", "Show", "age"):
        assert name in seen
    assert seen.index("Resume all 4") < seen.index("Name, version or cause") < seen.index("age")


def test_newer_page_leaves_alone_what_somebody_uses(
    observing: Sidecar, server: Frontend, chromium: Chrome
) -> None:
    emulate(chromium, 1280, dark=False)
    chromium.get(observing.address + "/")
    chromium.find_element(By.CSS_SELECTOR, "#problems summary").click()
    field = chromium.find_element(By.NAME, "q")
    field.send_keys("half a na")

    def down(number: int) -> bool:
        heading = chromium.execute_script("return document.querySelector('h1').innerText")
        return str(heading).startswith(f"{number} of 30")

    assert down(10)
    hold(server.kept / "model-0001", FIRST_PID + 1, **dict(CAUSES[0], model="model-0001"))
    observing.wait_for(lambda: down(11), "the page follows")
    announced = chromium.find_element(By.ID, "announced").get_attribute("textContent")
    assert announced == "11 of 30 models do not serve: 4 causes"
    field.send_keys("me")
    assert field.get_attribute("value") == "half a name"
    assert chromium.find_element(By.ID, "problems").get_attribute("open")

    sort = chromium.find_element(By.LINK_TEXT, "age")
    chromium.execute_script("arguments[0].focus()", sort)
    hold(server.kept / "model-0002", FIRST_PID + 2, **dict(CAUSES[0], model="model-0002"))
    observing.wait_for(lambda: down(12), "the page follows")
    time.sleep(0.1)
    assert chromium.switch_to.active_element.text == "age"
