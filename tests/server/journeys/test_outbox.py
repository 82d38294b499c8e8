"""The outbox on the page: nothing of it where nothing is sent; else what waits, and what a server refused."""

from pathlib import Path

import pytest

from edge.sending.outbox import Outbox
from tests.support.bench import Bench, slide_with_crops
from tests.support.http.browser_page import Page

pytestmark = pytest.mark.browser


def test_what_the_server_refused_is_shown_with_its_words(
    page: Page, bench: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PLASMOLITE_SEND", str(tmp_path / "send.toml"))
    for name in ("sent", "refused", "waits"):
        slide_with_crops(bench.store, name, 0.99)
    page.open("slides")
    page.one("#slides-search")
    assert page.reads("refused")
    assert not page.all("#outbox .card")
    outbox = Outbox(bench.store)
    entries = {entry.slide.slide_id: entry for entry in outbox.pending()}
    outbox.mark_sent(entries["sent"])
    outbox.refuse(entries["refused"], "422 <img src=x> no such practitioner")
    page.open("slides")
    card = page.one("#outbox .card")
    assert [one.text for one in card.find_elements("css selector", "dd")] == ["1", "1", "1"]
    row = card.find_element("css selector", "tbody tr").text
    assert "refused" in row
    assert "422 <img src=x> no such practitioner" in row
    assert page.reads("No server is named")
    page.keep("outbox")
    page.phone()
    assert page.script("return document.documentElement.scrollWidth <= innerWidth")
    page.script("document.querySelector('#outbox').scrollIntoView()")
    page.keep("outbox-phone")
    assert page.complaints() == []
