"""Registers a field to the map by matching cell centres.

Every pair of one cell on the map and one in the field proposes a shift. Wrong pairs propose shifts all over
the place, right ones agree, so that the fullest bin of a histogram of shifts tells the field's position with
no guess to start from: after a jump as well as between neighbours, whatever light and focus did meanwhile.
"""

from collections.abc import Callable
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.types import Points

BIN = 0.25
"""Width of a bin of shifts, in cell widths: centres found twice differ by a tenth of a cell or so."""
REACH = 0.3
"""Farthest apart, in cell widths, that two centres may be to be the same cell's."""


class MatchCriteria(NamedTuple):
    """What a shift must show before it is believed.

    Attributes:
        matches: fewest matching cells.
        agreement: smallest share of the cells in the common area that must match.
        chance: largest probability of so many matches by chance.
    """

    matches: int
    agreement: float
    chance: float


WHERE_EXPECTED = MatchCriteria(8, 0.6, 1e-3)
"""For a field that is about where it should."""
ANYWHERE = MatchCriteria(12, 0.75, 1e-9)
"""For a field that may lie anywhere: thousands of places were tried. On 150 fields of a real slide laid
against a part of it that they do not touch, none was found at home there; with eight matches, two were."""
WITH_PICTURE = MatchCriteria(5, 0.6, 0.1)
"""For a field whose picture will be laid over that of its neighbour before the place is believed."""
_CANDIDATES = 6
_LEAST_VOTES = 3
_MOST_PAIRS = 16_000_000
"""More pairs than this are voted by a sample of the field's cells, so that a vote takes a second at most."""
_PAIRS_AT_ONCE = 250_000
"""Pairs whose shifts are held in memory together: 8 MB."""


class Shift(NamedTuple):
    """A field's place on the map, by its cells.

    Attributes:
        x: what is added to positions in the field to have positions on the map, pixels.
        y: the same, downwards.
        matches: cells of the field that lie on a cell of the map.
        agreement: their share of the cells in the common area, 0 to 1.
    """

    x: float
    y: float
    matches: int
    agreement: float


def find_shifts(
    map_points: Points,
    field_points: Points,
    *,
    field_size: tuple[int, int],
    cell_width: float,
    near: tuple[float, float] | None = None,
    within: float = float("inf"),
    criteria: MatchCriteria | None = None,
    shared: Callable[[float, float], int] | None = None,
) -> list[Shift]:
    """Find all places on the map where a field may lie.

    Args:
        map_points: centres of the cells on the map.
        field_points: centres of the cells of the field, in the field's own pixels.
        field_size: width and height of the field, pixels.
        cell_width: usual width of a cell, pixels.
        near: where the field is expected; ``None`` to look everywhere.
        within: how far from there it may lie, in pixels each way.
        criteria: what a shift must show; by default more where the field may lie anywhere.
        shared: tells how many cells map and field should have in common at a shift, where that is known better
            than from a rectangle of ``field_size``.

    Returns:
        The shifts on which enough cells agree, most matches first; a few at most.
    """
    criteria = criteria or (ANYWHERE if near is None else WHERE_EXPECTED)
    if not len(map_points) or not len(field_points):
        return []
    refined = [
        _refine(
            map_points,
            field_points,
            candidate,
            field_size,
            cell_width=cell_width,
            criteria=criteria,
            shared=shared,
        )
        for candidate in _fullest_bins(map_points, field_points, cell_width, near, within)
    ]
    return sorted((shift for shift in refined if shift is not None), key=lambda shift: -shift.matches)


def nearest(points: Points, queries: Points) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """For each query the distance to the nearest point and that point's index; infinite where there is none.

    A table of all distances is the fastest for the some hundred points of a field; for whole regions it is
    filled in parts.
    """
    if not len(points) or not len(queries):
        return np.full(len(queries), np.inf), np.zeros(len(queries), np.int64)
    squares, index = np.empty(len(queries)), np.empty(len(queries), np.int64)
    step = max(1, _PAIRS_AT_ONCE // len(points))
    for start in range(0, len(queries), step):
        part = slice(start, start + step)
        gaps = queries[part, None, :] - points[None, :, :]
        table = np.einsum("ijk,ijk->ij", gaps, gaps)
        index[part] = table.argmin(axis=1)
        squares[part] = table[np.arange(len(table)), index[part]]
    return np.sqrt(squares), index


def _fullest_bins(
    map_points: Points,
    field_points: Points,
    cell_width: float,
    near: tuple[float, float] | None,
    within: float,
) -> list[tuple[float, float]]:
    """The shifts that most pairs propose, the best first."""
    if len(map_points) * len(field_points) > _MOST_PAIRS:
        # Evenly through the list, which is in order of position: a sample from all over the field.
        step = -(-len(map_points) * len(field_points) // _MOST_PAIRS)
        field_points = field_points[::step]
    low, high = (
        map_points.min(axis=0) - field_points.max(axis=0),
        map_points.max(axis=0) - field_points.min(axis=0),
    )
    if near is not None:
        low, high = np.maximum(low, np.asarray(near) - within), np.minimum(high, np.asarray(near) + within)
    if (low > high).any():
        return []
    votes = _votes(map_points, field_points, BIN * cell_width, low, high)
    low = np.floor(low / (BIN * cell_width))
    # A true shift near the edge of a bin shares its votes with the next: each bin is summed with its
    # neighbours to the left and above.
    votes = cv2.boxFilter(votes, -1, (2, 2), anchor=(1, 1), normalize=False, borderType=cv2.BORDER_CONSTANT)
    # Large overlaps draw more chance votes than small ones, so a bin is judged against its surroundings, by
    # how many standard deviations of a Poisson count it stands out.
    chance = cv2.blur(votes, (15, 15), borderType=cv2.BORDER_CONSTANT)
    salience = (votes - chance) / np.sqrt(chance + 1.0)
    found = []
    for _ in range(_CANDIDATES):
        row, column = np.unravel_index(int(salience.argmax()), salience.shape)
        if votes[row, column] < _LEAST_VOTES:
            break
        found.append((float((column + low[0]) * BIN * cell_width), float((row + low[1]) * BIN * cell_width)))
        salience[max(0, row - 2) : row + 3, max(0, column - 2) : column + 3] = -np.inf
    return found


def _votes(
    map_points: Points,
    field_points: Points,
    width: float,
    lowest: NDArray[np.float64],
    highest: NDArray[np.float64],
) -> NDArray[np.float32]:
    """How many pairs propose each shift between two bounds, as an image whose pixels are bins of ``width``."""
    low = np.floor(lowest / width).astype(np.int64)
    columns, rows = np.floor(highest / width).astype(np.int64) - low + 2
    votes = np.zeros(rows * columns, np.int64)
    step = max(1, _PAIRS_AT_ONCE // len(map_points))
    for start in range(0, len(field_points), step):
        shifts = (map_points[:, None, :] - field_points[None, start : start + step, :]).reshape(-1, 2)
        shifts = shifts[((shifts >= lowest) & (shifts <= highest)).all(axis=1)]
        bins = np.floor(shifts / width).astype(np.int64) - low
        votes += np.bincount(bins[:, 1] * columns + bins[:, 0], minlength=rows * columns)
    return votes.reshape(rows, columns).astype(np.float32)


def _refine(
    map_points: Points,
    field_points: Points,
    shift: tuple[float, float],
    field_size: tuple[int, int],
    *,
    cell_width: float,
    criteria: MatchCriteria,
    shared: Callable[[float, float], int] | None,
) -> Shift | None:
    """Move a candidate to where the matching cells' mean offset is zero, and see how many agree."""
    at = np.asarray(shift, np.float64)
    margin = cell_width
    inside = np.all(
        (map_points >= at - margin) & (map_points <= at + np.asarray(field_size) + margin), axis=1
    )
    here = map_points[inside]
    if len(here) < criteria.matches:
        return None
    matched = np.zeros(len(field_points), bool)
    distance = np.full(len(field_points), np.inf)
    for reach in (2 * BIN, REACH, REACH):
        distance, index = nearest(here, field_points + at)
        matched = distance <= reach * cell_width
        if matched.sum() < _LEAST_VOTES:
            return None
        at = at + np.median(here[index[matched]] - field_points[matched] - at, axis=0)
    distance, index = nearest(here, field_points + at)
    matched = distance <= REACH * cell_width
    matches = len(np.unique(index[matched]))
    if shared is not None:
        common = max(matches, shared(float(at[0]), float(at[1])))
    else:
        common = max(matches, _common(here, field_points + at, at, field_size, cell_width))
    agreement = matches / common
    if matches < criteria.matches or agreement < criteria.agreement:
        return None
    if _chance(matches, common, _chance_of_one(here, cell_width)) > criteria.chance:
        return None
    return Shift(float(at[0]), float(at[1]), matches, agreement)


def _chance_of_one(here: Points, cell_width: float) -> float:
    """How probable it is that a cell put down anywhere is within ``REACH`` of one of the map's."""
    width, height = np.maximum(np.ptp(here, axis=0), cell_width)
    per_pixel = len(here) / float(width * height)
    return float(1 - np.exp(-per_pixel * np.pi * (REACH * cell_width) ** 2))


def _chance(matches: int, common: int, one: float) -> float:
    """An upper bound of the probability of that many matches: Chernoff's, exp(-n KL(k/n || p))."""
    share = matches / common
    if share <= one:
        return 1.0
    divergence = share * np.log(share / one)
    if share < 1:
        divergence += (1 - share) * np.log((1 - share) / (1 - one))
    return float(np.exp(-common * divergence))


def _common(
    here: Points, moved: Points, at: NDArray[np.float64], field_size: tuple[int, int], cell_width: float
) -> int:
    """How many cells map and field should have in common: the fewer of what each has in the other's area."""
    # The map has no outline of its own here: an area is the map's where it has cells near.
    distance, _ = nearest(here, moved)
    of_field = int((distance <= 2 * cell_width).sum())
    low, high = at + cell_width, at + np.asarray(field_size) - cell_width
    of_map = int(np.all((here >= low) & (here <= high), axis=1).sum())
    return min(of_field, of_map)
