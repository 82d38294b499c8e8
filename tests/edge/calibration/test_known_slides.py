"""Slides told apart, and the sensitivity of those whose infected cells persons called."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from edge.calibration.known_slides import KnownSlide, Passed, is_marked, list_slides, read_marks
from edge.errors import SourceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("monday/1.png", "monday/2.png", "tuesday/1.png"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        cv2.imwrite(str(path), np.zeros((4, 4, 3), np.uint8))
    return tmp_path


def test_each_folder_with_pictures_is_a_slide(folder: Path) -> None:
    slides = list_slides([folder])
    assert [(Path(slide.name).name, len(tuple(slide.files))) for slide in slides] == [
        ("monday", 2),
        ("tuesday", 1),
    ]


def test_a_table_tells_slides_of_one_folder_apart(folder: Path) -> None:
    table = folder / "slides.csv"
    table.write_text("image,slide\nmonday/1.png,A\nmonday/2.png,B\ntuesday/1.png,A\n")
    slides = {
        slide.name: [Path(file.name).parent.name for file in slide.files] for slide in list_slides([table])
    }
    assert slides == {"A": ["monday", "tuesday"], "B": ["monday"]}


def test_a_table_of_a_spreadsheet_on_windows_tells_slides_apart(folder: Path) -> None:
    table = folder / "slides.csv"
    table.write_bytes("Image;Slide \r\nmonday\\1.png;Zoé\r\n;\r\n".encode("cp1252"))
    assert [(slide.name, len(tuple(slide.files))) for slide in list_slides([table])] == [("Zoé", 1)]


@pytest.mark.parametrize("text", ["", "image\nmonday/1.png\n", "image,slide\nmonday/1.png,\n"])
def test_a_table_without_slides_is_refused(folder: Path, text: str) -> None:
    (folder / "slides.csv").write_text(text)
    with pytest.raises(SourceError, match=r"slides\.csv needs a header"):
        list_slides([folder / "slides.csv"])


def test_no_picture_at_all_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="no pictures"):
        list_slides([tmp_path])


def test_marks_are_read_with_fields_that_have_none(folder: Path) -> None:
    table = folder / "marks.csv"
    table.write_text(
        "image,slide,x,y,w,h\nmonday/1.png,A,10,20,30,40\nmonday/1.png,A,60.4,0,8,8\nmonday/2.png,A,,,,\n"
    )
    marked = read_marks(table)
    assert [(slide.name, len(tuple(slide.files))) for slide in marked.slides] == [("A", 2)]
    assert marked.marks[str(folder / "monday/1.png")] == [(10, 20, 30, 40), (60, 0, 8, 8)]
    assert marked.marks[str(folder / "monday/2.png")] == []
    assert is_marked((0, 0, 50, 60), [(10, 20, 30, 40)])
    assert not is_marked((0, 0, 20, 60), [(10, 20, 30, 40)])
    table.write_text("image,slide,x,y,w,h\nmonday/1.png,A,left,20,30,40\n")
    with pytest.raises(SourceError, match="2 cannot be left,20,30,40"):
        read_marks(table)


def test_where_every_infected_cell_was_marked_they_are_counted() -> None:
    slide = KnownSlide("A", (), np.array([0.9] * 8 + [0.1] * 2))
    assert slide.found(0.5) == (8.0, 10.0)
    assert KnownSlide("A", (), np.array([0.9] * 4)).found(0.5) is None


def test_misses_among_cells_that_only_a_sample_was_seen_of_are_reckoned() -> None:
    infected = np.array([0.9] * 40 + [0.1])
    nobody = KnownSlide("A", (), infected[:40], (Passed(960, 0, 0),))
    sampled = KnownSlide("A", (), infected, (Passed(960, 96, 1),))
    everything = KnownSlide("A", (), infected, (Passed(960, 960, 1),))
    assert nobody.found(0.5) is None
    called, cells = sampled.found(0.5) or (0, 0)
    # One found in a tenth of the cells stands for ten or so, but no better known than one and a half cells are.
    assert called / cells == pytest.approx(40 / (40 + 15), rel=1e-6)
    assert cells - called < 2
    assert everything.found(0.5) == pytest.approx((40, 41))


def test_the_sensitivity_reckoned_from_samples_is_right_on_the_whole() -> None:
    random = np.random.default_rng(5)
    found = []
    for _ in range(400):
        probabilities = np.where(random.random(200) < 0.8, 0.9, 0.1)  # 0.8 are called
        seen = random.random(200) < 0.3
        known = probabilities[(probabilities > 0.5) | seen]
        missed = int((known < 0.5).sum())
        slide = KnownSlide("A", (), known, (Passed(1840, round(0.3 * 1840), missed),))
        called, cells = slide.found(0.5) or (0, 0)
        found.append(called / cells)
    assert np.median(found) == pytest.approx(0.8, abs=0.02)
