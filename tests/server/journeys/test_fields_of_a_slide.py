"""The pictures of one slide on a laptop: sent one by one, added up, tried again, kept; and what is too large or odd."""

from pathlib import Path

import cv2
import pytest

from edge.fields.analyser import FieldAnalyser
from edge.images.encode import encode_jpeg
from edge.images.files import read_image
from tests.support.bench import Bench
from tests.support.http.browser_page import Page
from tests.support.http.running_server import cell_png, classifier, field_png

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fields")
    for seed in (3, 4, 5):
        (folder / f"field-{seed}.png").write_bytes(field_png(seed))
    (folder / "broken.png").write_bytes(field_png()[:300])
    (folder / "cell.png").write_bytes(cell_png())
    return folder


def hand_over(page: Page, place: str, *files: Path) -> None:
    page.one(place).send_keys("\n".join(map(str, files)))


def test_fields_add_up_and_are_kept_as_one_slide(page: Page, bench: Bench, folder: Path) -> None:
    page.open("field")
    hand_over(
        page, "#field-drop-files", folder / "field-3.png", folder / "broken.png", folder / "field-4.png"
    )
    assert page.reads("Estimate of 2 fields")
    page.until(lambda: page.all("#field-keep form"))
    assert [row.text.split()[-1] for row in page.all("#field-overview tbody tr")] == [
        "counted",
        "readable",
        "counted",
    ]
    hand_over(page, "#field-more", folder / "field-5.png")
    assert page.reads("Estimate of 3 fields")
    counted = page.one("#field-estimate .figures dd").text
    page.until(lambda: page.all("#field-keep form"))
    page.one("#haematocrit").send_keys("30")
    assert page.reads("haematocrit")
    page.one("#keep-id").send_keys("kept")
    page.one("#field-keep-go").click()
    assert page.reads("Kept as slide kept.")
    page.keep("fields-kept")
    slide = bench.store.slide("kept")
    assert bench.store.counts(slide).fields == 3
    assert str(bench.store.counts(slide).cells) == counted
    # The next patient's pictures: nothing of this one is left, the haematocrit least of all.
    hand_over(page, "#field-drop-files", folder / "field-5.png")
    page.until(lambda: page.all("#haematocrit"))
    assert page.reads("Estimate of 1 field")
    assert page.one("#haematocrit").get_attribute("value") == ""
    assert "field-3.png" not in page.text()
    # The browser itself notes the answer on broken.png, which is refused.
    assert [words for words in page.complaints() if "422" not in words] == []


def test_what_failed_is_sent_again_and_alone(page: Page, folder: Path) -> None:
    page.open("field")
    page.cut()
    hand_over(page, "#field-drop-files", folder / "field-3.png")
    assert page.reads("1 field was not analysed.")
    assert page.reads("The server does not answer.")
    page.fast()
    page.one("#field-retry").click()
    assert page.reads("Estimate of 1 field")
    assert "not analysed" not in page.text()


def test_a_field_in_cell_and_a_cell_in_field_are_one_tap_from_their_view(page: Page, folder: Path) -> None:
    page.open("field")
    hand_over(page, "#field-drop-files", folder / "cell.png")
    page.one("#field-results .as-cell").click()
    page.until(lambda: page.all("#cell-results .verdict"))
    assert page.driver.current_url.endswith("#cell")
    hand_over(page, "#cell-drop-files", folder / "field-3.png")
    page.until(lambda: page.one("#cell-results .verdict").text == "Not judged")
    page.one("#cell-results .as-field").click()
    assert page.reads("Estimate of 1 field")


def test_the_page_scrolls_under_the_wheel_until_a_field_is_zoomed(page: Page, folder: Path) -> None:
    page.open("field")
    hand_over(page, "#field-drop-files", folder / "field-3.png")
    page.until(lambda: page.all("#field-keep *"))
    prevented = (
        "const view = document.querySelector('svg.view'), wheel = new WheelEvent('wheel',"
        " { deltaY: 100, bubbles: true, cancelable: true }); view.dispatchEvent(wheel); return wheel.defaultPrevented"
    )
    assert not page.script(prevented)
    page.all(".zoom button")[0].click()
    assert page.script(prevented)


def test_a_photograph_too_large_for_the_server_is_scaled_upright(page: Page, folder: Path) -> None:
    field = read_image(field_png(3))
    large = cv2.resize(field, (5600, 4200), interpolation=cv2.INTER_LINEAR)  # 23.5 megapixels
    plain = encode_jpeg(cv2.rotate(large, cv2.ROTATE_90_COUNTERCLOCKWISE), 85)
    # Exif with the orientation 6 alone: to be turned clockwise by a quarter when shown.
    exif = b"Exif\0\0MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"
    photograph = folder / "photograph.jpg"
    photograph.write_bytes(plain[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + plain[2:])
    page.open("field")
    hand_over(page, "#field-drop-files", photograph)
    assert page.reads("Made smaller before it was sent: 5600 x 4200 to 4619 x 3464 pixels.")
    page.until(lambda: page.all("#field-results polygon.outline"))
    assert page.one("svg.view image").get_attribute("width") == "4619"
    whole = FieldAnalyser(classifier()).analyse(field, "field").cell_count
    assert page.one("#field-estimate .figures dd").text == str(whole)
