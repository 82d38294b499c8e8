"""A headless Chromium for tests of the page; imported only where Selenium is installed."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

_CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
_DRIVER = shutil.which("chromedriver")


@contextmanager
def chromium(*arguments: str, **experimental: Any) -> Iterator[Any]:
    """Start a browser for a test, or skip the test where there is none.

    Args:
        *arguments: further switches of Chromium's command line.
        **experimental: experimental options of its driver, such as ``mobileEmulation``.
    """
    if not (_CHROMIUM and _DRIVER):
        pytest.skip("no Chromium with its driver (Debian: apt install chromium chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = _CHROMIUM
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    for name, value in experimental.items():
        options.add_experimental_option(name, value)
    for argument in (
        "--headless=new",
        "--no-sandbox",  # Chromium refuses its sandbox to root, which CI containers are
        "--disable-dev-shm-usage",
        "--disable-gpu",
        "--lang=en",
        *arguments,
    ):
        options.add_argument(argument)
    driver = webdriver.Chrome(options=options, service=Service(_DRIVER))
    try:
        yield driver
    finally:
        driver.quit()
