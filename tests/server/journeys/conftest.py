"""One browser for all journeys, and for each module one bench that it is signed in to."""

from collections.abc import Iterator
from typing import Any

import pytest

pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")

from tests.support.bench import RESOLVE, Bench, bench_in
from tests.support.http import browser
from tests.support.http.browser_page import Page


@pytest.fixture(scope="session")
def driver() -> Iterator[Any]:
    with browser.chromium(RESOLVE) as driver:
        yield driver


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    with bench_in(tmp_path_factory.mktemp("bench")) as bench:
        yield bench


@pytest.fixture(scope="module")
def signed_in(driver: Any, bench: Bench) -> None:
    driver.delete_all_cookies()
    page = Page(driver, bench.address)
    driver.get(f"{bench.address}/sign-in")
    page.one("#token").send_keys(f"{bench.secret}\n")
    page.until(lambda: page.one("html").get_attribute("data-ready") == "yes")


@pytest.fixture
def page(driver: Any, bench: Bench, signed_in: None, request: pytest.FixtureRequest) -> Iterator[Page]:
    """The page of the bench on a laptop, in English, nothing remembered; its last state is kept where asked."""
    page = Page(driver, bench.address)
    page.laptop()
    driver.execute_script("localStorage.clear(); localStorage.setItem('plasmolite-language', 'en')")
    yield page
    page.keep(request.node.name)
    page.fast()
    page.complaints()
