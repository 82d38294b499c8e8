"""Whether what was cut out of a picture is one red cell of a stained smear at all.

A network that knows two kinds of red cell calls everything one of them: a letter, a face, a white cell. Twelve to
twenty-three measures of shape, colour, texture and outline (:mod:`edge.cells.red_cell_features`) are weighed here,
singly and in pairs, in two ways: against the other things that the weights were fitted on, and by the distance
(Mahalanobis's) from usual red cells, since other things have no end. What fails either is refused. The weights lie
beside this file, with how they came about; ``python -m train.red_cell`` makes them.
"""

from __future__ import annotations

import json
from functools import cache
from importlib import resources
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.isolation import isolate
from edge.cells.red_cell_features import GROUPS, Measures, measure_piece
from edge.errors import NotACellError
from edge.images.colour import LEAST_IN_CELL, colour_spread, is_neutral
from edge.messages.codes import Code

WEIGHTS_FILE = "red_cell_weights.json"
FURTHEST = 4.0
"""Standard deviations off a usual red cell, beyond which a measure counts no further."""
_MOST_SIDE_OF_ONE = 400
_LEAST_SHARE_OF_ONE = 0.2  # of the picture; a cell of a field covers a hundredth
MOST_SIDE = 800
"""Pixels: twice the longest side of the NIH cells (394). What is longer is taken for a whole field, such as one that an
eyepiece shows as a disc on black, which has the very outline of a cell."""


class Weights(NamedTuple):
    """How the n measures of one kind of picture are weighed.

    Attributes:
        mean: of each measure among red cells, (n,).
        deviation: standard deviation of each among them, (n,).
        single: weight of each, in deviations off the mean, (n,).
        paired: upper triangle, row by row, of the weights of their products, (n (n + 1) / 2,).
        nearness: upper triangle likewise, of the inverse covariance of red cells' deviations.
        least: sum from which on a piece is taken for a red cell.
        most: squared distance up to which it is.
    """

    mean: NDArray[np.float64]
    deviation: NDArray[np.float64]
    single: NDArray[np.float64]
    paired: NDArray[np.float64]
    nearness: NDArray[np.float64]
    least: float
    most: float

    @classmethod
    def of(cls, entry: dict[str, Any]) -> Weights:
        """Read them from their entry in the file."""
        lists = {name: np.array(entry[name], np.float64) for name in cls._fields[:5]}
        return cls(**lists, least=float(entry["least"]), most=float(entry["most"]))

    def deviations(self, values: NDArray[np.float64]) -> NDArray[np.float64]:
        """Say how far measures (..., n) are off a usual red cell's, in bounded standard deviations."""
        return np.clip((values - self.mean) / self.deviation, -FURTHEST, FURTHEST)


def check_single_cell(rgb: NDArray[np.uint8], mask: NDArray[np.uint8] | None) -> None:
    """Refuse a picture that is not one of a stained red cell.

    Args:
        rgb: RGB, uint8, (h, w, 3).
        mask: what :func:`edge.cells.isolation.isolate` found in it.

    Raises:
        NotACellError: no cell stands out, it has no colour, or it is no red cell.
    """
    if mask is None:
        raise NotACellError(Code.CELL_NONE)
    # A grey field is a field first: its size says more than its want of colour. The networks have learnt neutral grey
    # and find 90 to 98 % of the parasites in it; a tint that is one all over they have not.
    without_colour = colour_spread(rgb, mask) < LEAST_IN_CELL and not is_neutral(rgb, mask)
    if max(cv2.boundingRect(mask)[2:]) <= MOST_SIDE and without_colour:
        raise NotACellError(Code.CELL_NO_COLOUR)
    check_red_cell(rgb, mask)


def is_single_cell(rgb: NDArray[np.uint8]) -> bool:
    """Whether a picture is that of one red cell, such as one cut out of a field, and not a field itself."""
    if max(rgb.shape[:2]) > _MOST_SIDE_OF_ONE:
        return False
    mask = isolate(rgb)
    if mask is None or cv2.countNonZero(mask) < _LEAST_SHARE_OF_ONE * mask.size:
        return False
    return is_red_cell(measure_piece(rgb, mask))


def check_red_cell(rgb: NDArray[np.uint8], mask: NDArray[np.uint8]) -> None:
    """Refuse what is no red cell.

    Args:
        rgb: RGB, uint8, (h, w, 3).
        mask: uint8, (h, w), 255 on the piece to be judged, from :func:`edge.cells.isolation.isolate`.

    Raises:
        NotACellError: it is too large for one red cell, or does not look like one of a stained smear; the sentence
            says by what most.
    """
    width, height = cv2.boundingRect(mask)[2:]
    if max(width, height) > MOST_SIDE:
        raise NotACellError(Code.CELL_IS_A_FIELD, width=width, height=height, most=MOST_SIDE)
    measures = measure_piece(rgb, mask)
    if not is_red_cell(measures):
        raise NotACellError(_CODES[_strangest(measures)])


def is_red_cell(measures: Measures) -> bool:
    """Tell whether measures weigh enough; those that are no numbers do not."""
    return likeness(measures) >= 0


def likeness(measures: Measures) -> float:
    """How much a piece is like a red cell: 0 or more if it is taken for one, the worse of the two ways."""
    weights = _weights(measures.on_black)
    off = weights.deviations(measures.values)
    first, second = _pairs(len(off))
    products = off[first] * off[second]
    odds = float(off @ weights.single + products @ weights.paired) - weights.least
    return min(odds, weights.most - float(products @ weights.nearness))


def _strangest(measures: Measures) -> str:
    """The group of measures that are furthest, on average, from a usual red cell's."""
    off = np.abs(_weights(measures.on_black).deviations(measures.values))
    groups = list(GROUPS.values())[: len(off)]
    means = {
        group: np.mean([value for value, its in zip(off, groups, strict=True) if its == group])
        for group in dict.fromkeys(groups)
    }
    return max(means, key=lambda group: float(means[group]))


@cache
def _weights(on_black: bool) -> Weights:
    text = resources.files("edge.cells").joinpath(WEIGHTS_FILE).read_text("utf-8")
    return Weights.of(json.loads(text)["weights"]["on_black" if on_black else "on_glass"])


@cache
def _pairs(number: int) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    return np.triu_indices(number)


_CODES = {
    "place": Code.CELL_UNLIKE_PLACE,
    "outline": Code.CELL_UNLIKE_OUTLINE,
    "colour": Code.CELL_UNLIKE_COLOUR,
    "texture": Code.CELL_UNLIKE_TEXTURE,
    "surroundings": Code.CELL_UNLIKE_SURROUNDINGS,
}
