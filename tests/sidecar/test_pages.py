from __future__ import annotations

import os
import re
import time
from pathlib import Path
from typing import Any, Iterator

import pytest
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.expected_conditions import staleness_of
from selenium.webdriver.support.wait import WebDriverWait

from tests.cli.servers import Frontend, described, frontend
from tests.sidecar.browsing import MISSING, browser
from tests.sidecar.sidecars import Sidecar, sidecar
from tests.snapshot.writing import failure, hold, record, write_journal
from ts_retry_ext.store import journal
from ts_retry_ext.store.exception_record import ExceptionRecord
from ts_retry_ext.store.marker import remove_marker
from ts_retry_ext.store.record import Event, TrialResult
from ts_retry_ext.store.times import to_text

pytestmark = [
    pytest.mark.skipif(MISSING, reason="no chromium and chromedriver on this machine"),
    pytest.mark.xdist_group("chromium"),
]
INJECTION = "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">"
SHOTS = os.environ.get("SIDECAR_SHOTS")
WORKER = {
    "id": "9000",
    "startTime": "2026-01-01T00:00:00.000Z",
    "status": "READY",
    "memoryUsage": 0,
}


def go(driver: Chrome, by: str, what: str) -> None:
    """Click what leads to another page, and wait until it is there."""
    link = driver.find_element(by, what)
    link.click()
    WebDriverWait(driver, 60).until(staleness_of(link))


def entry(name: str, pid: int, **changes: Any) -> dict[str, Any]:
    return described(name, workers=[dict(WORKER, pid=pid)], **changes)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Frontend]:
    with frontend(tmp_path_factory.mktemp("server") / "run") as running:
        running.register(entry("alpha", 501), entry("broken", 502), entry("calm", 503))
        running.api.answers["GET /ping"] = {"status": "Healthy"}
        for number, name in enumerate(("alpha", "broken", "calm")):
            pid = 501 + number
            first = (record(Event.START, 0, pid, model=name), failure(3, pid, model=name))
            write_journal(running.kept / name, *first, record(Event.LOADED, 5, pid, model=name))
        trial = record(Event.TRIAL, 8, 502, model="broken", reason="its time has come")
        tried = failure(9, 502, model="broken")._replace(
            event=Event.TRIED, result=TrialResult.FAILED
        )
        exception = ExceptionRecord(
            "ValueError",
            f"no {INJECTION} \x1b[31m\u202eevil",
            traceback=f'Traceback (most recent call last):\n  File "h.py"\nValueError: {INJECTION}\n',
        )
        hold(
            running.kept / "broken",
            502,
            model="broken",
            exception=exception,
            remedy=f"do {INJECTION}",
        )
        journal.append(str(running.kept / "broken"), trial)
        journal.append(str(running.kept / "broken"), tried)
        yield running


@pytest.fixture(scope="module")
def observing(server: Frontend, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sidecar]:
    options = ("--pid", str(server.pid), "--inference", server.api.address)
    with sidecar(tmp_path_factory.mktemp("sidecar"), *options) as running:
        running.wait_for(lambda: running.states().get("broken") == "halted", "the halt is seen")
        yield running


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    with browser(tmp_path_factory.mktemp("profile")) as driver:
        yield driver


@pytest.fixture(scope="module")
def scriptless(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chrome]:
    switches = ("force-dark-mode", "window-size=1200,900")
    with browser(tmp_path_factory.mktemp("profile"), *switches, scripts=False) as driver:
        yield driver


def shoot(driver: Chrome, name: str) -> None:
    """Keep a screenshot where somebody wants to look at it."""
    if SHOTS:
        driver.save_screenshot(str(Path(SHOTS) / f"{name}.png"))


def emulate(driver: Chrome, width: int, height: int, *, dark: bool = False) -> None:
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
    driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [scheme]})


def text_of(driver: Chrome) -> str:
    # In one step: the page may put a newer one in its place.
    return str(driver.execute_script("return document.getElementById('main').innerText"))


def test_broken_model_comes_first_with_cause_and_remedy(
    observing: Sidecar, chromium: Chrome
) -> None:
    emulate(chromium, 1200, 900)
    chromium.get(observing.address + "/")
    shoot(chromium, "models")
    assert text_of(chromium).splitlines()[0] == "1 of 3 models does not serve: 1 cause"
    first = chromium.find_element(By.CSS_SELECTOR, "article.card")
    for part in ("broken", "halted", "ValueError", "Remedy:", "syntax-error", "fedcba9876543210"):
        assert part in first.text


@pytest.mark.parametrize("path", ["/", "/model/broken/1.0"])
def test_what_an_exception_says_is_shown_and_never_run(
    observing: Sidecar, chromium: Chrome, path: str
) -> None:
    emulate(chromium, 1200, 900)
    chromium.get(observing.address + path)
    time.sleep(0.3)
    assert "owned" not in chromium.title
    assert INJECTION in text_of(chromium)
    assert "\\x1b[31m\\u202eevil" in text_of(chromium)
    assert not chromium.find_elements(By.CSS_SELECTOR, "main img, main script")


def test_page_of_a_model_has_traceback_and_attempts(observing: Sidecar, chromium: Chrome) -> None:
    emulate(chromium, 1200, 1200)
    chromium.get(observing.address + "/")
    chromium.find_element(By.LINK_TEXT, "broken 1.0").click()
    shoot(chromium, "model")
    assert "Traceback (most recent call last)" in text_of(chromium)
    events = [e.text for e in chromium.find_elements(By.CSS_SELECTOR, ".event")]
    assert events == ["start", "failure", "loaded", "hold", "trial begins", "trial failed"]
    assert len(chromium.find_elements(By.CSS_SELECTOR, ".timeline .bar")) == 3
    assert len(chromium.find_elements(By.CSS_SELECTOR, ".timeline .mark")) == 4
    assert "its time has come" in text_of(chromium)


@pytest.mark.parametrize("path", ["/", "/model/broken/1.0"])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_narrow_window_needs_no_scrolling_sideways(
    observing: Sidecar, chromium: Chrome, path: str, dark: bool
) -> None:
    emulate(chromium, 360, 800, dark=dark)
    chromium.get(observing.address + path)
    shoot(chromium, f"narrow-{'dark' if dark else 'light'}-{path.count('/')}")
    wide = chromium.execute_script("return document.documentElement.scrollWidth")
    assert wide <= 360


def test_dark_mode_is_dark_and_readable(observing: Sidecar, chromium: Chrome) -> None:
    emulate(chromium, 1200, 900, dark=True)
    chromium.get(observing.address + "/")
    shoot(chromium, "models-dark")
    script = "const s = getComputedStyle(document.body); return [s.backgroundColor, s.color]"
    back, front = chromium.execute_script(script)
    assert (back, front) == ("rgb(20, 23, 26)", "rgb(230, 233, 236)")


def test_page_follows_what_happens(observing: Sidecar, server: Frontend, chromium: Chrome) -> None:
    emulate(chromium, 1200, 900)
    chromium.get(observing.address + "/")
    assert "1 of 3 models does not serve: 1 cause" in text_of(chromium)
    hold(server.kept / "alpha", 501, model="alpha")
    observing.wait_for(
        lambda: "2 of 3 models do not serve: 1 cause" in text_of(chromium), "it follows"
    )
    assert chromium.title == "(2 halted) ts-retry"
    remove_marker(str(server.kept / "alpha"))
    observing.wait_for(
        lambda: "1 of 3 models does not serve: 1 cause" in text_of(chromium), "it follows"
    )


def test_page_says_when_the_sidecar_is_gone(
    server: Frontend, chromium: Chrome, tmp_path: Path
) -> None:
    with sidecar(tmp_path, "--pid", str(server.pid)) as other:
        chromium.get(other.address + "/")
        other.stop()
        time.sleep(2.5)
        assert chromium.find_element(By.ID, "stale").is_displayed()


def test_without_javascript_everything_is_there_and_the_button_resumes(
    observing: Sidecar, server: Frontend, scriptless: Chrome
) -> None:
    hold(server.kept / "alpha", 501, model="alpha", fingerprint="0000000000000001")
    observing.wait_for(lambda: observing.states()["alpha"] == "halted", "the halt is seen")
    scriptless.get(observing.address + "/")
    shoot(scriptless, "no-javascript")
    cards = scriptless.find_elements(By.CSS_SELECTOR, "article.card")
    (card,) = (card for card in cards if "alpha 1.0" in card.text)
    assert scriptless.find_elements(By.CSS_SELECTOR, "noscript meta[http-equiv=refresh]")
    card.find_element(By.CSS_SELECTOR, "button").click()
    observing.wait_for(
        lambda: not (server.kept / "alpha" / "marker.json").exists(), "the marker is removed"
    )
    assert scriptless.current_url == observing.address + "/model/alpha/1.0"


def test_without_javascript_the_table_is_filtered_and_sorted(
    observing: Sidecar, scriptless: Chrome
) -> None:
    scriptless.get(observing.address + "/")
    scriptless.find_element(By.NAME, "q").send_keys("alph")
    go(scriptless, By.XPATH, "//button[text()='Show']")
    go(scriptless, By.LINK_TEXT, "model")
    go(scriptless, By.LINK_TEXT, "model")

    assert scriptless.current_url == observing.address + "/?q=alph&sort=-model#models"
    rows = scriptless.find_elements(By.CSS_SELECTOR, "table.models tbody th")
    assert [row.text for row in rows] == ["alpha"]
    header = scriptless.find_element(By.CSS_SELECTOR, "th[aria-sort]")
    assert (header.text, header.get_attribute("aria-sort")) == ("model", "descending")


@pytest.mark.parametrize("scripts", [True, False], ids=["with JavaScript", "without"])
def test_next_trial_load_is_counted_down(
    observing: Sidecar,
    server: Frontend,
    chromium: Chrome,
    scriptless: Chrome,
    scripts: bool,
) -> None:
    """Without JavaScript the page is asked for again by itself; the text is that of its answer."""
    driver = chromium if scripts else scriptless
    folder = server.kept / "calm"
    waits = {
        "waits_for": ("files", "path:/mnt/x", "time"),
        "next_trial_at": to_text(time.time() + 90),
    }
    hold(folder, 503, model="calm", created_at=to_text(time.time() - 240), **waits)
    observing.wait_for(lambda: observing.states()["calm"] == "waiting", "it is seen")

    def left() -> int:
        driver.get(observing.address + "/model/calm/1.0")
        shoot(driver, f"countdown-{'with' if scripts else 'without'}")
        found = re.search(r"Next trial load in (\d+) s", driver.find_element(By.ID, "main").text)
        assert found is not None
        return int(found[1])

    try:
        first = left()
        assert 60 < first <= 90
        text = driver.find_element(By.ID, "main").text
        assert "Waiting since" in text
        assert "4 min ago" in text
        assert "It also waits for: /mnt/x to appear or change, the model's files." in text
        if scripts:
            shown = "return document.querySelector('time.until').textContent"
            observing.wait_for(lambda: driver.execute_script(shown) != f"in {first} s", "it counts")
        time.sleep(1.5)
        assert left() < first
    finally:
        remove_marker(str(folder))
    observing.wait_for(lambda: observing.states()["calm"] == "serving", "it serves")
