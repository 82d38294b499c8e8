"""No result of one patient is taken for another's, however slow the line and however fast the hands."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys

from edge.slides.records import Slide
from edge.slides.review import judge
from tests.support.bench import Bench, slide_with_crops
from tests.support.http.browser_page import Page
from tests.support.http.running_server import cell_png, field_png

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    (folder / "ama.png").write_bytes(cell_png(1, True))
    (folder / "kofi.png").write_bytes(cell_png(2, False))
    (folder / "field.png").write_bytes(field_png())
    (folder / "broken.png").write_bytes(cell_png()[:300])
    (folder / "words.txt.png").write_text("no picture")
    return folder


@pytest.fixture
def slow_server(page: Page) -> Iterator[None]:
    page.slow()
    yield
    page.fast()


def hand_over(page: Page, view: str, *files: Path) -> None:
    page.one(f"#{view}-drop-files").send_keys("\n".join(map(str, files)))


@pytest.mark.parametrize("bad", ["broken.png", "words.txt.png"])
def test_a_verdict_is_gone_when_the_next_picture_is_refused(page: Page, folder: Path, bad: str) -> None:
    page.open("cell")
    hand_over(page, "cell", folder / "ama.png")
    page.until(lambda: page.one("#cell-results .verdict").text == "Parasitised")
    hand_over(page, "cell", folder / bad)
    page.until(lambda: bad in page.one("#cell-results").text)
    assert "ama.png" not in page.text()
    page.until(lambda: page.one("#cell-results .verdict").text == "Not judged")
    assert len(page.all("#cell-results .verdict")) == 1
    assert page.one("#cell-results .notice").text


def test_a_slow_answer_never_comes_over_a_later_picture(page: Page, folder: Path, slow_server: None) -> None:
    page.open("cell")
    page.script(
        "const send = XMLHttpRequest.prototype.send; let first = true;"
        "XMLHttpRequest.prototype.send = function (body) {"
        " if (first) { first = false; setTimeout(() => send.call(this, body), 900); } else send.call(this, body); };"
    )
    hand_over(page, "cell", folder / "ama.png")
    hand_over(page, "cell", folder / "kofi.png")
    page.until(lambda: page.all("#cell-results .verdict"))
    assert page.script(
        "return new Promise((done) => setTimeout(() => done(document.querySelector('#cell-results').innerText), 1200))"
    ).startswith("kofi.png")
    assert [part.text for part in page.all("#cell-results .verdict")] == ["Uninfected"]


def test_an_estimate_is_gone_when_the_next_field_cannot_be_read(page: Page, folder: Path) -> None:
    page.open("field")
    hand_over(page, "field", folder / "field.png")
    page.until(lambda: page.all("#field-results .estimate"))
    hand_over(page, "field", folder / "broken.png")
    page.until(lambda: "broken.png" in page.one("#view-field").text)
    assert not page.all("#field-results .estimate")
    assert "truncated" in page.until(lambda: page.one("#view-field .notice").text)


def test_the_cells_of_a_slide_are_gone_when_another_is_opened(
    page: Page, bench: Bench, slow_server: None
) -> None:
    first = slide_with_crops(bench.store, "Ama-1", 0.99, 0.98)
    second = slide_with_crops(bench.store, "Kofi-1", 0.97)
    page.open(f"slides/{first.number}/review")
    page.until(lambda: "Ama-1" in page.one("#slides-body").text)
    page.script("location.hash = arguments[0]", f"#slides/{second.number}/review")
    page.until(lambda: "Ama-1" not in page.one("#slides-body").text)
    page.until(lambda: "Kofi-1" in page.one("#slides-body").text)
    # The first slide's answer may still be on its way when the second is asked for.
    page.script(
        "location.hash = arguments[0]; setTimeout(() => { location.hash = arguments[1]; }, 450)",
        f"#slides/{first.number}/review",
        f"#slides/{second.number}",
    )
    page.until(lambda: "Slide Kofi-1" in page.one("#slides-body").text)
    page.press("p", "u")
    assert "Ama-1" not in page.script(
        "return new Promise((done) => setTimeout(() => done(document.querySelector('#slides-body').innerText), 1500))"
    )
    assert [entry.action for entry in bench.store.audit(first)] == ["slide created"]


def name_reviewer(page: Page, name: str) -> None:
    page.one("#reviewer").send_keys(name, Keys.ENTER)
    page.until(lambda: f"Reviewer: {name}" in page.text())


def test_keys_pressed_in_haste_call_only_the_cell_that_is_shown(
    page: Page, bench: Bench, slow_server: None
) -> None:
    slide = slide_with_crops(bench.store, "haste", *(0.99 - n / 100 for n in range(6)))
    page.open(f"slides/{slide.number}/review")
    name_reviewer(page, "Amina")
    page.one(".review[data-seen]")
    page.press("u", "u", "u", "u", "u")
    page.reads("Cell 2 of 6")
    hold = ActionChains(page.driver)
    for _ in range(5):
        hold.key_down("u")
    hold.key_up("u").perform()
    reviews = bench.store.reviews(slide)
    assert len({review.cell_id for review in reviews}) == len(reviews) <= 2
    assert {review.reviewer for review in reviews} == {"Amina"}


def call(page: Page, bench: Bench, slide: Slide, key: str) -> None:
    """Give one call on the cell that is shown, once it is shown, and wait until it is stored."""
    before = len(bench.store.reviews(slide))
    page.one(".review[data-seen]")
    page.press(key)
    page.until(lambda: len(bench.store.reviews(slide)) == before + 1)


def test_the_end_of_a_review_leads_to_what_is_still_open(page: Page, bench: Bench) -> None:
    slide = slide_with_crops(bench.store, "skipped", 0.99, 0.98, 0.97)
    page.open(f"slides/{slide.number}/review")
    name_reviewer(page, "Amina")
    page.press(Keys.ARROW_RIGHT)
    assert page.reads("Cell 2 of 3")
    call(page, bench, slide, "p")
    assert page.reads("Cell 3 of 3")
    call(page, bench, slide, "p")
    assert page.reads("1 of 3 cells is still open")
    assert page.reads("Cell 1 of 3")
    call(page, bench, slide, "u")
    assert page.reads("All suspects and doubtful cells are reviewed.")
    assert page.one(".message .buttonlike.main").text == "Report"
    assert page.complaints() == []


def test_a_review_shows_more_suspects_than_one_page_of_the_list_holds(page: Page, bench: Bench) -> None:
    slide = slide_with_crops(bench.store, "many", *[0.99] * 520, alike=True)
    for cell in bench.store.cells(slide)[:519]:
        judge(bench.store, slide, cell.cell_id, "Parasitized", reviewer="Amina")
    page.open(f"slides/{slide.number}/review")
    assert page.reads("Cell 520 of 520")


def test_the_machines_verdict_waits_for_the_readers_call_if_so_set(page: Page, bench: Bench) -> None:
    slide = slide_with_crops(bench.store, "blind", 0.99, 0.98)
    page.open(f"slides/{slide.number}/review")
    name_reviewer(page, "Amina")
    assert page.reads("The machine: Parasitised")
    page.one("#review-blind").click()
    page.until(lambda: "The machine: Parasitised" not in page.text())
    page.open(f"slides/{slide.number}/review")
    assert page.reads("The machine's verdict comes after your call.")
    call(page, bench, slide, "u")
    assert page.reads("Cell 2 of 2")
    page.press(Keys.ARROW_LEFT)
    assert page.reads("The machine: Parasitised")
