"""Cells of laboratories where somebody marked the parasites: what each layout's marks say of a found cell."""

from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
import pytest

from edge.cells.tables import TableError
from edge.images.encode import write_png
from edge.simulation.field import FieldSettings, SimulatedField, draw_field
from train.augmentation.grafting import CROP_CELL, lift_from_crop
from train.data.annotated_laboratories import read_labelled_fields, read_laboratory
from train.data.dataset import DataError
from train.data.parasite_marks import INFECTED, LEFT_OUT, UNINFECTED, by_boxes, by_mask

_SETTINGS = FieldSettings(width=900, height=700, cells=24, parasitaemia=0.3, platelets=0, grains=0)


class Found(NamedTuple):
    """A round cell that fills its box."""

    box: tuple[int, int, int, int]
    counted: bool = True

    @property
    def mask(self) -> np.ndarray:
        """Of the box, uint8 (height, width), 255 on the cell."""
        _, _, width, height = self.box
        mask = np.zeros((height, width), np.uint8)
        cv2.ellipse(mask, ((width / 2, height / 2), (width, height), 0), 255, cv2.FILLED)
        return mask


@pytest.fixture(scope="module")
def field() -> SimulatedField:
    """One drawn field of 24 cells, about seven of them infected."""
    return draw_field(11, _SETTINGS)


def centre(field: SimulatedField, number: int) -> tuple[int, int]:
    x, y, w, h = field.cells[number].box
    return int(x + w / 2), int(y + h / 2)


def masked(folder: Path, field: SimulatedField, *more: tuple[int, int, int]) -> Path:
    """The field with a blob on each infected cell, and more blobs (x, y, radius)."""
    mask = np.zeros(field.rgb.shape[:2], np.uint8)
    for number, cell in enumerate(field.cells):
        if cell.infected:
            cv2.circle(mask, centre(field, number), 9, 255, -1)
    for x, y, radius in more:
        cv2.circle(mask, (x, y), radius, 255, -1)
    for part in ("images", "masks"):
        (folder / part).mkdir(parents=True)
    write_png(folder / "images" / "a.png", field.rgb)
    write_png(folder / "masks" / "a.png", np.dstack([mask] * 3))
    (folder / "patients.csv").write_text("image,patient\na.png,P7\n")
    return folder


def boxed(folder: Path, field: SimulatedField, strip: tuple[int, int, int, int]) -> Path:
    """The field with a box on each infected cell's parasite, a strip that is not real, and one crop."""
    for part in ("images", "restored_strips", "parasites"):
        (folder / part).mkdir(parents=True)
    write_png(folder / "images" / "S1-1.png", field.rgb)
    x, y, w, h = strip
    strips = np.zeros_like(field.rgb)
    strips[y : y + h, x : x + w] = 255
    write_png(folder / "restored_strips" / "S1-1.png", strips)
    rows = [centre(field, number) for number, cell in enumerate(field.cells) if cell.infected]
    (folder / "parasite_boxes.csv").write_text(
        "image,smear,x,y,w,h\n" + "".join(f"S1-1.png,S1,{x - 8},{y - 8},16,16\n" for x, y in rows)
    )
    write_png(folder / "parasites" / "R_S1-1_00.png", ring())
    return folder


def ring(side: int = 70) -> np.ndarray:
    """A blue ring with a dark dot on the inside of a pink cell."""
    crop = np.full((side, side, 3), (205, 150, 160), np.uint8)
    cv2.circle(crop, (side // 2, side // 2), 14, (120, 110, 190), 4)
    cv2.circle(crop, (side // 2 + 12, side // 2), 5, (70, 20, 100), -1)
    return crop


def true_boxes(field: SimulatedField) -> list[Found]:
    return [Found(tuple(int(v) for v in cell.box)) for cell in field.cells]  # type: ignore[arg-type]


def test_a_blob_infects_the_cell_that_holds_it_and_leaves_its_neighbours_out(
    field: SimulatedField, tmp_path: Path
) -> None:
    healthy = next(number for number, cell in enumerate(field.cells) if not cell.infected)
    x, y, w, h = (int(v) for v in field.cells[healthy].box)
    # Its centre lies outside of the box, a part of it inside.
    [marked] = read_labelled_fields(masked(tmp_path / "one", field, (x + w + 6, y + h // 2, 12)))
    labels = marked.label([*true_boxes(field), Found((x, y, w, h))])
    for cell, label in zip(field.cells, labels, strict=False):
        assert (label == INFECTED) == cell.infected
    assert labels[healthy] == LEFT_OUT
    assert UNINFECTED in labels
    assert marked.group == "P7"


def test_a_parasite_is_in_the_cell_whose_outline_holds_it_not_in_every_box_that_does() -> None:
    # The box of the first reaches over the rim of the second, where the parasite lies.
    first, second = Found((0, 0, 60, 60)), Found((44, 44, 60, 60))
    nothing = np.zeros((120, 120), np.bool_)
    assert by_boxes([(51, 51, 8, 8)], nothing)([first, second]) == [LEFT_OUT, INFECTED]
    mask = nothing.copy()
    mask[50:61, 50:61] = True
    assert by_mask(mask)([first, second]) == [LEFT_OUT, INFECTED]


def test_a_parasite_that_lies_in_no_outline_infects_nothing_and_leaves_the_cell_out() -> None:
    cell = Found((0, 0, 60, 60))
    assert by_boxes([(51, 51, 8, 8)], np.zeros((120, 120), np.bool_))([cell]) == [LEFT_OUT]


def test_a_blob_that_is_too_small_for_a_parasite_infects_nothing(
    field: SimulatedField, tmp_path: Path
) -> None:
    healthy = next(number for number, cell in enumerate(field.cells) if not cell.infected)
    [marked] = read_labelled_fields(masked(tmp_path / "one", field, (*centre(field, healthy), 2)))
    assert marked.label(true_boxes(field))[healthy] == UNINFECTED


def test_a_cell_with_pixels_that_are_not_real_is_no_uninfected_one(
    field: SimulatedField, tmp_path: Path
) -> None:
    healthy = next(number for number, cell in enumerate(field.cells) if not cell.infected)
    [marked] = read_labelled_fields(boxed(tmp_path / "two", field, (*centre(field, healthy), 6, 6)))
    labels = marked.label(true_boxes(field))
    assert labels[healthy] == LEFT_OUT
    assert all((label == INFECTED) == cell.infected for cell, label in zip(field.cells, labels, strict=True))


def test_infected_cells_are_learnt_whole_from_masks_and_as_parasites_alone_where_strips_were_restored(
    field: SimulatedField, tmp_path: Path
) -> None:
    whole = read_laboratory(masked(tmp_path / "one", field), size=32)
    parts = read_laboratory(boxed(tmp_path / "two", field, (0, 0, 4, 4)), size=32)
    assert whole.infected
    assert whole.uninfected
    assert not whole.parasites
    assert not parts.infected
    assert len(parts.parasites) == 1
    assert {cell.patient for cell in whole.infected} == {"one/P7"}


def test_a_patient_that_is_left_out_gives_no_cell(field: SimulatedField, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no cells"):
        read_laboratory(masked(tmp_path / "one", field), frozenset({"one/P7"}), size=32)


def test_a_folder_without_marks_is_refused_by_name(tmp_path: Path) -> None:
    (tmp_path / "bare" / "images").mkdir(parents=True)
    with pytest.raises(DataError, match="bare"):
        read_laboratory(tmp_path / "bare", size=32)


def test_a_parasite_is_lifted_from_its_crop_without_the_cell_round_it() -> None:
    lifted = lift_from_crop(ring())
    assert lifted is not None
    assert lifted.shape == (CROP_CELL, CROP_CELL, 3)
    assert lifted[60:80, 60:90, 1].max() > 0.5
    assert np.abs(lifted[:36]).max() < 0.05


def test_a_crop_across_the_cells_edge_is_not_lifted() -> None:
    crop = ring()
    crop[:, :20] = (240, 235, 235)
    assert lift_from_crop(crop) is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("image;smear;x;y;w\n", "header with the columns image, smear, x, y, w, h"),
        ("", "header with the columns"),
        ("image,smear,x,y,w,h\na.png,1,10,half,5,5\n", "y cannot be half"),
        ("image,smear,x,y,w,h\na.png,1,10,10\n", "the value w is missing"),
    ],
)
def test_a_table_of_marks_that_cannot_be_used_is_a_sentence(tmp_path: Path, text: str, words: str) -> None:
    (tmp_path / "images").mkdir()
    (tmp_path / "parasite_boxes.csv").write_text(text)
    with pytest.raises(TableError, match=words):
        read_laboratory(tmp_path, size=64)


def test_a_table_of_patients_is_read_as_a_spreadsheet_writes_it(
    tmp_path: Path, field: SimulatedField
) -> None:
    (masked(tmp_path, field) / "patients.csv").write_text("Image;Patient;\r\na.png;P7;\r\n", "utf-8-sig")
    assert [one.group for one in read_labelled_fields(tmp_path)] == ["P7"]
