"""A headless Chromium, where this machine has one."""

from __future__ import annotations

import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import Iterator

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service

BROWSER, DRIVER = shutil.which("chromium"), shutil.which("chromedriver")
MISSING = BROWSER is None or DRIVER is None
_SWITCHES = ("headless", "no-sandbox", "disable-gpu", "disable-quic", "no-first-run",
             "disable-background-networking", "disable-component-update", "disable-sync")  # fmt: skip


@contextmanager
def browser(folder: Path, *switches: str, scripts: bool = True) -> Iterator[Chrome]:
    """Run one with a fresh profile in `folder` for the time of the context.

    Args:
        folder: an empty directory.
        switches: further switches, without dashes.
        scripts: whether JavaScript is on.
    """
    options = ChromeOptions()
    options.binary_location = str(BROWSER)
    for switch in (*_SWITCHES, f"user-data-dir={folder}", *switches):
        options.add_argument(f"--{switch}")
    if not scripts:
        rules = {"profile.managed_default_content_settings.javascript": 2}
        options.add_experimental_option("prefs", rules)
    driver = Chrome(options=options, service=Service(str(DRIVER)))
    try:
        yield driver
    finally:
        driver.quit()
