"""The server is killed in the middle, and started again: the page says so, goes on by itself, and nothing is lost."""

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from edge.slides.store import SlideStore
from server.credentials.token import make_token, write_record
from tests.support.bench import NAME, slide_with_crops
from tests.support.http.browser_page import Page

pytestmark = pytest.mark.browser


class Killable:
    """`plasmolite serve` in a process of its own, always at the same port and over the same store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.store = folder / "slides.sqlite"
        self.secret, record = make_token()
        write_record(folder / "token.json", record)
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"http://{NAME}:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-m", "plasmolite", "serve", "--port", str(self.port)),
                *("--token-file", str(self.folder / "token.json"), "--slides", str(self.store)),
                *("--source", "simulator", "--allow-host", NAME),
            ],
            stderr=subprocess.DEVNULL,
        )
        limit = time.monotonic() + 120
        while time.monotonic() < limit:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health")
            except OSError:
                assert self._process.poll() is None, "the server did not start"
                time.sleep(0.2)
            else:
                return
        pytest.fail("the server did not start in two minutes")

    def kill(self) -> None:
        """End it as a power cut would."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Killable]:
    server = Killable(tmp_path)
    with SlideStore(server.store) as store:
        slide_with_crops(store, "before", 0.99, 0.97, 0.95)
    server.start()
    yield server
    server.kill()


@pytest.fixture
def page(driver: Any, server: Killable, request: pytest.FixtureRequest) -> Iterator[Page]:
    driver.delete_all_cookies()
    page = Page(driver, server.address)
    page.laptop()
    driver.get(f"{server.address}/sign-in")
    page.one("#token").send_keys(f"{server.secret}\n")
    page.until(lambda: page.one("html").get_attribute("data-ready") == "yes")
    page.script("localStorage.clear(); localStorage.setItem('plasmolite-language', 'en')")
    page.complaints()
    yield page
    page.keep(request.node.name)
    page.complaints()


def cells_counted(page: Page) -> int:
    return int("0" + page.one("#live-progress").text.split(" ")[0].replace(",", ""))


def test_a_killed_count_is_gone_on_with_and_nobody_signs_in_anew(page: Page, server: Killable) -> None:
    page.open("live")
    page.one("#live-slide").send_keys("K-1")
    page.one("#live-start").click()
    page.until(lambda: cells_counted(page) >= 30)
    acknowledged = cells_counted(page)
    server.kill()
    assert page.reads("The server does not answer.")
    assert page.one("#live-bench").get_attribute("class") == "away"  # the figures are marked as old
    page.keep("restart-away")
    # Meanwhile another language, whose words cannot come, and the view opened afresh: box and page speak one language.
    Select(page.one("#language")).select_by_value("fr")
    page.until(lambda: page.one("#language").get_attribute("value") == "en")
    assert page.one("#tab-slides").text == "Slides"
    page.script("location.hash = '#home'")
    assert page.reads("The server does not answer.")
    page.script("location.hash = '#live'")
    page.until(lambda: "The server does not answer." in page.one("#live-bench").text)
    assert not [words for words in page.complaints() if "Uncaught" in words]
    server.start()
    again = page.one("#live-again")  # without a reload, and without the token
    assert page.reads("K-1 was interrupted at")
    page.keep("restart-back")
    with SlideStore(server.store) as store:
        stored = store.counts(store.slide("K-1")).cells
    assert stored >= acknowledged
    again.click()
    page.until(lambda: page.all("#live-progress") and cells_counted(page) >= stored)
    page.until(lambda: page.script("return document.querySelector('.live-picture').naturalWidth") > 0)
    assert not [words for words in page.complaints() if "Uncaught" in words]


def test_a_call_that_was_not_stored_is_said_and_given_again_once(page: Page, server: Killable) -> None:
    page.open("slides/1/review")
    page.one("#reviewer").send_keys("Amina", Keys.ENTER)
    seen = page.one(".review[data-seen]").get_attribute("data-seen")
    server.kill()
    page.press("u")
    assert page.reads("The server does not answer.")
    assert page.one(".review").get_attribute("data-seen") == seen
    assert page.one(".review progress").get_attribute("value") == "0"
    server.start()
    page.press("u")
    page.until(lambda: page.one(".review").get_attribute("data-seen") not in (None, "", seen))
    with SlideStore(server.store) as store:
        slide = store.slide("before")
        assert [review.reviewer for review in store.reviews(slide)] == ["Amina"]
        assert [entry.action for entry in store.audit(slide)].count("cell reviewed") == 1


def test_a_sign_out_that_did_not_reach_the_server_is_said(page: Page, server: Killable) -> None:
    page.open("home")
    server.kill()
    page.one("#sign-out").click()
    alert = page.until(lambda: page.driver.switch_to.alert)
    assert alert.text.startswith("The server does not answer.")
    alert.accept()
    server.start()
    page.one("#sign-out").click()
    page.until(lambda: page.driver.current_url.endswith("/sign-in"))
    page.complaints()
