"""Measures of what was cut out of a picture: its shape, its colours, its texture, its outline.

They are the evidence from which :mod:`edge.cells.red_cell_check` tells a red cell of a stained smear from
other things. All are taken on a copy in which the piece is 32 px wide, so that they mean the same at every
magnification.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot, log, pi, sqrt
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cells.isolation import BLACK_BORDER_SHARE

SIDE = 32
"""Width of the piece in the working copy, px: a ring form is still two pixels wide."""
_MARGIN = 6
"""What is kept round the piece, where the picture has it, px of the working copy."""
_RIM = 3
"""Depth of the piece's rim, px of the working copy: lens and cutting blur it."""
_DARK_HEM = (24, 24, 24)
"""Brightest colour that is taken for black round a piece in the working copy. Scaling mixes the piece's own colour
into its hem, so this level is above that of :data:`edge.cells.isolation.BLACK_LEVEL`."""
_DARKEST = 5.0
"""Grey level under which no camera tells density."""
_WEAKEST = 0.05
"""Density, natural, of the faintest piece over its glass: what is weaker is measured as this."""
_STEEP = 0.02
"""Step of density into the piece, at which an outline is one."""

GROUPS = {
    "width_ratio": "outline",
    "ellipse": "outline",
    "solidity": "outline",
    "raggedness": "outline",
    "strength": "colour",
    "hue_red": "colour",
    "hue_blue": "colour",
    "density_spread": "texture",
    "hue_spread_red": "texture",
    "hue_spread_blue": "texture",
    "fine_texture": "texture",
    "rim": "texture",
    "cover": "place",
    "touch": "place",
    "off_centre": "place",
    "outline_agreement": "outline",
    "outline_strength": "outline",
    "glass_brightness": "surroundings",
    "glass_red": "surroundings",
    "glass_blue": "surroundings",
    "glass_spread": "surroundings",
    "glass_texture": "surroundings",
    "clutter": "surroundings",
}
"""What each measure is one of; the measures stand in their order."""
NAMES = tuple(GROUPS)
"""The measures; those from ``cover`` on need glass round the piece."""
ON_BLACK = NAMES.index("cover")
"""How many of them, from the first, a piece that is cut out on black has."""


class Measures(NamedTuple):
    """What was measured of one piece.

    Attributes:
        on_black: whether the picture is black outside the piece.
        values: float64, of the first :data:`ON_BLACK` of :data:`NAMES` or of all.
    """

    on_black: bool
    values: NDArray[np.float64]


def measure_piece(rgb: NDArray[np.uint8], mask: NDArray[np.uint8]) -> Measures:
    """Measure a piece that stands out in a picture.

    Args:
        rgb: uint8 (h, w, 3).
        mask: uint8 (h, w), 255 on the piece and 0 elsewhere, one connected piece, not empty.

    Returns:
        Its measures. Densities are natural optical densities (absorbances times ln 10): against the glass
        round the piece, or against white where all is black.
    """
    height, width = mask.shape
    x, y, w, h = cv2.boundingRect(mask)
    scale = SIDE / max(w, h)
    margin = max(1, round(_MARGIN / scale))
    left, top = max(0, x - margin), max(0, y - margin)
    window = np.s_[top : min(height, y + h + margin), left : min(width, x + w + margin)]
    around = mask[window]
    size = (max(4, round(scale * around.shape[1])), max(4, round(scale * around.shape[0])))
    small = _reduced(rgb[window], size)
    piece = cv2.resize(around, size, interpolation=cv2.INTER_LINEAR)
    piece = cv2.threshold(piece, 127, 255, cv2.THRESH_BINARY)[1]
    black = cv2.inRange(small, (0, 0, 0), _DARK_HEM)
    on_black = _is_on_border(black)
    if on_black:
        # JPEG leaves more light in the black than isolation allows for, and takes some from the cell's edge.
        piece = cv2.subtract(piece, black)
    outline = _outline(piece)
    if on_black:
        piece = cv2.drawContours(np.zeros_like(piece), [outline], -1, 255, cv2.FILLED)
    density = cv2.LUT(small, _DENSITY)
    if on_black:
        return Measures(True, np.array(_shape(outline) + _inside(density, piece, (0.0, 0.0, 0.0))))
    outside = cv2.bitwise_not(cv2.dilate(piece, _RIM_KERNEL))
    glass = _glass(density, outside)
    values = _shape(outline) + _inside(density, piece, glass)
    values += _place(mask, (x, y, w, h)) + _around(density, piece, outside, glass)
    return Measures(False, np.array(values))


_RIM_KERNEL = np.ones((3, 3), np.uint8)
_DENSITY = -np.log(np.maximum(np.arange(256, dtype=np.float32), _DARKEST) / 255).reshape(1, 256)


def _reduced(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """Scale to a width and height: halved first, which takes a twentieth of the time of the area's exact mean."""
    while rgb.shape[1] >= 2 * size[0] and rgb.shape[0] >= 2 * size[1]:
        half = (rgb.shape[1] // 2, rgb.shape[0] // 2)
        rgb = cv2.resize(rgb[: 2 * half[1], : 2 * half[0]], half, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_LINEAR), np.uint8)


def _is_on_border(black: NDArray[np.uint8]) -> bool:
    """Tell whether enough of the outermost pixels are black: the picture was cut out already."""
    border = cv2.countNonZero(black) - cv2.countNonZero(black[1:-1, 1:-1])
    return bool(border >= BLACK_BORDER_SHARE * (2 * sum(black.shape) - 4))


def _outline(piece: NDArray[np.uint8]) -> NDArray[np.int32]:
    """The longest outline in a mask, int32 (n, 1, 2); that of one pixel where there is none."""
    outlines, _ = cv2.findContours(piece, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_NONE)
    middle = np.array([[[piece.shape[1] // 2, piece.shape[0] // 2]]], np.int32)
    return np.asarray(max(outlines, key=len, default=middle), np.int32)


def _shape(outline: NDArray[np.int32]) -> list[float]:
    moments = cv2.moments(outline)
    area = moments["m00"]
    if area < 1:  # a line, which has no width
        return [0.0, 0.0, 0.0, 2.0]
    across, down, slant = moments["mu20"] / area, moments["mu02"] / area, moments["mu11"] / area
    middle, spread = (across + down) / 2, hypot((across - down) / 2, slant)
    hull = cv2.convexHull(outline)
    return [
        sqrt(max(middle - spread, 0.0) / (middle + spread)),
        # An ellipse has 4 pi times the root of its moments' determinant as its area; all else has less.
        area / (4 * pi * sqrt(max(across * down - slant * slant, 1e-6))),
        area / max(cv2.contourArea(hull), 1.0),
        cv2.arcLength(outline, True) / max(cv2.arcLength(hull, True), 1.0),
    ]


def _place(mask: NDArray[np.uint8], box: tuple[int, int, int, int]) -> list[float]:
    height, width = mask.shape
    x, y, w, h = box
    border = sum(np.count_nonzero(edge) for edge in (mask[0], mask[-1], mask[:, 0], mask[:, -1]))
    return [
        cv2.countNonZero(mask) / mask.size,
        border / (2 * (height + width)),
        hypot((x + w / 2) / width - 0.5, (y + h / 2) / height - 0.5),
    ]


def _glass(density: NDArray[np.float32], outside: NDArray[np.uint8]) -> tuple[float, float, float]:
    """Density of the glass against white: of the bright half outside, where neighbours may lie too."""
    grey = cv2.transform(density, _MEAN)
    levels = grey[outside > 0]
    if not len(levels):
        return 0.0, 0.0, 0.0
    middle = float(np.partition(levels, len(levels) // 2)[len(levels) // 2])
    red, green, blue, _ = cv2.mean(density, _where(grey, middle, cv2.CMP_LE, outside))
    return red, green, blue


_MEAN = np.full((1, 3), 1 / 3, np.float32)
# Density, and how far red and blue absorb less than green, which haemoglobin and eosin absorb most.
_AXES = np.array([[1 / 3, 1 / 3, 1 / 3], [-1, 1, 0], [0, 1, -1]], np.float32)


def _where(values: NDArray[np.float32], bound: float, how: int, mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.asarray(cv2.bitwise_and(cv2.compare(values, bound, how), mask), np.uint8)


def _inside(density: NDArray[np.float32], piece: NDArray[np.uint8], glass: Sequence[float]) -> list[float]:
    inner = cv2.erode(piece, _RIM_KERNEL, iterations=_RIM)
    if not cv2.countNonZero(inner):
        inner = piece
    axes = cv2.transform(density, _AXES)
    (grey_mean, red, blue), spread = (found[:, 0].tolist() for found in cv2.meanStdDev(axes, mask=inner))
    grey = cv2.extractChannel(axes, 0)
    fine = cv2.mean(cv2.absdiff(grey, cv2.blur(grey, (3, 3))), inner)[0]
    # A stain twice as strong doubles every density: all but the strength itself is told in shares of it.
    strength = max(grey_mean - sum(glass) / 3, _WEAKEST)
    return [
        log(strength),
        (red - glass[1] + glass[0]) / strength,
        (blue - glass[1] + glass[2]) / strength,
        *(log((one + 0.01) / strength) for one in spread),
        log((fine + 0.002) / strength),
        (cv2.mean(grey, cv2.subtract(piece, inner))[0] - grey_mean) / strength,
    ]


def _around(
    density: NDArray[np.float32],
    piece: NDArray[np.uint8],
    outside: NDArray[np.uint8],
    glass: Sequence[float],
) -> list[float]:
    grey = cv2.transform(density, _MEAN)
    soft = cv2.blur(grey, (3, 3))
    form = cv2.blur(piece, (5, 5))
    band = cv2.morphologyEx(piece, cv2.MORPH_GRADIENT, _RIM_KERNEL) > 0
    across, down = (cv2.Sobel(soft, cv2.CV_32F, *axis)[band] for axis in ((1, 0), (0, 1)))
    form_across, form_down = (cv2.Sobel(form, cv2.CV_32F, *axis)[band] for axis in ((1, 0), (0, 1)))
    # How density rises along the way into the piece, at each pixel of its outline.
    slope = (across * form_across + down * form_down) / (np.hypot(form_across, form_down) + 1)
    number = cv2.countNonZero(outside)
    spread = cv2.meanStdDev(grey, mask=outside)[1][0, 0]
    level = sum(glass) / 3
    dark = _where(grey, (level + cv2.mean(grey, piece)[0]) / 2, cv2.CMP_GT, outside)
    return [
        float(np.mean(slope > _STEEP)) if len(slope) else 0.0,
        log(max(float(np.mean(slope)) if len(slope) else 0.0, 0.0) + 0.02),
        level,
        glass[1] - glass[0],
        glass[1] - glass[2],
        log(spread + 0.01),
        log(cv2.mean(cv2.absdiff(grey, soft), outside)[0] + 0.002),
        cv2.countNonZero(dark) / max(number, 1),
    ]
