"""The outlines of a field's cells show verdicts by more than colour, and are marked as research use only."""

import cv2
import numpy as np

from edge.drawing.field_overlay import DrawnCell, draw_field
from edge.drawing.marks import PARASITIZED_COLOUR, UNINFECTED_COLOUR, UNJUDGED_COLOUR
from edge.fields.analyser import ClassifiedCell
from edge.segmentation.outlines import CellKind, FoundCell
from edge.types import Box, Label, Mask, Rgb
from tests.edge.drawing.pixels import pixels_of


def field_of(width: int = 1280, height: int = 600) -> Rgb:
    return np.full((height, width, 3), 200, np.uint8)


def found(box: Box = (100, 100, 80, 80), mask: Mask | None = None, *, cut: bool = False) -> FoundCell:
    """A round cell that fills its box, unless its mask is given."""
    x, y, w, h = box
    if mask is None:
        mask = cv2.ellipse(
            np.zeros((h, w), np.uint8), (w // 2, h // 2), (w // 2 - 1, h // 2 - 1), 0, 0, 360, 255, -1
        )
    return FoundCell(box, (x + w / 2, y + h / 2), np.asarray(mask, np.uint8), CellKind.RED, cut, False, 1)


def infected(cell: FoundCell, probability: float = 0.9) -> ClassifiedCell:
    return ClassifiedCell(cell, probability, Label.PARASITIZED, doubtful=False)


def healthy(cell: FoundCell) -> ClassifiedCell:
    return ClassifiedCell(cell, 0.1, Label.UNINFECTED, doubtful=False)


def test_a_field_is_left_as_it_is() -> None:
    field = field_of(400, 300)
    drawn = draw_field(field, [infected(found())])
    assert (field == 200).all()
    assert drawn.shape[0] > 300
    assert drawn.shape[1] == 400


def test_every_field_ends_in_the_same_words() -> None:
    drawn = draw_field(field_of(640, 400), [healthy(found((50, 50, 60, 60)))])
    bare = draw_field(np.full((400, 640, 3), 90, np.uint8), [])
    assert np.array_equal(drawn[-29:, -100:], bare[-29:, -100:])
    assert (drawn[-29:, -100:] < 60).any()


def test_outlines_are_on_the_cells_and_differ_in_thickness() -> None:
    sick, well = draw_field(field_of(), [infected(found())]), draw_field(field_of(), [healthy(found())])
    # Without the flag at the upper right.
    assert pixels_of(sick[125:600], PARASITIZED_COLOUR) > 1.2 * pixels_of(well[125:600], UNINFECTED_COLOUR)
    changed = np.argwhere((well[:600] != 200).any(axis=2))
    assert changed.min() >= 97
    assert changed.max() <= 183


def test_cells_that_are_not_counted_are_drawn_broken() -> None:
    counted, cut = (draw_field(field_of(), [healthy(found(cut=cut))]) for cut in (False, True))
    ratio = pixels_of(cut[:600], UNINFECTED_COLOUR) / pixels_of(counted[:600], UNINFECTED_COLOUR)
    assert 0.3 < ratio < 0.8


def test_a_cell_without_a_verdict_is_drawn_broken_and_not_counted() -> None:
    cells: list[DrawnCell] = [found()]
    drawn = draw_field(field_of(), cells)
    assert pixels_of(drawn[:600], UNJUDGED_COLOUR) > 50
    assert np.array_equal(drawn[600:], draw_field(field_of(), [])[600:])
    assert not np.array_equal(drawn[600:], draw_field(field_of(), [healthy(found())])[600:])


def test_the_outline_follows_the_mask() -> None:
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 255
    drawn = draw_field(field_of(1280, 400), [healthy(found(mask=mask))])
    changed = np.argwhere((drawn[:400] != 200).any(axis=2))
    assert changed.min() >= 117
    assert changed.max() <= 163


def test_outlines_shrink_with_the_picture() -> None:
    drawn = draw_field(field_of(), [healthy(found((400, 400, 80, 80)))], width=640)
    assert drawn.shape[1] == 640
    changed = np.argwhere((drawn[:300] != 200).any(axis=2))
    assert changed.min() >= 197
    assert changed.max() <= 243


def test_a_cell_at_the_corner_is_flagged_inside_the_picture() -> None:
    drawn = draw_field(field_of(300, 200), [infected(found((-20, -20, 60, 60)), 0.97)])
    assert pixels_of(drawn[:200], PARASITIZED_COLOUR) > 20
