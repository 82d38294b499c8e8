"""Every view for those who do not see it well, or use keys alone: axe-core finds nothing serious."""

from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.support.bench import Bench, slide_with_crops
from tests.support.http.browser_page import Page
from tests.support.http.running_server import field_png

axe = pytest.importorskip("axe_core_python.selenium", reason="axe-core-python is not installed")
pytestmark = pytest.mark.browser


def serious(page: Page) -> list[str]:
    """What axe-core calls serious or critical: rule and the elements at fault."""
    found: dict[str, Any] = axe.Axe().run(page.driver)
    return [
        f"{one['id']}: {[node['html'][:120] for node in one['nodes']]}"
        for one in found["violations"]
        if one["impact"] in {"serious", "critical"}
    ]


@pytest.mark.parametrize("phone", [False, True], ids=["laptop", "phone"])
def test_no_view_has_a_serious_fault(page: Page, bench: Bench, tmp_path: Path, phone: bool) -> None:
    slide = slide_with_crops(bench.store, f"axe-{phone}", 0.99, 0.98)
    (tmp_path / "field.png").write_bytes(field_png())
    if phone:
        page.phone()
    seen = {
        "home": ".slide-cards li",
        "cell": "#cell-drop label",
        "live": "#live-start",
        "slides": "#slides-body table",
        f"slides/{slide.number}": "#slides-body article",
        f"slides/{slide.number}/review": ".review[data-seen]",
    }
    faults = {}
    for view, sign in seen.items():
        page.open(view)
        page.one(sign)
        faults[view] = serious(page)
    page.open("field")
    page.one("#field-drop-files").send_keys(str(tmp_path / "field.png"))
    page.until(lambda: page.all("#field-keep form"))
    faults["field"] = serious(page)
    assert {view: found for view, found in faults.items() if found} == {}


def test_a_review_goes_by_keys_alone(page: Page, bench: Bench) -> None:
    slide = slide_with_crops(bench.store, "keys", 0.99, 0.98)
    page.open("home")
    page.one(".slide-cards a")
    for _ in range(40):
        page.press(Keys.TAB)
        if "axe-" in page.driver.switch_to.active_element.text or "keys" in (
            page.driver.switch_to.active_element.text
        ):
            break
    assert page.driver.switch_to.active_element.get_attribute("href").endswith(f"#slides/{slide.number}")
    page.press(Keys.ENTER)
    assert page.reads("Slide keys")
    page.script("document.querySelector('#slides-body a.main').focus()")
    page.press(Keys.ENTER)
    page.one("#reviewer").send_keys("Amina", Keys.ENTER)
    for cell in bench.store.cells(slide):
        page.one(f".review[data-seen='{cell.cell_id}']")
        page.press("u")
    assert page.reads("All suspects and doubtful cells are reviewed.")
    assert [review.call for review in bench.store.reviews(slide)] == ["Uninfected", "Uninfected"]
