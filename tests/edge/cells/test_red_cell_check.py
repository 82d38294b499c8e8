"""What is no red cell of a stained smear is refused in a sentence; what is one, of whatever laboratory, is judged."""

import csv
import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

import edge.cells.red_cell_check
from edge.cells.files import cell_input, judge_files
from edge.cells.isolation import isolate
from edge.cells.red_cell_check import WEIGHTS_FILE, is_red_cell, likeness
from edge.cells.red_cell_features import NAMES, ON_BLACK, measure_piece
from edge.errors import NotACellError
from edge.images.encode import encode_png
from edge.images.files import read_image
from edge.images.inputs import list_inputs
from edge.inference.classifier import Classifier
from edge.inference.preprocessing import cell_extent
from edge.inference.verdicts import LABELS
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.single_cell import draw_cell
from edge.types import Rgb

# Of the installation that is tested, which need not lie beside the tests.
_EDGE = Path(edge.cells.red_cell_check.__file__).parent
_SIZE = 96


def letters() -> Rgb:
    page = np.full((120, 160, 3), 255, np.uint8)
    for line in (30, 65, 100):
        cv2.putText(page, "malaria", (6, line), cv2.FONT_HERSHEY_SIMPLEX, 1.1, (20, 20, 20), 2)
    return page


def one_letter() -> Rgb:
    page = np.full((80, 80, 3), 255, np.uint8)
    cv2.putText(page, "G", (16, 62), cv2.FONT_HERSHEY_SIMPLEX, 2.2, (20, 160, 20), 9)
    return page


def noise() -> Rgb:
    return np.random.default_rng(1).integers(0, 256, (100, 100, 3)).astype(np.uint8)


def chequers() -> Rgb:
    down, right = np.mgrid[:96, :96] // 12
    return np.where(((down + right) % 2)[..., None] == 1, (30, 60, 200), (240, 230, 40)).astype(np.uint8)


def face() -> Rgb:
    picture = np.full((120, 120, 3), (90, 120, 160), np.uint8)
    cv2.ellipse(picture, ((60, 62), (70, 92), 0), (224, 172, 140), cv2.FILLED)
    cv2.ellipse(picture, ((60, 22), (76, 40), 0), (60, 40, 30), cv2.FILLED)
    for x in (46, 74):
        cv2.circle(picture, (x, 54), 5, (30, 30, 30), cv2.FILLED)
    cv2.ellipse(picture, ((60, 86), (28, 8), 0), (150, 40, 50), cv2.FILLED)
    return cv2.GaussianBlur(picture, (0, 0), 1.0)


def tissue() -> Rgb:
    rng = np.random.default_rng(4)
    picture = np.full((140, 140, 3), (220, 150, 190), np.uint8)
    for x, y in rng.integers(0, 140, (60, 2)).tolist():
        cv2.circle(picture, (x, y), int(rng.integers(4, 9)), (110, 60, 140), cv2.FILLED)
    return cv2.GaussianBlur(picture, (0, 0), 1.0)


def cell_on_glass() -> Rgb:
    field = draw_field(3, FieldSettings(width=640, height=480, cells=12))
    box = next(cell.box for cell in field.cells if not field.cut_by_border(cell) and min(cell.box[:2]) > 12)
    x, y, w, h = box
    return np.ascontiguousarray(field.rgb[y - 10 : y + h + 10, x - 10 : x + w + 10])


@pytest.mark.parametrize("draw", [letters, one_letter, noise, chequers, face, tissue])
def test_what_is_no_red_cell_is_refused(draw: Callable[[], Rgb]) -> None:
    with pytest.raises(NotACellError):
        cell_input(encode_png(draw()), _SIZE)


def test_the_sentence_says_what_was_expected_and_what_differs() -> None:
    with pytest.raises(NotACellError, match=r"^This does not look like a red cell .* is unusual\.$"):
        cell_input(encode_png(one_letter()), _SIZE)


def test_what_is_larger_than_any_single_cell_is_taken_for_a_field() -> None:
    cell = read_image(_EDGE.parent / "samples" / "cells" / "cell_01.png")
    mask = isolate(cell)
    assert mask is not None
    x, y, width, height = cell_extent(mask)
    cut = np.ascontiguousarray(cell[y : y + height, x : x + width])

    def enlarged(side: int) -> bytes:
        scale = side / max(width, height)
        return encode_png(cv2.resize(cut, (round(width * scale), round(height * scale))))

    assert cell_input(enlarged(780), _SIZE).shape == (_SIZE, _SIZE, 3)
    with pytest.raises(NotACellError, match=r"whole field.*: it is \d+ x \d+ pixels"):
        cell_input(enlarged(900), _SIZE)
    assert cell_input(enlarged(900), _SIZE, accept_anything=True).shape == (_SIZE, _SIZE, 3)


def test_anything_is_judged_where_asked_for() -> None:
    assert cell_input(encode_png(one_letter()), _SIZE, accept_anything=True).shape == (_SIZE, _SIZE, 3)


def test_the_bundled_cells_are_red_cells() -> None:
    for file in list_inputs([_EDGE.parent / "samples" / "cells"]).files:
        assert isinstance(file.source, Path)
        cell_input(file.source, _SIZE)


@pytest.mark.slow
@pytest.mark.parametrize("infected", [False, True], ids=["healthy", "infected"])
def test_drawn_cells_are_red_cells(infected: bool) -> None:
    refused = 0
    for seed in range(60):
        try:
            cell_input(encode_png(draw_cell(seed, infected).rgb), _SIZE)
        except NotACellError:
            refused += 1
    assert refused <= 2


def test_a_cell_with_glass_round_it_is_a_red_cell() -> None:
    cell_input(encode_png(cell_on_glass()), _SIZE)


def test_a_cell_in_grey_is_a_red_cell() -> None:
    grey = np.repeat(draw_cell(7, infected=True).rgb[:, :, 1:2], 3, axis=2)
    cell_input(encode_png(grey), _SIZE)


@pytest.mark.parametrize("quality", [70, 95])
def test_a_cell_on_black_through_jpeg_is_a_red_cell(quality: int) -> None:
    for seed in (2, 7):
        rgb = draw_cell(seed, infected=True).rgb
        encoded = cv2.imencode(".jpg", rgb[:, :, ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        cell_input(encoded.tobytes(), _SIZE)


def test_a_cell_is_a_red_cell_whichever_way_it_is_turned() -> None:
    rgb = draw_cell(2, infected=False).rgb
    for turns in range(4):
        cell_input(encode_png(np.ascontiguousarray(np.rot90(rgb, turns))), _SIZE)


def test_a_picture_black_round_its_piece_is_measured_without_glass() -> None:
    rgb = draw_cell(1, infected=False).rgb
    mask = isolate(rgb)
    assert mask is not None
    measures = measure_piece(rgb, mask)
    assert measures.on_black
    assert len(measures.values) == ON_BLACK


def test_measures_of_any_mask_are_numbers() -> None:
    rgb = noise()
    for corner in ((0, 0), (50, 50), (99, 99)):
        mask = np.zeros(rgb.shape[:2], np.uint8)
        mask[corner] = 255
        assert np.isfinite(measure_piece(rgb, mask).values).all()
    assert np.isfinite(measure_piece(rgb, np.full(rgb.shape[:2], 255, np.uint8)).values).all()


def test_measures_that_are_no_numbers_are_refused() -> None:
    rgb = draw_cell(1, infected=False).rgb
    mask = isolate(rgb)
    assert mask is not None
    measures = measure_piece(rgb, mask)
    assert not likeness(measures._replace(values=measures.values * np.nan)) >= 0


def test_the_weights_name_the_measures_that_they_weigh() -> None:
    stated = json.loads((_EDGE / WEIGHTS_FILE).read_text())
    assert tuple(stated["measures"]["on_glass"]) == NAMES
    assert tuple(stated["measures"]["on_black"]) == NAMES[:ON_BLACK]
    assert {"command", "commit", "data", "numpy", "opencv", "scikit-learn"} <= set(stated["made"])


def test_a_refused_file_has_no_label_and_those_beside_it_do(shipped: Classifier, tmp_path: Path) -> None:
    (tmp_path / "letter.png").write_bytes(encode_png(one_letter()))
    (tmp_path / "cell.png").write_bytes(encode_png(draw_cell(3, infected=True).rgb))
    cell, letter = judge_files(shipped, 0.5, list_inputs([tmp_path]).files, workers=1)
    assert cell.label in LABELS
    assert letter.label is None
    assert letter.probability is None
    assert str(letter.error).startswith("This does not look like a red cell")


@pytest.mark.slow
@pytest.mark.parametrize("label", LABELS)
def test_real_cells_of_either_class_are_hardly_ever_refused(shared_data: Path, label: str) -> None:
    with (shared_data / "nih-malaria" / "patients.csv").open() as stream:
        names = sorted(row["cell"] for row in csv.DictReader(stream) if row["label"].capitalize() == label)[
            ::40
        ]
    folder = shared_data / "nih-malaria" / "cell_images" / label
    refused = 0
    for name in names:
        rgb = read_image(folder / f"{name}.webp")
        mask = isolate(rgb)
        refused += mask is None or not likeness(measure_piece(rgb, mask)) >= 0
    assert refused <= 0.02 * len(names)


def test_a_piece_is_a_red_cell_from_a_likeness_of_zero() -> None:
    cell, other = (measure_piece(rgb, isolate(rgb)) for rgb in (cell_on_glass(), tissue()))
    between = [
        cell._replace(values=(1 - share) * cell.values + share * other.values)
        for share in np.linspace(0, 1, 2001)
    ]
    last = next(number for number, one in enumerate(between) if likeness(one) < 0)
    assert is_red_cell(between[last - 1])
    assert not is_red_cell(between[last])
    assert likeness(between[last]) > -0.5
