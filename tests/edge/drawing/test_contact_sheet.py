"""Verdicts as they are drawn: told by more than colour, and marked as research use only."""

import numpy as np
import pytest

from edge.drawing.contact_sheet import (
    PARASITIZED_COLOUR,
    UNINFECTED_COLOUR,
    OutlinedCell,
    VerdictTile,
    colour_of,
    draw_field,
    draw_verdicts,
)

GREY = np.full((100, 80, 3), 128, np.uint8)


def pixels_of(rgb: np.ndarray, colour: tuple[int, int, int]) -> int:
    return int((rgb == np.array(colour, np.uint8)).all(axis=2).sum())


def tile(label: str | None, probability: float | None = 0.5, name: str = "cell.png") -> VerdictTile:
    return VerdictTile(GREY, name, label, probability)


def test_a_sheet_grows_by_rows() -> None:
    one, two = draw_verdicts([tile("Uninfected")] * 6), draw_verdicts([tile("Uninfected")] * 7)
    assert one.shape[1] == two.shape[1]
    assert two.shape[0] - one.shape[0] == 216


def test_the_verdicts_have_their_own_colours() -> None:
    assert len({colour_of("Parasitized"), colour_of("Uninfected"), colour_of(None)}) == 3
    legend_only = draw_verdicts([])
    sheet = draw_verdicts([tile("Parasitized")])
    assert pixels_of(sheet, PARASITIZED_COLOUR) > pixels_of(legend_only, PARASITIZED_COLOUR) + 1000


def test_without_colour_the_verdicts_still_differ() -> None:
    """Painted in one grey, frames and symbols remain different."""
    shapes = []
    for label in ("Parasitized", "Uninfected", None):
        sheet = draw_verdicts([tile(label, None)])
        drawn = (sheet == np.array(colour_of(label), np.uint8)).all(axis=2)
        # The tile's frame and symbol, without words, legend and title.
        shapes.append(drawn[44:236, 16:60])
    assert (shapes[0] != shapes[1]).sum() > 200
    assert (shapes[1] != shapes[2]).sum() > 50


def test_a_sheet_of_nothing_and_odd_pictures_can_be_drawn() -> None:
    assert draw_verdicts([]).shape[2] == 3
    odd = VerdictTile(np.zeros((1, 900, 3), np.uint8), "\u00e9" * 90, None, None)
    assert draw_verdicts([odd, tile("Parasitized", 1.0)], columns=1).dtype == np.uint8


def test_a_sheet_needs_a_column() -> None:
    with pytest.raises(ValueError, match="at least one column"):
        draw_verdicts([], columns=0)


def test_every_drawing_ends_in_the_same_words() -> None:
    """The footer is compared with one drawn for nothing: the words stand at the lower right of both."""
    sheet, empty = draw_verdicts([tile("Uninfected")] * 4), draw_verdicts([])
    assert np.array_equal(sheet[-40:, -190:], empty[-40:, -190:])
    assert (sheet[-40:, -190:] < 60).any()
    field, bare = np.full((400, 640, 3), 200, np.uint8), draw_field(np.full((400, 640, 3), 90, np.uint8), [])
    drawn = draw_field(field, [OutlinedCell((50, 50, 60, 60), "Uninfected", 0.1)])
    assert np.array_equal(drawn[-29:, -100:], bare[-29:, -100:])
    assert (drawn[-29:, -100:] < 60).any()


def test_a_field_is_left_as_it_is() -> None:
    field = np.full((300, 400, 3), 200, np.uint8)
    drawn = draw_field(field, [OutlinedCell((50, 50, 60, 60), "Parasitized", 0.9)])
    assert (field == 200).all()
    assert drawn.shape[0] > 300
    assert drawn.shape[1] == 400


def test_outlines_lie_on_the_cells_and_differ_in_thickness() -> None:
    field = np.full((600, 1280, 3), 200, np.uint8)
    infected = draw_field(field, [OutlinedCell((100, 100, 80, 80), "Parasitized")], probabilities=False)
    healthy = draw_field(field, [OutlinedCell((100, 100, 80, 80), "Uninfected")])
    assert pixels_of(infected[:600], PARASITIZED_COLOUR) > 1.2 * pixels_of(healthy[:600], UNINFECTED_COLOUR)
    changed = np.argwhere((healthy[:600] != 200).any(axis=2))
    assert changed.min() >= 97
    assert changed.max() <= 183


def test_cells_that_are_not_counted_are_drawn_broken() -> None:
    field = np.full((600, 1280, 3), 200, np.uint8)
    counted = draw_field(field, [OutlinedCell((100, 100, 80, 80), "Uninfected")])
    passed_over = draw_field(field, [OutlinedCell((100, 100, 80, 80), "Uninfected", counted=False)])
    ratio = pixels_of(passed_over[:600], UNINFECTED_COLOUR) / pixels_of(counted[:600], UNINFECTED_COLOUR)
    assert 0.3 < ratio < 0.8


def test_the_outline_follows_the_mask() -> None:
    field = np.full((400, 1280, 3), 200, np.uint8)
    mask = np.zeros((80, 80), np.uint8)
    mask[20:60, 20:60] = 255
    drawn = draw_field(field, [OutlinedCell((100, 100, 80, 80), "Uninfected", mask=mask)])
    changed = np.argwhere((drawn[:400] != 200).any(axis=2))
    assert changed.min() >= 117
    assert changed.max() <= 163


def test_a_cell_at_the_corner_is_flagged_inside_the_picture() -> None:
    field = np.full((200, 300, 3), 200, np.uint8)
    drawn = draw_field(field, [OutlinedCell((-20, -20, 60, 60), "Parasitized", 0.97)])
    assert pixels_of(drawn[:200], PARASITIZED_COLOUR) > 20
