"""Whether a field can be believed: named checks, each with what was measured and what was asked.

The limits lie between what fields of several laboratories show and what the same fields show blurred, blown
out or darkened, or pictures that are no thin smear; `benchmarks/fields/__main__.py` measures both.
"""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import FieldCells
from edge.segmentation.network import CELL_WIDTH
from edge.segmentation.outlines import FRAGMENT_SHARE, CellKind

# Two scales at which outlines are measured, px of the working picture, in which cells are 32 px wide.
FINE, COARSE = 1.0, 3.0
# Fields of six sets as their laboratories took them reach 0.0594 cell widths; the same blurred by a tenth of a cell
# begin at 0.058, all but one of 17 above 0.06.
MOST_BLUR = 0.06
# Points of outlines from which on the blur can be measured, and those that are enough for each of one to three cells: a
# sharp cell has 8 to 17 of them, one blurred by 0.1 of its width 5 to 12, one blurred by 0.15 hardly any.
OUTLINE_POINTS, CELL_POINTS = 20, 5
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


class CheckName(StrEnum):
    """The checks of a field; the values are part of every answer, table and store, and stay as they are."""

    GLASS_BRIGHTNESS = "glass brightness"
    OVEREXPOSED = "overexposed share of cells"
    STAIN_CONTRAST = "stain contrast"
    WHOLE_CELLS = "whole red cells"
    CELL_WIDTH = "cell width, px"
    COVERED = "share of the field under cells"
    RED_CELL_SHARE = "share that looks like red cells"
    BLUR = "blur in cell widths"
    CLUMPED = "share in inseparable clumps"

    @property
    def needed_by_single_cell(self) -> bool:
        """Whether one cell can only be classified where this check passes."""
        return self not in _OF_A_WHOLE_FIELD


# Of these a person with one cell under the cross-hair asks nothing: whether that cell is whole is known of itself.
_OF_A_WHOLE_FIELD = frozenset({CheckName.WHOLE_CELLS, CheckName.COVERED, CheckName.CLUMPED})


class Check(NamedTuple):
    """One check of a field.

    Attributes:
        name: which one.
        value: what was measured.
        limit: lowest and highest value that passes; an infinite end is none.
        passed: whether the value lies between them.
        message: what is wrong and what to do; None where the check passed.
    """

    name: CheckName
    value: float
    limit: tuple[float, float]
    passed: bool
    message: Message | None

    def to_json(self) -> dict[str, float | bool | list[float | None]]:
        """The value, its limits (null: none) and the outcome."""
        return {
            "value": round(self.value, 4),
            "limit": [bound if np.isfinite(bound) else None for bound in self.limit],
            "passed": self.passed,
        }


class QualityReport(NamedTuple):
    """All checks of a field."""

    checks: tuple[Check, ...]

    @property
    def refused(self) -> Message | None:
        """Why the field is refused: the message of the first check that failed; None where all passed."""
        return next((check.message for check in self.checks if not check.passed), None)

    def for_single_cell(self) -> QualityReport:
        """The checks that a picture of a single cell needs."""
        return QualityReport(tuple(check for check in self.checks if check.name.needed_by_single_cell))

    def to_json(self) -> dict[str, dict[str, float | bool | list[float | None]]]:
        """Each check by name."""
        return {str(check.name): check.to_json() for check in self.checks}


def judge_quality(rgb: NDArray[np.uint8], found: FieldCells) -> QualityReport:
    """Check a field.

    Args:
        rgb: uint8 (h, w, 3), the field.
        found: its cells.

    Returns:
        Every check.
    """
    whole = sum(cell.counted for cell in found.cells)
    checks = (
        _check(
            CheckName.GLASS_BRIGHTNESS,
            max(found.background.colour),
            (40, 255),
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
        _check(
            CheckName.RED_CELL_SHARE,
            _share_of_cells(found),
            (LEAST_LIKE_CELLS, 1),
            Code.FIELD_NOT_A_THIN_SMEAR,
        ),
        _check(
            CheckName.BLUR,
            _blur(found),
            (0, MOST_BLUR),
            Code.FIELD_OUT_OF_FOCUS,
        ),
        _check(
            CheckName.CLUMPED,
            _clumped(found),
            (0, 0.35),
            Code.FIELD_CROWDED,
        ),
    )
    return QualityReport(checks)


def _check(name: CheckName, value: float, limit: tuple[float, float], failed: Code) -> Check:
    passed = bool(np.isfinite(value) and limit[0] <= value <= limit[1])
    return Check(name, float(value), limit, passed, None if passed else Message(failed))


def _overexposed(rgb: NDArray[np.uint8], found: FieldCells) -> float:
    """Share of the cells' pixels in which two of the three channels are as bright as they can be."""
    height, width = found.labels.shape
    # Nearest pixels: averaging would hide that they are clipped.
    small = cv2.resize(rgb, (width, height), interpolation=cv2.INTER_NEAREST)
    clipped = np.count_nonzero(small >= WHITE_LEVEL, axis=2) >= 2
    inside = found.labels > 0
    return float(np.count_nonzero(clipped & inside) / max(int(np.count_nonzero(inside)), 1))


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


def _blur(found: FieldCells) -> float:
    """Standard deviation of the blur of the sharper outlines, in cell widths.

    A step blurred by s has, after a further blur by f, a steepest slope of 1 / sqrt(2 pi (s² + f²)); the ratio
    of the slopes at two f gives s whatever the step's height.
    """
    strength = cv2.cvtColor(found.picture, cv2.COLOR_RGB2GRAY).astype(np.float32)
    fine, coarse = (_slope(strength, sigma) for sigma in (FINE, COARSE))
    cells = (found.labels > 0).astype(np.uint8)
    ring = cv2.morphologyEx(cells, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8))
    ring = cv2.resize(ring, (strength.shape[1], strength.shape[0]), interpolation=cv2.INTER_NEAREST) > 0
    # The outline itself is the ridge of the slope.
    ring &= fine >= cv2.dilate(fine, np.ones((5, 5), np.uint8))
    whole = sum(cell.counted for cell in found.cells)
    if np.count_nonzero(ring) < min(OUTLINE_POINTS, CELL_POINTS * max(whole, 1)):
        return float("nan")
    ratio = fine[ring] / np.maximum(coarse[ring], 1e-3)
    # The clearest half of the outlines; weak ones are noise.
    ratio = ratio[fine[ring] >= np.median(fine[ring])]
    best = float(np.clip(np.percentile(ratio, 60), 1.02, COARSE / FINE))
    spread = np.sqrt(max(0.0, (COARSE**2 - (best * FINE) ** 2) / (best**2 - 1)))
    return float(spread / CELL_WIDTH)


def _slope(strength: NDArray[np.float32], sigma: float) -> NDArray[np.float32]:
    smooth = cv2.GaussianBlur(strength, (0, 0), sigma)
    return cv2.magnitude(cv2.Scharr(smooth, cv2.CV_32F, 1, 0), cv2.Scharr(smooth, cv2.CV_32F, 0, 1))


def _clumped(found: FieldCells) -> float:
    """Share of the found cells' area in clumps that could not be separated."""
    areas = [(cell.area, cell.clump) for cell in found.cells if cell.kind == CellKind.RED]
    total = sum(area for area, _ in areas)
    return sum(area for area, clump in areas if clump) / total if total else 0.0
