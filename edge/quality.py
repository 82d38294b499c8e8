"""Whether a field can be believed: named checks, each with what was measured and what was asked."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cellfinding import FieldCells
from edge.cellnetwork import CELL_WIDTH, STRIDE


class Check(NamedTuple):
    """One check of a field.

    Attributes:
        name: short name, as reports show it.
        value: what was measured.
        limit: lowest and highest value that passes.
        passed: whether it lies between.
        sentence: what is wrong and what to do; empty where the check passed.
    """

    name: str
    value: float
    limit: tuple[float, float]
    passed: bool
    sentence: str


class QualityReport(NamedTuple):
    """All checks of a field, and why it is refused, if it is."""

    checks: tuple[Check, ...]
    refused: str | None

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


def _check(name: str, value: float, low: float, high: float, sentence: str) -> Check:
    passed = bool(np.isfinite(value) and low <= value <= high)
    return Check(name, float(value), (low, high), passed, "" if passed else sentence)


def judge_quality(rgb: NDArray[np.uint8], found: FieldCells) -> QualityReport:
    """Check a field.

    Args:
        rgb: uint8 (h, w, 3), the field.
        found: its cells.

    Returns:
        Every check; the first that failed is the reason of the refusal.
    """
    glass = max(found.background.colour)
    red = [cell for cell in found.cells if cell.counted]
    checks = (
        _check(
            "glass brightness",
            glass,
            40,
            255,
            "The field is too dark: its glass is nearly black. Open the diaphragm or lengthen the exposure.",
        ),
        _check(
            "stain contrast",
            found.typical,
            0.04,
            np.inf,
            "The cells hardly differ from the glass. Stain again, or shorten the exposure.",
        ),
        _check(
            "whole red cells",
            len(red),
            5,
            np.inf,
            "There are too few red cells to count. Move to a fuller place of the smear.",
        ),
    )
    failed = next((check.sentence for check in checks if not check.passed), None)
    return QualityReport(checks, failed)
