"""How far a camera is turned against the region that it looks at, told by the cells that both know."""

import math

import numpy as np

from edge.live.registration.point_patterns import nearest
from edge.slides.placing import turned
from edge.types import Points

TURNS = (1.5, -1.5, 3.0, -3.0, 4.5, -4.5)
"""Turns, degrees, that are tried where a field fits nowhere as it is: half a step off, cells 600 px from the middle of
a field are 8 px off their place."""
NOTICED = 0.3
"""A smaller turn, degrees, is let be: it moves nothing in a field of 1280 px by more than 4 px."""
_MATCHES = 12
_REACH = 0.5
"""Farthest apart, in cell widths, that two centres may be to be the same cell's."""


def turn_points(points: Points, turn: float, size: tuple[int, int]) -> Points:
    """Turn points of a field, shape (n, 2), about the field's middle by so many degrees clockwise."""
    if not turn:
        return points
    return np.array([turned((x, y), turn, size) for x, y in points], np.float64).reshape(-1, 2)


def turn_between(
    map_points: Points, field_points: Points, at: tuple[float, float], cell_width: float
) -> float:
    """How far a field has to be turned to lie on the map better.

    The turn that brings matched points together best, by least squares (Kabsch 1976, in the plane).

    Args:
        map_points: centres of the cells on the map around the field, shape (n, 2).
        field_points: centres of the field's cells, px of the field, shape (n, 2).
        at: where the field's left upper corner is on the map.
        cell_width: usual width of a cell, px.

    Returns:
        Degrees clockwise; 0 where too few cells match to say.
    """
    moved = field_points + np.asarray(at)
    distance, index = nearest(map_points, moved)
    same = distance < _REACH * cell_width
    if same.sum() < _MATCHES:
        return 0.0
    own, theirs = moved[same], map_points[index[same]]
    own, theirs = own - own.mean(axis=0), theirs - theirs.mean(axis=0)
    across = float((own[:, 0] * theirs[:, 1] - own[:, 1] * theirs[:, 0]).sum())
    along = float((own * theirs).sum())
    return math.degrees(math.atan2(across, along))
