"""A real Chromium without a screen, and where the test of the page looks for it."""

from __future__ import annotations

import io
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from PIL import Image

from local import flow

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

PATIENCE = 240.0
# Names a folder: then the pictures of the documentation are taken anew.
SCREENSHOTS = "AVM_SCREENSHOTS"
_ARGUMENTS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--mute-audio",
    "--hide-scrollbars",
    "--no-proxy-server",
    "--autoplay-policy=no-user-gesture-required",
    "--window-size=1440,1000",
)


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """A browser with an empty profile; skips the test where there is none."""
    program, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not program or not driver:
        pytest.skip("no chromium and chromedriver on PATH: apt-get install chromium-driver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="install the extra dev")
    options = webdriver.ChromeOptions()
    options.binary_location = program
    for argument in (*_ARGUMENTS, f"--user-data-dir={profile}"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # Given, so that Selenium looks for none on the network.
    opened = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
    try:
        opened.set_page_load_timeout(PATIENCE)
        opened.set_script_timeout(PATIENCE)
        yield opened
    finally:
        opened.quit()


def until(what: str, condition: Callable[[], Any], *, patience: float = PATIENCE) -> Any:
    """The first true value of `condition`; what the page changes under our hands counts as no."""
    from selenium.common.exceptions import WebDriverException

    def settled() -> Any:
        try:
            return condition()
        except WebDriverException:
            return None

    return flow.until(what, settled, patience=patience, step=0.5)


def find(browser: Chrome, css: str) -> Any:
    """The first shown element, awaited."""
    return until(
        css, lambda: next((e for e in browser.find_elements("css selector", css) if shown(e)), None)
    )


def shown(element: Any) -> bool:
    return bool(element.is_displayed())


def in_frame(browser: Chrome) -> None:
    """Into Airflow's frame around the page."""
    browser.switch_to.default_content()
    browser.switch_to.frame(find(browser, "iframe"))


def picture(browser: Chrome, name: str) -> None:
    """Save `name` light and dark, small enough for a repository, if pictures are wanted."""
    folder = os.environ.get(SCREENSHOTS, "")
    if not folder:
        return
    Path(folder).mkdir(parents=True, exist_ok=True)
    for scheme in ("light", "dark"):
        feature = {"name": "prefers-color-scheme", "value": scheme}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
        time.sleep(1.0)
        image = Image.open(io.BytesIO(browser.get_screenshot_as_png())).convert("RGB")
        image = image.resize((1200, round(image.height * 1200 / image.width)), Image.LANCZOS)
        image.quantize(160, dither=Image.Dither.NONE).save(
            Path(folder) / f"{name}-{scheme}.png", optimize=True
        )
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
