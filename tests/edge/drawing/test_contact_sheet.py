"""A contact sheet shows verdicts by more than colour, and is marked as research use only."""

import numpy as np
import pytest

from edge.drawing.contact_sheet import VerdictTile, draw_verdicts
from edge.drawing.marks import PARASITIZED_COLOUR, colour_of
from edge.types import Label
from tests.edge.drawing.pixels import pixels_of

GREY = np.full((100, 80, 3), 128, np.uint8)


def tile(label: Label | None, probability: float | None = 0.5, name: str = "cell.png") -> VerdictTile:
    return VerdictTile(GREY, name, label, probability)


def test_a_sheet_grows_by_rows() -> None:
    one, two = draw_verdicts([tile(Label.UNINFECTED)] * 6), draw_verdicts([tile(Label.UNINFECTED)] * 7)
    assert one.shape[1] == two.shape[1]
    assert two.shape[0] - one.shape[0] == 216


def test_the_verdicts_have_their_own_colours() -> None:
    assert len({colour_of(Label.PARASITIZED), colour_of(Label.UNINFECTED), colour_of(None)}) == 3
    legend_only = draw_verdicts([])
    sheet = draw_verdicts([tile(Label.PARASITIZED)])
    assert pixels_of(sheet, PARASITIZED_COLOUR) > pixels_of(legend_only, PARASITIZED_COLOUR) + 1000


def test_without_colour_the_verdicts_still_differ() -> None:
    """Painted in one grey, frames and symbols remain different."""
    shapes = []
    for label in (Label.PARASITIZED, Label.UNINFECTED, None):
        sheet = draw_verdicts([tile(label, None)])
        drawn = (sheet == np.array(colour_of(label), np.uint8)).all(axis=2)
        # The tile's frame and symbol, without words, legend and title.
        shapes.append(drawn[44:236, 16:60])
    assert (shapes[0] != shapes[1]).sum() > 200
    assert (shapes[1] != shapes[2]).sum() > 50


def test_a_sheet_of_nothing_and_odd_pictures_can_be_drawn() -> None:
    assert draw_verdicts([]).shape[2] == 3
    odd = VerdictTile(np.zeros((1, 900, 3), np.uint8), "\u00e9" * 90, None, None)
    assert draw_verdicts([odd, tile(Label.PARASITIZED, 1.0)], columns=1).dtype == np.uint8


def test_a_sheet_needs_a_column() -> None:
    with pytest.raises(ValueError, match="at least one column"):
        draw_verdicts([], columns=0)


def test_every_sheet_ends_in_the_same_words() -> None:
    """The footer is compared with one drawn for nothing: the words stand at the lower right of both."""
    sheet, empty = draw_verdicts([tile(Label.UNINFECTED)] * 4), draw_verdicts([])
    assert np.array_equal(sheet[-40:, -190:], empty[-40:, -190:])
    assert (sheet[-40:, -190:] < 60).any()
