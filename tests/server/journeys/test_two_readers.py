"""Two readers of one slide who disagree, and a third who decides; each cell seen among its neighbours."""

import pytest
from selenium.webdriver.common.keys import Keys

from edge.slides.readings import Reading, agreement, calls_of
from edge.types import Label
from tests.support.bench import Bench, slide_with_crops
from tests.support.http.browser_page import Page

pytestmark = pytest.mark.browser


def read(page: Page, reader: str, *keys: str) -> None:
    """Give a name, and a call a cell as the cells come."""
    if page.all("#not-me"):
        page.one("#not-me").click()
    box = page.one("#reviewer")
    box.clear()
    box.send_keys(reader, Keys.ENTER)
    for key in keys:
        seen = page.one(".review[data-seen]").get_attribute("data-seen")
        page.press(key)
        page.until(lambda seen=seen: finished(page) or shown(page) not in (None, seen))


def shown(page: Page) -> str | None:
    return str(page.one(".review").get_attribute("data-seen") or "") or None


def finished(page: Page) -> bool:
    return bool(page.all(".message .buttonlike.main"))


@pytest.mark.parametrize("language", ["en", "fr"])
def test_two_who_disagree_and_a_third_who_decides(page: Page, bench: Bench, language: str) -> None:
    name = f"twice-{language}"
    slide = slide_with_crops(bench.store, name, 0.99, 0.97, 0.95, 0.6)
    page.script("localStorage.setItem('plasmolite-language', arguments[0])", language)
    page.open(f"slides/{slide.number}/review")
    read(page, "Amina", "p", "p", "p", "u")
    first = calls_of(bench.store, slide, Reading.FIRST)
    assert len(first) == 4
    page.open(f"slides/{slide.number}")
    page.one("#second-reading").click()
    # The browser knows Amina, who may not read it twice: a name is asked for, and hers is refused in a sentence.
    page.one("#reviewer").send_keys("Amina", Keys.ENTER)
    page.one(".review[data-seen]")
    page.press("p")
    assert page.reads({"en": "has read this slide already", "fr": "a déjà lu cette lame"}[language])
    assert not calls_of(bench.store, slide, Reading.SECOND)
    # Nothing of the first reading, nothing called.
    assert page.one(".review progress").get_attribute("value") == "0"
    assert not page.all(".review .chosen")
    page.script("document.getElementById('review-blind').click()")
    words = {"en": "left out of this reading", "fr": "tu dans cette lecture"}[language]
    assert page.reads(words)
    assert "0.9" not in page.one(".review").text
    assert "0,9" not in page.one(".review").text
    page.keep(f"second-reading-{language}")
    read(page, "Brice", "u", "p", "p", "u")
    second = calls_of(bench.store, slide, Reading.SECOND)
    assert {one.reviewer for one in second.values()} == {"Brice"}
    assert len(second) == 4
    found = agreement(bench.store, slide)
    assert found is not None
    differing = len(found.disagreements)
    assert differing >= 1
    page.open(f"slides/{slide.number}")
    assert len(page.one("#disagreements").find_elements("css selector", "tbody tr")) == differing
    assert page.reads("Amina")
    assert page.reads("Brice")
    page.keep(f"disagreements-{language}")
    page.one("#decide").click()
    read(page, "Chantal", *(["u"] * differing))
    page.open(f"slides/{slide.number}")
    assert page.reads({"en": "Decided by Chantal.", "fr": "Tranché par Chantal."}[language])
    assert not page.all("#decide")
    for one in found.disagreements:
        assert bench.store.cell(slide, one.cell.cell_id).call == Label.UNINFECTED
    assert calls_of(bench.store, slide, Reading.FIRST) == first  # nothing is overwritten
    assert not [words for words in page.complaints() if "Uncaught" in words]


def test_a_cell_is_seen_among_its_neighbours_and_enlarged_with_them(page: Page, bench: Bench) -> None:
    slide = slide_with_crops(bench.store, "neighbours", 0.99, 0.97, 0.1, 0.2)
    page.open(f"slides/{slide.number}/review")
    around = page.one(".looks .around img")
    page.until(lambda: page.script("return document.querySelector('.around img').naturalWidth") == 320)
    assert around.is_displayed()
    assert page.one(".looks figure:not(.around) img").is_displayed()
    page.keep("review-neighbours")
    page.press("z")
    page.until(lambda: len(page.all(".crop.near")) == 2)
    page.press("z")
    # On a phone one of the two at a time.
    page.phone()
    page.until(lambda: not page.one(".around img").is_displayed())
    page.keep("review-neighbours-phone")
    page.one(".review .turn").click()
    page.until(lambda: page.one(".around img").is_displayed())
    assert not page.one(".looks figure:not(.around) img").is_displayed()
    page.keep("review-neighbours-phone-turned")
    assert page.script("return document.documentElement.scrollWidth <= innerWidth")


def test_a_sample_of_what_the_machine_passed_is_reviewed_after_the_suspects(page: Page, bench: Bench) -> None:
    slide = slide_with_crops(bench.store, "sampled", 0.99, 0.01, 0.02, 0.03)
    page.open(f"slides/{slide.number}/review")
    read(page, "Amina", "p")
    page.open(f"slides/{slide.number}")
    page.one("#sample").click()
    page.one(".review[data-seen]")
    assert page.reads("Cell 2 of 4")
    for _ in range(3):
        seen = page.one(".review[data-seen]").get_attribute("data-seen")
        page.press("u")
        page.until(lambda seen=seen: finished(page) or shown(page) not in (None, seen))
    assert finished(page)
    assert bench.store.counts(slide).reviewed == 4
    page.open(f"slides/{slide.number}")
    page.one("#teach")
    assert not page.all("#sample")


def test_a_slide_without_stored_fields_shows_the_cell_alone(page: Page, bench: Bench) -> None:
    slide = slide_with_crops(bench.store, "older", 0.99)
    with bench.store.database._lock:
        bench.store.database._connection.execute("DELETE FROM pictures")
    page.open(f"slides/{slide.number}/review")
    page.until(lambda: page.all(".looks.alone"))
    assert not page.all(".around")
    assert not page.all(".review .turn")
    page.one(".review[data-seen]")
    assert page.complaints() == []
