"""Whether a field can be believed: named checks, each with what was measured and what was asked.

The limits lie between what fields of several laboratories show and what the same fields show blurred, blown
out or darkened, or pictures that are no thin smear; `benchmarks/fields/__main__.py` measures both.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.finder import FieldCells
from edge.segmentation.network import CELL_WIDTH
from edge.segmentation.outlines import FRAGMENT_SHARE

# Two scales at which outlines are measured, px of the working picture, in which cells are 32 px wide.
FINE, COARSE = 1.0, 3.0
# Sharp fields of four sets reach 0.043 cell widths, the same blurred by a tenth of a cell begin at 0.056.
MOST_BLUR = 0.05
# A found object looks like a red cell when the network is sure of its centre, more than it must be to be counted
# among others; when it fills its hull like one, crenated cells included; and when its area is of a cell's order.
# In sharp fields of four sets at least 0.78 of what is found does, in pictures of other things at most 0.71.
SURE_CENTRE = 0.45
CONVEX = 0.88
AREA_SHARES = (0.35, 2.2)
# Optical density of a typical cell, natural logarithm: the darkest stained fields of four sets reach 1.2.
MOST_DENSITY = 1.25
# Cells of 25 px and more are what the finder is made for; with some room.
LEAST_WIDTH = 18.0
# A channel this bright is as bright as it can be.
WHITE_LEVEL = 253


class Check(NamedTuple):
    """One check of a field.

    Attributes:
        name: short name, as reports show it.
        value: what was measured.
        limit: lowest and highest value that passes.
        passed: whether it lies between.
        message: what is wrong and what to do; None where the check passed.
    """

    name: str
    value: float
    limit: tuple[float, float]
    passed: bool
    message: Message | None


class QualityReport(NamedTuple):
    """All checks of a field, and why it is refused, if it is."""

    checks: tuple[Check, ...]
    refused: Message | None

    def to_json(self) -> dict[str, dict[str, float | bool | list[float | None]]]:
        """Each check's value, limits (null: none) and outcome, by name."""
        return {
            check.name: {
                "value": round(check.value, 4),
                "limit": [bound if np.isfinite(bound) else None for bound in check.limit],
                "passed": check.passed,
            }
            for check in self.checks
        }


def judge_quality(rgb: NDArray[np.uint8], found: FieldCells) -> QualityReport:
    """Check a field.

    Args:
        rgb: uint8 (h, w, 3), the field.
        found: its cells.

    Returns:
        Every check; the first that failed is the reason of the refusal.
    """
    whole = sum(cell.counted for cell in found.cells)
    checks = (
        _check(
            "glass brightness",
            max(found.background.colour),
            (40, 255),
            Code.FIELD_TOO_DARK,
        ),
        _check(
            "overexposed share of cells",
            _overexposed(rgb, found),
            (0, 0.03),
            Code.FIELD_OVEREXPOSED,
        ),
        _check(
            "stain contrast",
            found.typical,
            (0.04, MOST_DENSITY),
            Code.FIELD_FAINT if found.typical < MOST_DENSITY else Code.FIELD_OPAQUE,
        ),
        _check(
            "whole red cells",
            whole,
            (5, np.inf),
            Code.FIELD_FEW_WHOLE_CELLS,
        ),
        _check(
            "cell width, px",
            found.cell_width,
            (LEAST_WIDTH, np.inf),
            Code.FIELD_CELLS_TOO_SMALL,
        ),
        _check(
            "share of the field under cells",
            _covered(found),
            (0.07, 1),
            Code.FIELD_SPARSE,
        ),
        _check(
            "share that looks like red cells",
            _share_of_cells(found),
            (0.75, 1),
            Code.FIELD_NOT_A_THIN_SMEAR,
        ),
        _check(
            "blur in cell widths",
            _blur(found),
            (0, MOST_BLUR),
            Code.FIELD_OUT_OF_FOCUS,
        ),
        _check(
            "share in inseparable clumps",
            _clumped(found),
            (0, 0.35),
            Code.FIELD_CROWDED,
        ),
    )
    return QualityReport(checks, next((check.message for check in checks if check.message), None))


def _check(name: str, value: float, limit: tuple[float, float], failed: Code) -> Check:
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
        cell for cell in found.cells if cell.kind != "white" and not cell.cut_by_border and cell.area >= least
    ]
    if not considered:
        return 0.0
    usual = float(np.median([cell.area for cell in considered]))
    good = sum(
        cell.solidity >= CONVEX
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
    if np.count_nonzero(ring) < 20:
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
    areas = [(cell.area, cell.clump) for cell in found.cells if cell.kind == "red"]
    total = sum(area for area, _ in areas)
    return sum(area for area, clump in areas if clump) / total if total else 0.0
