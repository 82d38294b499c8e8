"""What the cell finder takes for a centre, an outline, a cell: chosen by `python -m train.finder.choose_settings`."""

from __future__ import annotations

from typing import NamedTuple


class FinderSettings(NamedTuple):
    """Probabilities, of the network, from which on something is believed.

    One set serves every laboratory. `train.finder.choose_settings` tries values on the fields that training holds out
    and on drawn ones. Two stay a step off what is best there: `centre` (0.6), for stacked cells, which those fields
    lack, need more centres; and `outline` (0.45), for a cut that takes a hem of glass along loses no parasite at
    the rim.

    Attributes:
        centre: a peak of the centre map is the centre of a cell.
        outline: a cell's outline runs where cell and glass are this likely.
        sure_centre: with a peak below this a cell is debris or out of focus, and not counted.
        sure_cell: likewise, with a lower mean over its pixels.
        white: a large cell is a white one, by the mean over its pixels.
    """

    centre: float = 0.5
    outline: float = 0.4
    sure_centre: float = 0.3
    sure_cell: float = 0.75
    white: float = 0.9
