"""The report of fields, over real fields of the simulator and files that are none."""

import re
import shutil
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.calibration.setup import SlideSetup, set_up_slide
from edge.fields.analyser import FieldAnalyser
from edge.fields.files import JudgedField, SlideCount, judge_fields
from edge.images.inputs import LeftOut, list_inputs
from edge.messages.language import Language
from edge.parasitaemia.estimate import estimate
from edge.reports import field_report
from edge.reports.field_report import FieldReport
from tests.support.http.page_text import english_pieces, page_text

SAMPLES = Path(str(resources.files("edge.samples"))) / "fields"
MADE = datetime(2026, 3, 1, 8, 0, tzinfo=UTC)
NAMES = ("1_good.jpg", "2_good.jpg", "3_<b>&\"'.png", "4_white.png")


@pytest.fixture(scope="module")
def setup() -> SlideSetup:
    return set_up_slide(haematocrit=38, threads=1)


@pytest.fixture(scope="module")
def fields(setup: SlideSetup, tmp_path_factory: pytest.TempPathFactory) -> list[JudgedField]:
    """Two good fields, a file that is no picture, and a field that is refused."""
    folder = tmp_path_factory.mktemp("slide")
    shutil.copy(SAMPLES / "field_01.jpg", folder / NAMES[0])
    shutil.copy(SAMPLES / "field_02.jpg", folder / NAMES[1])
    (folder / NAMES[2]).write_text("not a picture")
    cv2.imwrite(str(folder / NAMES[3]), np.full((480, 640, 3), 255, np.uint8))
    analyser = FieldAnalyser(setup.classifier, setup.threshold)
    return list(judge_fields(analyser, list_inputs([folder]).files))


def written(
    setup: SlideSetup, fields: list[JudgedField], folder: Path, language: Language = Language.ENGLISH
) -> str:
    report, count = FieldReport(setup, language), SlideCount()
    for field in fields:
        report.add(field)
        count = count.plus(field)
    parasitaemia = estimate(count.parasitized, count.counted, setup.rates, setup.red_cells)
    page = report.write(folder, parasitaemia=parasitaemia, count=count, left_out=LeftOut(), made=MADE)
    return page.read_text(encoding="utf-8")


@pytest.mark.slow
def test_it_shows_the_answer_the_cells_and_each_file(
    setup: SlideSetup, fields: list[JudgedField], tmp_path: Path
) -> None:
    text = page_text(written(setup, fields, tmp_path))
    counted = [field.result for field in fields if field.result is not None and field.accepted]
    assert (
        text.count(
            "Research use only. Not a diagnostic device: every result needs confirmation by a microscopist."
        )
        >= 2
    )
    # With how many it is likely, or at most, depends on what the model did at laboratories.
    assert any("of red cells are parasitised" in piece and "95 %" in piece for piece in text)
    assert "Fields counted: 2, refused: 1, unreadable: 1. Red cells counted: " in "\n".join(text)
    suspects = sum(result.parasitized_count for result in counted)
    assert f"Called parasitised by the machine: {suspects}" in text
    assert sum(piece.startswith("▲ P ") for piece in text) == suspects
    for field in fields:
        assert field.name in text
    assert (
        "Could not be read: This is not a picture that can be read. Give a PNG, JPEG, WebP, BMP or TIFF file."
        in text
    )
    assert any(piece.startswith("Refused, not counted: ") for piece in text)
    assert sum(piece.startswith("Quality checks") for piece in text) == 3


@pytest.mark.slow
def test_it_opens_offline_and_holds_no_mark_of_a_file_name(
    setup: SlideSetup, fields: list[JudgedField], tmp_path: Path
) -> None:
    page = written(setup, fields, tmp_path)
    assert "<b>" not in page
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page)
    assert "http" not in page.replace("http-equiv", "")
    assert page.count("data:image/jpeg;base64,") >= 3


def test_each_printed_page_names_program_model_and_number(
    setup: SlideSetup, fields: list[JudgedField], tmp_path: Path
) -> None:
    page = written(setup, fields, tmp_path)
    foot = page[page.index("@page") : page.index("body { padding: 0")]
    assert 'content: "Page " counter(page) " of " counter(pages) ""' in foot
    assert '"Research use only"' in foot
    shown = re.sub(r"\\([0-9a-f]+) ", lambda code: chr(int(code[1], 16)), foot)
    assert f'"Fields of a thin smear · model {setup.classifier.model.name} · Plasmolite ' in shown


def test_in_french_no_english_is_left(setup: SlideSetup, fields: list[JudgedField], tmp_path: Path) -> None:
    page = written(setup, fields, tmp_path, Language.FRENCH)
    assert '<html lang="fr">' in page
    assert english_pieces(page, without=tuple(field.name for field in fields) + NAMES) == []
    assert "Réservé à la recherche" in page


def test_cells_beyond_the_gallery_are_counted_and_the_most_probable_shown(
    setup: SlideSetup, fields: list[JudgedField], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(field_report, "_GALLERY", 3)
    text = page_text(written(setup, fields, tmp_path))
    shown = [float(piece[4:]) for piece in text if piece.startswith("▲ P ")]
    probabilities = [
        cell.probability
        for field in fields
        if field.result is not None and field.accepted
        for cell in field.result.cells
        if cell.counted and cell.label == "Parasitized"
    ]
    assert f"Called parasitised by the machine: {len(probabilities)}, the 3 most probable shown" in text
    assert shown == [round(p, 3) for p in sorted(probabilities, reverse=True)[:3]]


def test_fields_beyond_the_most_pictures_are_named_as_left_out(
    setup: SlideSetup, fields: list[JudgedField], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(field_report, "_PICTURES", 1)
    text = page_text(written(setup, fields, tmp_path))
    assert "Further accepted fields, listed in fields.csv only: 1." in text
    assert NAMES[1] not in "".join(text[text.index("Fields") :])
    # What was refused or could not be read is named all the same.
    assert any(piece.endswith(NAMES[3]) for piece in text)


def test_without_a_counted_cell_there_is_no_chart(setup: SlideSetup, tmp_path: Path) -> None:
    page = written(setup, [], tmp_path)
    assert "<svg" not in page
    assert "No cell was counted." in page
