"""The page of the server as a person works on it, through Selenium; imported only where that is installed."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By

PATIENCE = 90.0
# Set to a folder to keep a picture of every test's last state, to look at.
SHOTS = os.environ.get("PLASMOLITE_SCREENSHOTS")


class Page:
    """The page as a person works on it."""

    def __init__(self, driver: Any, address: str) -> None:
        self.driver = driver
        self.address = address

    def open(self, view: str) -> None:
        """Open a view afresh."""
        self.driver.get("about:blank")
        self.driver.get(f"{self.address}/#{view}")
        self.until(lambda: self.driver.find_element(By.TAG_NAME, "html").get_attribute("data-ready") == "yes")

    def until(self, holds: Callable[[], Any]) -> Any:
        """Wait until something holds."""
        limit = time.monotonic() + PATIENCE
        while time.monotonic() < limit:
            try:
                if found := holds():
                    return found
            except Exception:  # noqa: S110 - the page is being redrawn under the question
                pass
            time.sleep(0.1)
        pytest.fail(f"the page never came so far: {self.driver.find_element(By.TAG_NAME, 'main').text[:500]}")

    def all(self, selector: str) -> list[Any]:
        """Every element that a CSS selector finds."""
        return list(self.driver.find_elements(By.CSS_SELECTOR, selector))

    def one(self, selector: str) -> Any:
        """The element that a CSS selector finds, once it is there."""
        return self.until(lambda: self.all(selector))[0]

    def press(self, *keys: str) -> None:
        """Press keys on whatever has the focus."""
        ActionChains(self.driver).send_keys(*keys).perform()

    def text(self) -> str:
        """What can be read."""
        return str(self.driver.find_element(By.TAG_NAME, "body").text)

    def reads(self, words: str) -> bool:
        """Wait until these words can be read; what the page fetches comes when it comes."""
        return bool(self.until(lambda: words in self.text()))

    def complaints(self) -> list[str]:
        """What the browser complained of: scripts that failed, and what the policy forbade."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def keep(self, name: str) -> None:
        """Keep a picture of it, where asked."""
        if SHOTS:
            Path(SHOTS).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(Path(SHOTS) / f"{name}.png"))

    def phone(self) -> None:
        """Become a phone of 360 x 740 points, two pixels a point, with touch; a window is never that narrow."""
        self._screen(360, 740, phone=True)

    def laptop(self) -> None:
        """Become a laptop of 1280 x 900 points."""
        self._screen(1280, 900, phone=False)

    def _screen(self, width: int, height: int, *, phone: bool) -> None:
        size = {"width": width, "height": height, "deviceScaleFactor": 2 if phone else 1, "mobile": phone}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        self.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": phone})

    def slow(self) -> None:
        """Hold every answer back by 400 ms."""
        self._line(latency=400)

    def cut(self) -> None:
        """Cut the line: new requests fail."""
        self._line(latency=0, offline=True)

    def fast(self) -> None:
        """Put the line back as it is."""
        self._line(latency=0)

    def _line(self, *, latency: int, offline: bool = False) -> None:
        self.driver.execute_cdp_cmd("Network.enable", {})
        conditions = {
            "offline": offline,
            "latency": latency,
            "downloadThroughput": -1,
            "uploadThroughput": -1,
        }
        self.driver.execute_cdp_cmd("Network.emulateNetworkConditions", conditions)

    def script(self, code: str, *arguments: Any) -> Any:
        """Run a script on the page."""
        return self.driver.execute_script(code, *arguments)
