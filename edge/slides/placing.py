"""From a place in a field to the place on its region of the slide, where the camera is turned against it."""

from math import ceil, cos, floor, radians, sin

from edge.types import Box


def turned(point: tuple[float, float], turn: float, size: tuple[int, int]) -> tuple[float, float]:
    """Turn a point of a field about the field's middle.

    Args:
        point: x and y, pixels.
        turn: degrees, clockwise as one looks at the picture.
        size: width and height of the field, pixels.
    """
    if not turn:
        return point
    across, down = point[0] - size[0] / 2, point[1] - size[1] / 2
    c, s = cos(radians(turn)), sin(radians(turn))
    return size[0] / 2 + c * across - s * down, size[1] / 2 + s * across + c * down


def turned_box(box: Box, turn: float, size: tuple[int, int]) -> Box:
    """The upright box round a box of a field that was turned about the field's middle."""
    if not turn:
        return box
    x, y, width, height = box
    corners = [turned((x + i * width, y + j * height), turn, size) for i in (0, 1) for j in (0, 1)]
    left, top = floor(min(c[0] for c in corners)), floor(min(c[1] for c in corners))
    right, bottom = ceil(max(c[0] for c in corners)), ceil(max(c[1] for c in corners))
    return left, top, right - left, bottom - top


def inset(turn: float, size: tuple[int, int]) -> tuple[float, float]:
    """How far within its upright outline, left and right, top and bottom, a turned field surely lies, pixels."""
    s = abs(sin(radians(turn)))
    return s * size[1] / 2, s * size[0] / 2
