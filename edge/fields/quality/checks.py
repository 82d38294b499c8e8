"""The checks of a field: their names, and what each measured and asked."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

import numpy as np

from edge.messages.message import Message

MOST_STRAIN = 1.0
"""Most strain of a view (`QualityReport.strain`) that cells are judged in."""

GRAINY = 0.4
"""Share of the limit of noise above which a picture is smoothed a little before its cells are judged."""
COSTLY = 0.6
"""Likewise, above which that is told: about a tenth of the infected cells is lost (`benchmarks.stage`)."""


class CheckName(StrEnum):
    """The checks of a field; the values are part of every answer, table and store, and stay as they are."""

    GLASS_BRIGHTNESS = "glass brightness"
    OVEREXPOSED = "overexposed share of cells"
    STAIN_CONTRAST = "stain contrast"
    WHOLE_CELLS = "whole red cells"
    CELL_WIDTH = "cell width, px"
    COVERED = "share of the field under cells"
    COLOUR = "spread of colour"
    RED_CELL_SHARE = "share that looks like red cells"
    BLUR = "blur in cell widths"
    CLUMPED = "share in inseparable clumps"
    INTERLACED = "comb of the rows"
    FLICKER = "bands of light over stain"
    COMPRESSION = "steps between blocks over glass"
    NOISE = "noise over glass"
    MOTION = "smear by motion in cell widths"

    @property
    def needed_by_single_cell(self) -> bool:
        """Whether one cell can only be classified where this check passes."""
        return self not in _OF_A_WHOLE_FIELD

    @property
    def of_the_view(self) -> bool:
        """Whether it says how the camera saw the field, and another picture of the same field may pass."""
        return self in _OF_THE_VIEW


# Of these a person with one cell under the cross-hair asks nothing: whether that cell is whole is known of itself.
_OF_A_WHOLE_FIELD = frozenset({CheckName.WHOLE_CELLS, CheckName.COVERED, CheckName.COLOUR, CheckName.CLUMPED})
_OF_THE_VIEW = frozenset(
    {
        CheckName.BLUR,
        CheckName.MOTION,
        CheckName.NOISE,
        CheckName.COMPRESSION,
        CheckName.INTERLACED,
        CheckName.FLICKER,
    }
)


class Check(NamedTuple):
    """One check of a field.

    Attributes:
        name: which one.
        value: what was measured.
        limit: lowest and highest value that passes; an infinite end is none.
        passed: whether the value is between them.
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

    @property
    def strain(self) -> float:
        """How near the view is to where a fifth of the parasites is lost: the largest value over its limit.

        0 is a perfect view, up to 1 a field can be judged.
        """
        view = [check for check in self.checks if check.name.of_the_view]
        return max((_share_of_limit(check) for check in view), default=0.0)

    @property
    def grainy(self) -> bool:
        """Whether noise shows so much that cells are judged in a slightly smoothed picture."""
        return self._grain > GRAINY

    @property
    def costly(self) -> bool:
        """Whether noise costs infected cells for all that, as a person should know."""
        return self._grain > COSTLY

    @property
    def _grain(self) -> float:
        """The share of its limit that noise has."""
        return next((_share_of_limit(check) for check in self.checks if check.name == CheckName.NOISE), 0.0)

    def of_content(self) -> QualityReport:
        """The checks of what the field shows, however the camera saw it."""
        return QualityReport(tuple(check for check in self.checks if not check.name.of_the_view))

    def for_single_cell(self) -> QualityReport:
        """The checks that a picture of a single cell needs."""
        return QualityReport(tuple(check for check in self.checks if check.name.needed_by_single_cell))

    def to_json(self) -> dict[str, dict[str, float | bool | list[float | None]]]:
        """Each check by name."""
        return {str(check.name): check.to_json() for check in self.checks}


def _share_of_limit(check: Check) -> float:
    """The value over its upper limit; infinite where nothing could be measured."""
    return check.value / check.limit[1] if np.isfinite(check.value) else float("inf")
