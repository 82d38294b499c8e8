"""A first visit from a phone: sign in by a code, count a slide, review it, open its report, sign out."""

import pytest
from selenium.webdriver.common.keys import Keys

from server.credentials.pairing import pairing_address
from tests.support.bench import Bench
from tests.support.http.browser_page import Page

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("language", ["en", "fr"])
def test_from_a_code_to_a_filed_report_on_a_phone(page: Page, bench: Bench, language: str) -> None:
    driver = page.driver
    words = {
        "en": ("Count a slide", "Finish and review", "reviewed"),
        "fr": ("Compter une lame", "Terminer et relire", "relue"),
    }[language]
    page.phone()
    page.script("localStorage.setItem('plasmolite-language', arguments[0])", language)
    driver.delete_all_cookies()
    # What the console or a laptop shows as a QR code.
    driver.get("about:blank")
    driver.get(pairing_address(f"{bench.address}/", bench.context.pairing.draw()))
    page.until(lambda: page.one("html").get_attribute("data-ready") == "yes")
    assert "pair" not in driver.current_url
    page.until(lambda: page.one("#home-count").text == words[0])
    assert page.one("#home-count").location["y"] < 640  # in sight without scrolling
    page.keep(f"first-visit-home-{language}")
    page.one("#home-count").click()
    page.one("#live-slide").send_keys(f"visit-{language}")
    aim = page.one("#live-aim")
    aim.clear()
    aim.send_keys("20")
    page.script("document.getElementById('live-start').click()")
    page.until(lambda: page.one("#live-finish").text == words[1])
    page.until(lambda: page.script("return document.querySelector('.live-picture').naturalWidth") > 0)
    page.keep(f"first-visit-counted-{language}")
    page.script("document.getElementById('live-finish').click()")
    page.until(lambda: page.all("#live-after a.main"))
    slide = bench.store.slide(f"visit-{language}")
    page.keep(f"first-visit-after-{language}")
    page.script("document.querySelector('#live-after a.main').click()")
    page.one("#reviewer").send_keys("Amina", Keys.ENTER)
    while True:
        page.one(".review[data-seen]")
        shown = page.one(".review[data-seen]").get_attribute("data-seen")
        page.script("document.querySelector('.review .calls .healthy').click()")
        page.until(lambda cell=int(shown): bench.store.cell(slide, cell).call)
        page.until(lambda cell=shown: page.one(".review").get_attribute("data-seen") != cell or done(page))
        if done(page):
            break
    report = page.one(".message .buttonlike.main")
    page.keep(f"first-visit-reviewed-{language}")
    address = report.get_attribute("href")
    page.open("home")
    assert page.reads(words[2])
    assert not [words for words in page.complaints() if "Uncaught" in words]
    driver.get(address)
    assert page.reads(f"visit-{language}")
    driver.get(f"{bench.address}/")
    page.until(lambda: page.one("html").get_attribute("data-ready") == "yes")
    page.script("document.getElementById('sign-out').click()")
    page.one("#token")
    driver.get(f"{bench.address}/slides")
    page.one("#token").send_keys(f"{bench.secret}\n")
    page.until(lambda: "sign-in" not in driver.current_url)


def done(page: Page) -> bool:
    """Whether the review told that nothing is left."""
    return bool(page.all(".message .buttonlike.main"))


def test_a_code_that_was_used_is_told_on_the_form(page: Page, bench: Bench) -> None:
    code = bench.context.pairing.draw()
    bench.context.pairing.use(code)
    page.driver.delete_all_cookies()
    page.driver.get("about:blank")
    page.driver.get(pairing_address(f"{bench.address}/", code))
    assert page.reads("This code was used before, or is too old.")
    page.one("#token").send_keys(f"{bench.secret}\n")
    page.until(lambda: page.one("html").get_attribute("data-ready") == "yes")


def test_the_next_viewer_sees_a_still_picture_when_all_places_are_taken(page: Page, bench: Bench) -> None:
    with (
        bench.context.viewers_admission.admit(),
        bench.context.viewers_admission.admit(),
        bench.context.viewers_admission.admit(),
        bench.context.viewers_admission.admit(),
    ):
        page.open("live")
        page.one("#live-slide").send_keys("watched")
        page.one("#live-start").click()
        assert page.reads("As many watch as can")
        page.until(lambda: page.script("return document.querySelector('.live-picture').naturalWidth") > 0)
    # Another browser's count is not stopped without a question.
    page.script("localStorage.removeItem('plasmolite-count')")
    page.one("#live-stop").click()
    question = page.until(lambda: page.driver.switch_to.alert)
    assert "was not begun in this browser" in question.text
    question.dismiss()
    assert bench.context.live is not None
    assert bench.context.live.snapshot() is not None
    page.one("#live-stop").click()
    page.until(lambda: page.driver.switch_to.alert).accept()
    page.one("#live-after")


def test_live_comes_back_by_itself_when_the_line_does(page: Page, bench: Bench) -> None:
    page.cut()
    page.script("location.hash = '#live'")
    assert page.reads("The server does not answer.")
    page.fast()
    page.one("#live-start")
    page.until(lambda: "The server does not answer." not in page.text())


def test_skipping_to_the_content_leaves_the_view_alone(page: Page) -> None:
    page.open("slides")
    page.one("#slides-search")
    page.script("document.querySelector('.skip').click()")
    assert page.one("#slides-search").is_displayed()
    assert page.one("#tab-slides").get_attribute("aria-current") == "page"
