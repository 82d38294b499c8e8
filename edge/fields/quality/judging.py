"""All checks of a field: what it shows (`content`), and how the camera saw it (`sharpness`, `camera`).

The limits of what a field shows lie between what fields of several laboratories show and what the same fields show
blown out or darkened, or pictures that are no thin smear; `benchmarks/fields/__main__.py` measures both. Those of the
view lie where a fifth of the parasites is lost that the same field shows unspoilt; `benchmarks/fields/views.py`
measures that.
"""

from __future__ import annotations

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fields.quality.camera import measure_bands, measure_blocks, measure_comb, measure_noise
from edge.fields.quality.checks import Check, CheckName, QualityReport
from edge.fields.quality.sharpness import Blur, Slopes, glass_of, measure_blur, measure_slopes, ridge_blur
from edge.images.colour import LEAST_IN_FIELD, colour_spread
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import FieldCells
from edge.segmentation.outlines import FRAGMENT_SHARE, CellKind

# A found object looks like a red cell when the network is sure of its centre, more than it must be to be counted
# among others; when its area is of a cell's order; and when it fills its hull like one. Crenated cells, and those that
# others cover, do not: there it is enough that the network is sure of all their pixels and that the hull is not much
# larger. In fields of six sets at least 0.72 of what is found looks so, but for one field of stacked cells (0.66); in
# pictures of other things that no other check refuses, at most 0.6.
SURE_CENTRE = 0.45
CONVEX, NEARLY_CONVEX = 0.88, 0.75
SURE_CELL = 0.92
AREA_SHARES = (0.35, 2.2)
LEAST_LIKE_CELLS = 0.7
# Optical density of a typical cell, natural logarithm: the darkest stained fields of four sets reach 1.2.
MOST_DENSITY = 1.25
# Cells of 25 px and more are what the finder is made for; with some room.
LEAST_WIDTH = 18.0
# A channel this bright is as bright as it can be.
WHITE_LEVEL = 253
LEAST_GLASS = 40
"""Brightness of the glass in its brightest channel below which a field is too dark."""
MOST_BLUR = 0.055
"""Standard deviation in cell widths of the blur in the sharpest direction. Softly imaged fields of MP-IDB, which must
not be refused, reach 0.052: fields that are imaged more sharply have lost a fifth of their parasites before."""
MOST_RIDGE_BLUR = 0.06
"""The same of the clearest outlines (`ridge_blur`): fields of six sets reach 0.0594; blurred by a tenth of a cell they
begin at 0.058, all but one of 17 above 0.06."""
MOST_MOTION = 0.027
"""Standard deviation in cell widths of what blurs one direction alone: 0.29 of the way during the exposure. Fields as
their laboratories took them reach 0.026."""
MOST_NOISE = 0.0145
"""Standard deviation, of the glass's brightness, at the scale at which cells are 32 px wide."""
MOST_STEPS = 0.0175
"""Between 8 x 8 blocks, of the glass's brightness."""
MOST_COMB = 1.1
"""Rows against rows two apart: pure noise is 1."""
MOST_BANDS = 0.35
"""Amplitude in densities of a typical cell."""


def judge_quality(rgb: NDArray[np.uint8], found: FieldCells) -> QualityReport:
    """Check a field.

    Args:
        rgb: uint8 (h, w, 3), the field.
        found: its cells.

    Returns:
        Every check.
    """
    whole = sum(cell.counted for cell in found.cells)
    glass = glass_of(found)
    slopes = measure_slopes(found, glass)
    blur = measure_blur(slopes)
    checks = (
        _check(
            CheckName.GLASS_BRIGHTNESS,
            max(found.background.colour),
            (LEAST_GLASS, 255),
            Code.FIELD_TOO_DARK,
        ),
        _check(
            CheckName.OVEREXPOSED,
            _overexposed(rgb, found),
            (0, 0.04),
            Code.FIELD_OVEREXPOSED,
        ),
        _check(
            CheckName.STAIN_CONTRAST,
            found.typical,
            (0.04, MOST_DENSITY),
            Code.FIELD_FAINT if found.typical < MOST_DENSITY else Code.FIELD_OPAQUE,
        ),
        _check(
            CheckName.WHOLE_CELLS,
            whole,
            (5, np.inf),
            Code.FIELD_FEW_WHOLE_CELLS,
        ),
        _check(
            CheckName.CELL_WIDTH,
            found.cell_width,
            (LEAST_WIDTH, np.inf),
            Code.FIELD_CELLS_TOO_SMALL,
        ),
        _check(
            CheckName.COVERED,
            _covered(found),
            (0.07, 1),
            Code.FIELD_SPARSE,
        ),
        # Behind those that an empty field fails, before those that a grey one fails for reasons that lead astray.
        _check(CheckName.COLOUR, _colour(rgb, found), (LEAST_IN_FIELD, np.inf), Code.FIELD_NO_COLOUR),
        _check(
            CheckName.RED_CELL_SHARE,
            _share_of_cells(found),
            (LEAST_LIKE_CELLS, 1),
            Code.FIELD_NOT_A_THIN_SMEAR,
        ),
        _check(
            CheckName.BLUR,
            _blur(found, blur, slopes),
            (0, MOST_BLUR),
            Code.FIELD_OUT_OF_FOCUS,
        ),
        _check(
            CheckName.CLUMPED,
            _clumped(found),
            (0, 0.35),
            Code.FIELD_CROWDED,
        ),
        _check(
            CheckName.INTERLACED,
            measure_comb(rgb),
            (0, MOST_COMB),
            Code.FIELD_INTERLACED,
        ),
        _check(
            CheckName.FLICKER,
            measure_bands(found, glass),
            (0, MOST_BANDS),
            Code.FIELD_BANDED,
        ),
        _check(
            CheckName.COMPRESSION,
            measure_blocks(rgb, found.background),
            (0, MOST_STEPS),
            Code.FIELD_COMPRESSED,
        ),
        _check(
            CheckName.NOISE,
            measure_noise(rgb, found, glass),
            (0, MOST_NOISE),
            Code.FIELD_NOISY,
        ),
        _check(
            CheckName.MOTION,
            blur.motion if blur else 0.0,
            (0, MOST_MOTION),
            Code.FIELD_MOVED,
        ),
    )
    return QualityReport(checks)


def _check(name: CheckName, value: float, limit: tuple[float, float], failed: Code) -> Check:
    passed = bool(np.isfinite(value) and limit[0] <= value <= limit[1])
    return Check(name, float(value), limit, passed, None if passed else Message(failed))


def _blur(found: FieldCells, blur: Blur | None, slopes: Slopes) -> float:
    """The worse of two measures, on the scale of the first; NaN where either finds too few outlines."""
    ridges = ridge_blur(found, slopes)
    if blur is None or np.isnan(ridges):
        return float("nan")
    return max(blur.least, ridges * MOST_BLUR / MOST_RIDGE_BLUR)


def _overexposed(rgb: NDArray[np.uint8], found: FieldCells) -> float:
    """Share of the cells' pixels in which two of the three channels are as bright as they can be."""
    height, width = found.labels.shape
    # Nearest pixels: averaging would hide that they are clipped.
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_NEAREST)
    clipped = np.count_nonzero(small >= WHITE_LEVEL, axis=2) >= 2
    inside = found.labels > 0
    return float(np.count_nonzero(clipped & inside) / max(int(np.count_nonzero(inside)), 1))


def _colour(rgb: NDArray[np.uint8], found: FieldCells) -> float:
    """Spread of colour over the cells and the glass round them, so that few cells count as much as many."""
    height, width = found.labels.shape
    small = np.asarray(cv2.resize(rgb, (width, height), interpolation=cv2.INTER_NEAREST), np.uint8)
    cells = cv2.dilate((found.labels > 0).astype(np.uint8), np.ones((7, 7), np.uint8))
    return colour_spread(small, np.asarray(cells, np.uint8))


def _covered(found: FieldCells) -> float:
    """Share of the lit field that cells cover; a thick film shows nuclei of white cells and parasites only."""
    if not found.lit_share:
        return 0.0
    return float(np.count_nonzero(found.labels) / found.labels.size / found.lit_share)


def _share_of_cells(found: FieldCells) -> float:
    """Share of the found objects, dirt and what the border cuts left out, that look like red cells."""
    least = FRAGMENT_SHARE * np.pi / 4 * found.cell_width**2
    # The doubtful ones among them, which are not counted, tell what kind of picture this is.
    considered = [
        cell
        for cell in found.cells
        if cell.kind != CellKind.WHITE and not cell.cut_by_border and cell.area >= least
    ]
    if not considered:
        return 0.0
    usual = float(np.median([cell.area for cell in considered]))
    good = sum(
        (
            cell.solidity >= CONVEX
            or (cell.solidity >= NEARLY_CONVEX and found.measured.cell[cell.label] >= SURE_CELL)
        )
        and AREA_SHARES[0] * usual <= cell.outlined <= AREA_SHARES[1] * usual
        and found.measured.centre[cell.label] >= SURE_CENTRE
        for cell in considered
    )
    return good / len(considered)


def _clumped(found: FieldCells) -> float:
    """Share of the found cells' area in clumps that could not be separated."""
    areas = [(cell.area, cell.clump) for cell in found.cells if cell.kind == CellKind.RED]
    total = sum(area for area, _ in areas)
    return sum(area for area, clump in areas if clump) / total if total else 0.0
