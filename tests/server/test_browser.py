"""The page in a real browser: headless Chromium. Skips where there is none (apt install chromium chromium-driver)."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from edge.images.encode import encode_jpeg
from edge.messages.catalogue import catalogue
from edge.messages.codes import Code
from edge.messages.language import Language
from edge.messages.message import Message
from edge.parasitaemia.estimate import Rates, estimate
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.single_cell import draw_cell
from edge.types import Label
from server.live_camera import LiveCamera
from tests.support.http.running_server import cell_png, field_png, make_context, served, store_in
from tests.support.slides.small_slide import begin, cells_of, field_at, with_crops

pytest.importorskip("selenium.webdriver", reason="selenium is not installed (pip install selenium)")
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select

from tests.support.http import browser
from tests.support.http.browser_page import Page

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("browser")
    (folder / "cell-a.png").write_bytes(cell_png(1, True))
    (folder / "cell-b.png").write_bytes(cell_png(2, False))
    (folder / "field.png").write_bytes(field_png())
    (folder / "broken.png").write_bytes(cell_png()[:300])
    settings = FieldSettings(width=960, height=720, cells=30, cell_width=95.0, parasitaemia=0.2)
    rgb = draw_field(9, settings).rgb
    # Chromium's fake camera plays a file of JPEGs one after another.
    (folder / "camera.mjpeg").write_bytes(encode_jpeg(rgb, 95) * 3)
    return folder


@pytest.fixture(scope="module")
def address(folder: Path) -> Iterator[str]:
    with store_in(folder) as store:
        slide = begin(store, "K-17", notes="second reading")
        cells = cells_of(0.99, 0.97, 0.95, 0.9, 0.4, 0.1)
        crops = [
            encode_jpeg(draw_cell(number, cell.label == Label.PARASITIZED).rgb, 90)
            for number, cell in enumerate(cells)
        ]
        store.add_field(slide, field_at(), cells, crops)
        store.add_field(begin(store, "K-18"), field_at(), *with_crops(cells_of(0.99, 0.1)))
        with make_context(folder, store=store) as context:
            camera = LiveCamera(context.setup, store, "simulator")
            object.__setattr__(context, "live", camera)
            with served(context) as address:
                yield address
                context.stopping.set()
                camera.stop()


@pytest.fixture(scope="module")
def driver(folder: Path) -> Iterator[Any]:
    with browser.chromium(
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={folder / 'camera.mjpeg'}",
    ) as driver:
        yield driver


@pytest.fixture
def page(driver: Any, address: str, request: pytest.FixtureRequest) -> Iterator[Page]:
    driver.set_window_size(1280, 1000)
    page = Page(driver, address)
    page.open("cell")
    Select(page.one("#language")).select_by_value("en")
    page.until(lambda: page.one("html").get_attribute("lang") == "en")
    page.complaints()
    yield page
    page.keep(request.node.name)


def test_a_dropped_cell_shows_its_verdict_and_its_evidence(page: Page, folder: Path) -> None:
    page.one("#cell-drop-files").send_keys(f"{folder / 'cell-a.png'}\n{folder / 'cell-b.png'}")
    page.until(lambda: len(page.all("#cell-results .pictures img")) == 4)
    verdicts = [element.text for element in page.all("#cell-results .verdict")]
    assert set(verdicts) <= {"Parasitised", "Uninfected"}
    assert len(verdicts) == 2
    assert page.complaints() == []


def test_a_picture_that_cannot_be_read_says_so(page: Page, folder: Path) -> None:
    page.one("#cell-drop-files").send_keys(str(folder / "broken.png"))
    page.until(lambda: page.one("#cell-results .verdict").text == "Not judged")
    assert "truncated" in page.one("#cell-results").text


def test_a_field_is_outlined_and_can_be_zoomed_by_wheel_and_keys(page: Page, folder: Path) -> None:
    page.open("field")
    page.one("#field-drop-files").send_keys(str(folder / "field.png"))
    page.until(lambda: len(page.all("#field-results polygon.outline")) > 10)
    view = page.one("svg.view")
    whole = view.get_dom_attribute("viewBox")
    page.all(".zoom button")[0].click()
    nearer = view.get_dom_attribute("viewBox")
    assert float(nearer.split()[2]) < float(whole.split()[2])
    page.driver.execute_script("arguments[0].focus()", view)
    page.press("+", Keys.ARROW_RIGHT)
    assert view.get_dom_attribute("viewBox") != nearer
    page.press("0")
    assert view.get_dom_attribute("viewBox") == whole
    assert page.reads("red cells counted")
    assert page.complaints() == []


def test_a_cell_of_a_field_can_be_asked_for_its_evidence(page: Page, folder: Path) -> None:
    page.open("field")
    page.one("#field-drop-files").send_keys(str(folder / "field.png"))
    page.until(lambda: page.all("#field-results polygon[role=button]:not(.uncounted)"))
    page.driver.execute_script(
        "document.querySelector('#field-results polygon[role=button]:not(.uncounted)')"
        ".dispatchEvent(new MouseEvent('click'))"
    )
    page.until(lambda: [button for button in page.all("button.plain") if button.text == "Show the evidence"])[
        0
    ].click()
    evidence = page.one("#field-results .pictures img")
    assert evidence.size == page.one("#field-results .pictures canvas").size
    assert page.complaints() == []


def test_the_live_view_counts_the_simulated_slide(page: Page) -> None:
    page.open("live")
    page.one("#live-slide").send_keys("S-live")
    page.one("#live-operator").send_keys("Amina")
    page.one("#live-start").click()
    page.until(lambda: page.all("#live-progress") and not page.one("#live-progress").text.startswith("0 "))
    picture = page.one(".live-picture")
    page.until(lambda: page.driver.execute_script("return arguments[0].naturalWidth", picture) > 0)
    assert "of 1,000 red cells" in page.one("#live-progress").text
    assert page.one("#live-estimate .estimate")
    page.keep("live-counting")
    page.one("#live-stop").click()
    page.one("#live-start")
    assert page.complaints() == []


def test_the_browsers_own_camera_is_judged_as_a_field_and_refused_as_one_cell(page: Page) -> None:
    page.open("live")
    page.one("#webcam-start").click()
    page.until(lambda: page.all("#webcam-result polygon.outline"))
    page.keep("webcam-field")
    Select(page.one("#webcam-mode")).select_by_value("cell")
    # Dozens of cells lie in the circle.
    page.until(lambda: "does not look like a red cell" in page.one("#webcam-message").text)
    assert not page.all("#webcam-result polygon.outline")
    page.one("#webcam-stop").click()
    assert page.one("#webcam-start").is_displayed()


def test_review_by_keys_stores_every_call_and_can_withdraw(page: Page) -> None:
    page.open("slides/1/review")
    page.one("#reviewer").send_keys("Amina", Keys.ENTER)
    page.one(".review[data-seen]")
    page.press("p")
    assert page.reads("Cell 2 of 5")
    page.one(".review[data-seen]")
    page.press("u")
    assert page.reads("Cell 3 of 5")
    page.press(Keys.ARROW_LEFT)
    assert page.reads("Your call: Uninfected")
    page.keep("review-called")
    page.press(Keys.BACKSPACE)
    assert page.reads("not called yet")
    page.open("slides/1")
    assert page.reads("was reviewed by a person.")
    assert "After review" not in page.text()
    assert page.complaints() == []


def test_review_by_touch_buttons(page: Page) -> None:
    page.driver.set_window_size(500, 900)
    page.open("slides/1/review")
    page.one("#not-me").click()
    page.one("#reviewer").send_keys("Bakary", Keys.ENTER)
    page.one(".review[data-seen]")
    before = page.one(".review p").text
    page.one(".review .calls .healthy").click()
    page.until(lambda: page.one(".review p").text != before)


def english_lines(page: Page) -> set[str]:
    """The lines of the page that stand so in the English catalogue, and not so in the French one."""
    folder = Path(__file__).parents[2] / "edge" / "messages"
    english, french = (
        set(json.loads((folder / f"{code}.json").read_text(encoding="utf-8")).values())
        for code in ("en", "fr")
    )
    return {line.strip() for line in page.text().splitlines()} & (english - french)


def test_french_is_french_everywhere(page: Page, folder: Path) -> None:
    Select(page.one("#language")).select_by_value("fr")
    assert page.reads("Réservé à la recherche")
    assert page.one("html").get_attribute("lang") == "fr"
    page.one("#cell-drop-files").send_keys(f"{folder / 'cell-b.png'}\n{folder / 'broken.png'}")
    page.until(lambda: page.all("#cell-results .verdict"))
    assert page.one("#cell-results .verdict").text in {"Parasitée", "Non infectée"}
    assert page.reads("Le fichier PNG est incomplet")
    assert not english_lines(page)
    page.keep("french-cell")
    page.open("field")
    page.one("#field-drop-files").send_keys(str(folder / "field.png"))
    page.until(lambda: page.all("#field-results polygon"))
    for part in page.all("details"):
        page.driver.execute_script("arguments[0].open = true", part)
    assert page.reads("globules rouges comptés")
    assert not english_lines(page)
    page.keep("french-field")
    page.open("live")
    page.one("#live-slide").send_keys("S-fr")
    page.one("#live-start").click()
    page.until(lambda: page.all("#live-progress") and not page.one("#live-progress").text.startswith("0 "))
    assert not english_lines(page)
    page.keep("french-live")
    page.one("#live-stop").click()
    page.one("#live-start")
    assert "Research use" not in page.text()


def test_the_audit_trail_speaks_french(page: Page) -> None:
    page.open("slides/1/review")
    page.one(".review[data-seen]")
    before = page.one(".review progress").get_attribute("value")
    page.one(".review .calls .infected").click()
    page.until(lambda: page.one(".review progress").get_attribute("value") != before)
    Select(page.one("#language")).select_by_value("fr")
    page.open("slides/1")
    page.driver.execute_script("arguments[0].open = true", page.one("#slides-body details"))
    assert page.reads("avis Parasitée ; la machine disait Parasitée, probabilité 0,")
    assert page.reads("Lame commencée")
    assert page.reads("CSV : journal des changements")
    assert not english_lines(page)
    page.keep("french-slide")


def test_of_a_slide_without_notes_or_calls_no_empty_value_is_shown(page: Page) -> None:
    page.open("slides/2")
    assert page.reads("Slide K-18")
    assert "null" not in page.text()


def test_the_page_writes_messages_as_the_program_does(page: Page) -> None:
    messages = [
        Message(Code.LIVE_BLURRED),
        Message(Code.LIVE_SILENT, source="camera 0", seconds=12.3),
        Message(Code.PICTURE_NOT_OPENED, reason=Message(Code.SYSTEM_NOT_FOUND)),
        Message(Code.MODEL_LABELS, path="m.tflite", found=["cat", "dog"], wanted=["a", "b"]),
        Message(Code.SLIDE_OTHER_THRESHOLD, slide="K-1", threshold=0.46739110350608826, other=0.5),
        Message(Code.ESTIMATE_BLOOD, rbc_per_ul=5_024_000.0, rbc_source=Message(Code.BLOOD_GIVEN)),
        *(Message(Code.LIVE_NOT_JUDGED, cells=cells) for cells in (0, 1, 2, 1234)),
        *estimate(40, 20_000, Rates(1940, 2000, 9980, 10_000)).words,
        *estimate(3, 500, Rates(1940, 2000, 9980, 10_000)).words,
    ]
    for language in Language:
        Select(page.one("#language")).select_by_value(language)
        page.until(lambda wanted=language: page.one("html").get_attribute("lang") == wanted)
        written = page.driver.execute_async_script(
            "const [messages, done] = arguments;"
            "const words = document.querySelector('script[type=module]').src.replace('page.js', 'words.js');"
            "import(words).then(({ sentence }) => done(messages.map(sentence)));",
            [message.to_json() for message in messages],
        )
        assert written == [catalogue(language).on_page(message) for message in messages]


@pytest.mark.parametrize("view", ["cell", "field", "live", "slides", "slides/1", "slides/1/review"])
def test_nothing_is_cut_off_on_a_screen_of_360_pixels(page: Page, view: str) -> None:
    # Chromium's window is never narrower than 500 px; its emulation of a phone is.
    page.driver.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True},
    )
    try:
        page.open(view)
        page.until(lambda: page.all(f"#view-{view.split('/', maxsplit=1)[0]}:not([hidden])"))
        time.sleep(0.5)
        width = page.driver.execute_script("return document.documentElement.scrollWidth")
        assert width <= 360
        assert page.one(".research").is_displayed()
        page.keep(f"phone-{view.replace('/', '-')}")
    finally:
        page.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.parametrize("view", ["cell", "field", "live", "slides"])
def test_research_use_stays_in_sight_and_every_control_has_a_name(page: Page, view: str) -> None:
    page.open(view)
    page.driver.execute_script("window.scrollTo(0, document.body.scrollHeight)")
    assert page.driver.execute_script(
        "const box = document.querySelector('.research').getBoundingClientRect();"
        "return box.top >= 0 && box.bottom <= innerHeight"
    )
    nameless = page.driver.execute_script(
        "return [...document.querySelectorAll('button, a, input, select, img')].filter((part) => {"
        " const label = part.labels?.length ? part.labels[0].textContent : '';"
        " return !(part.getAttribute('aria-label') || part.textContent.trim() || label.trim()"
        " || part.hasAttribute('alt')); }).map((part) => part.outerHTML)"
    )
    assert nameless == []
