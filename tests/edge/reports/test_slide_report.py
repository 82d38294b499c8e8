"""The report of a stored slide: both readings, calls, settings, the trail, and a place to release it."""

import re
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from edge.messages.catalogue import catalogue
from edge.messages.language import Language
from edge.reports.slide_report import slide_page, write_slide_report
from edge.slides.records import AuditAction, Slide
from edge.slides.review import judge
from edge.slides.store import SlideStore
from edge.types import Label
from tests.support.cameras.camera_record import RECORD
from tests.support.http.page_text import english_pieces, page_text
from tests.support.slides.small_slide import RATES, begin, cells_of, field_at, open_store, with_crops

HOSTILE = "\"; } </style><script>alert('1')</script>\\"


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SlideStore]:
    with open_store(tmp_path) as store:
        yield store


@pytest.fixture
def slide(store: SlideStore) -> Slide:
    """Two regions; two suspects, of which a person overruled one, and a doubtful cell."""
    slide = begin(store, "K-0413", notes="second film")
    store.add_field(slide, field_at(), *with_crops(cells_of(0.01, 0.99, 0.4, 0.02, 0.8)))
    store.add_field(slide, field_at(5000, 0, island=2), *with_crops(cells_of(0.01, 0.03)))
    suspects = [cell for cell in store.cells(slide) if cell.label == Label.PARASITIZED]
    judge(store, slide, suspects[0].cell_id, Label.PARASITIZED, reviewer="Moses")
    judge(store, slide, suspects[1].cell_id, Label.UNINFECTED, reviewer="<Amina>")
    return slide


def test_both_readings_and_the_calls_are_shown(store: SlideStore, slide: Slide) -> None:
    text = page_text(slide_page(store, slide))
    assert "Fields: 2. Red cells, each counted once: 7." in text
    assert any(piece.startswith("They are on 2 regions of the slide") for piece in text)
    machine, after = text.index("Machine"), text.index("After review")
    assert (text[machine + 1], text[after + 1]) == ("2", "1")
    assert (
        "2 of 2 suspects were reviewed by a person. Verdicts of the machine that were overruled: 1." in text
    )
    assert "confirmed by Moses" in text
    assert "overruled: Uninfected by <Amina>" in text


def test_a_slide_that_nobody_reviewed_says_so(store: SlideStore) -> None:
    slide = begin(store)
    store.add_field(slide, field_at(), *with_crops(cells_of(0.99)))
    text = page_text(slide_page(store, slide))
    assert "No cell was reviewed by a person yet." in text
    assert "After review" not in text


def test_times_are_told_in_utc_and_as_the_clock_on_the_wall(
    store: SlideStore, slide: Slide, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", "EAT-3")
    time.tzset()
    try:
        begun = page_text(slide_page(store, slide))
    finally:
        monkeypatch.undo()
        time.tzset()
    assert any("Begun 2026-03-01 08:00 UTC (11:00 local time, UTC+03:00)" in piece for piece in begun)


def test_there_is_a_place_for_laboratory_reviewer_release_and_signature(
    store: SlideStore, slide: Slide
) -> None:
    text = page_text(slide_page(store, slide))
    place = text[text.index("Release") :]
    assert place[1:6] == ["Laboratory", "Reviewed by", "<Amina>, Moses", "Released by, date", "Signature"]


def test_each_printed_page_names_slide_model_program_and_number(store: SlideStore) -> None:
    slide = begin(store, HOSTILE)
    store.add_field(slide, field_at(), *with_crops(cells_of(0.99)))
    page = slide_page(store, slide)
    assert "<script>" not in page
    assert page.count("</style>") == 1
    foot = page[page.index("@page") : page.index("body { padding: 0")]
    assert 'content: "Page " counter(page) " of " counter(pages) ""' in foot
    shown = re.sub(r"\\([0-9a-f]+) ", lambda code: chr(int(code[1], 16)), foot)
    assert f'content: "Slide {HOSTILE} · model made-up · operator Amina · Plasmolite ' in shown
    # Each page can be signed by itself.
    assert all(f"{place}: ____" in shown for place in ("Laboratory", "Released by, date", "Signature"))


def test_the_settings_are_told_in_words_the_camera_among_them(store: SlideStore) -> None:
    camera = replace(RECORD, white_balance_fixed=False, white_balance_k=5200.0, gain=None, gain_fixed=False)
    settings = {
        "threshold": 0.5,
        "rates": {**RATES, "source": "the model's own test cells"},
        "red_cells": {"per_ul": 4_770_000.0, "source": "from a haematocrit of 38 %"},
        "cells_wanted": 2000,
        "cell_width": None,
        "camera": camera.to_json(),
        "of_a_later_version": 3,
    }
    slide = store.create_slide(
        "S-2", operator="", device="", model_name="made-up", model_sha256="ab" * 32, settings=settings
    )
    store.add_field(slide, field_at(), *with_crops(cells_of(0.99)))
    text = page_text(slide_page(store, slide, Language.ENGLISH))
    told = dict(pairwise(text))
    assert told["Threshold"] == "0.500000"
    assert told["Sensitivity used"] == "950 of 1,000 (0.9500)"
    assert told["Red cells per µL"] == "4,770,000 (from a haematocrit of 38 %)"
    assert told["Cell width"] == "found in each field"
    assert told["Camera"] == "0 (V4L2)"
    assert told["Camera: exposure (µs)"] == "8000"
    assert told["Camera: white balance (K)"] == "5200, not kept by the camera"
    assert told["Warning about the camera"].startswith("The camera does not keep its white balance")
    assert told["of a later version"] == "3"
    french = page_text(slide_page(store, slide, Language.FRENCH))
    assert "4 770 000 (d'après un hématocrite de 38 %)" in french


def test_the_trail_is_told_in_words(store: SlideStore, slide: Slide) -> None:
    text = page_text(slide_page(store, slide))
    assert "Audit trail: 3 entries" in text
    assert "Slide begun" in text
    assert any(
        "called Uninfected; the machine said Parasitised, probability 0.800" in piece for piece in text
    )


@pytest.mark.parametrize("language", Language)
@pytest.mark.parametrize("action", AuditAction)
def test_every_change_has_a_sentence(action: AuditAction, language: Language) -> None:
    assert f"audit.{action}" in catalogue(language).keys


def test_in_french_no_english_is_left(store: SlideStore, slide: Slide) -> None:
    page = slide_page(store, slide, Language.FRENCH)
    assert '<html lang="fr">' in page
    given = ("second film", "a test bench", "made-up cells", "made-up")
    assert english_pieces(page, without=given) == []
    assert "corrigée : Non infectée, par <Amina>" in page_text(page)


def test_it_is_written_into_a_folder(store: SlideStore, slide: Slide, tmp_path: Path) -> None:
    target = write_slide_report(store, slide, tmp_path / "out")
    assert target == tmp_path / "out" / "report.html"
    assert target.read_text(encoding="utf-8") == slide_page(store, slide)
