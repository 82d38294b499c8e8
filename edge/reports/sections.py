"""What the templates show of fields and cells: small pictures, and labels in the reader's language."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from edge.drawing.field_overlay import draw_field
from edge.fields.analyser import FieldResult
from edge.fields.files import JudgedField
from edge.fields.quality import Check
from edge.images.encode import encode_jpeg, shrink
from edge.messages.catalogue import Catalogue
from edge.types import Rgb

PICTURE_WIDTH = 1000
"""Width of a field in the page, px."""
_LONGEST_NAME = 22  # characters of a file name under a cell


class CellFigure(NamedTuple):
    """A cell in the gallery.

    Attributes:
        probability: of Parasitized, [0, 1].
        field: name of its field.
        number: number of the cell in its field, from 1, as in cells.csv; of a stored cell its id.
        label: verdict of the model.
        jpeg: its picture.
        call: what a person said of it, in words; empty where nobody did.
    """

    probability: float
    field: str
    number: int
    label: str
    jpeg: bytes
    call: str = ""

    @property
    def short_name(self) -> str:
        """Name of the file without its folder, a long one cut in its middle."""
        name = Path(self.field).name
        return name if len(name) <= _LONGEST_NAME else f"{name[:10]}…{name[-9:]}"


class CellGroup(NamedTuple):
    """Cells of the gallery under one heading, the most probable first."""

    heading: str
    cells: Sequence[CellFigure]


def cell_groups(
    words: Catalogue,
    parasitized: Sequence[CellFigure],
    doubtful: Sequence[CellFigure],
    *,
    totals: tuple[int, int],
) -> list[CellGroup]:
    """Put the two groups of the gallery under their headings.

    Args:
        words: the catalogue.
        parasitized: cells called parasitised that are shown.
        doubtful: cells called uninfected, but near the threshold, that are shown.
        totals: how many of each there are.
    """
    groups = []
    for name, cells, total in zip(("parasitized", "doubtful"), (parasitized, doubtful), totals, strict=True):
        key = f"report.group.{name}" if total <= len(cells) else f"report.group.{name}.some"
        groups.append(CellGroup(words.text(key, count=total, shown=len(cells)), cells))
    return groups


class CheckRow(NamedTuple):
    """One quality check in words."""

    name: str
    value: str
    limit: str
    passed: bool
    outcome: str


class FieldSection(NamedTuple):
    """One file of the field report.

    Attributes:
        name: of the file.
        refused: whether its cells are not counted.
        verdict: what was found, or why it is not counted.
        picture: JPEG; None where it is not shown.
        picture_text: for those who do not see the picture.
        checks: its quality checks.
    """

    name: str
    refused: bool
    verdict: str
    picture: bytes | None = None
    picture_text: str = ""
    checks: tuple[CheckRow, ...] = ()


def field_section(field: JudgedField, words: Catalogue, *, with_picture: bool) -> FieldSection:
    """Describe one file: verdict, picture with outlines, checks."""
    result = field.result
    if result is None:
        reason = "" if field.error is None else words.message(field.error)
        return FieldSection(field.name, True, words.text("report.field.unreadable", reason=reason))
    picture = text = None
    if with_picture and field.rgb is not None:
        if field.refused is None:
            picture = encode_jpeg(outlined_picture(field.rgb, result), 82)
            text = words.text("field.picture", name=field.name)
        else:
            picture = encode_jpeg(shrink(field.rgb, PICTURE_WIDTH // 2 / field.rgb.shape[1]), 82)
            text = words.text("report.field.refused-picture", name=field.name)
    return FieldSection(
        field.name,
        field.refused is not None,
        _verdict(field, result, words),
        picture,
        text or "",
        tuple(_check_row(check, words) for check in result.found.quality.checks),
    )


def _verdict(field: JudgedField, result: FieldResult, words: Catalogue) -> str:
    if field.refused is not None:
        return words.text("report.field.refused", reason=words.message(field.refused))
    white = len(result.white_cells)
    return words.text(
        "report.field.counted-white" if white else "report.field.counted",
        parasitized=result.parasitized_count,
        cells=result.cell_count,
        white=white,
        width=result.found.width,
        height=result.found.height,
        cell_width=result.found.cell_width,
    )


def _check_row(check: Check, words: Catalogue) -> CheckRow:
    if check.passed:
        outcome = words.text("check.passed")
    else:
        reason = "" if check.message is None else words.message(check.message)
        outcome = words.text("report.check.failed", reason=reason)
    name = words.text(f"check.name.{check.name}")
    measured = np.isfinite(check.value)
    value = words.value(check.value, ".4g") if measured else words.text("report.check.not-measured")
    return CheckRow(name, value, _limit(check.limit, words), check.passed, outcome)


def _limit(limit: tuple[float, float], words: Catalogue) -> str:
    """Write the range that passes; an end that is infinite is none."""
    low, high = limit
    if not np.isfinite(high):
        return words.text("report.check.at-least", low=low)
    if not np.isfinite(low):
        return words.text("report.check.at-most", high=high)
    return words.text("report.check.between", low=low, high=high)


def outlined_picture(rgb: Rgb, result: FieldResult, width: int = PICTURE_WIDTH) -> Rgb:
    """Draw a field's cells by verdict, scaled down to a width in px."""
    return draw_field(rgb, (*result.white_cells, *result.cells), width=width)
