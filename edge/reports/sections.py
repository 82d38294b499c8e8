"""What the templates show of fields and cells: small pictures, and labels in the reader's language."""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from edge.drawing.contact_sheet import OutlinedCell, draw_field
from edge.errors import ImageError
from edge.fields.analyser import FieldResult, JudgedCell
from edge.fields.files import JudgedField
from edge.fields.quality import Check
from edge.messages.catalogue import Catalogue
from edge.messages.codes import Code
from edge.types import Box, Rgb

PICTURE_WIDTH = 1000
"""Width of a field in the page, px."""
_LONGEST_NAME = 22  # characters of a file name under a cell
_CROP_SIDE = 128
_CROP_MARGIN = 0.2  # of the cell's longer side: a little of what is around tells dirt from parasite


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
        if result.refused is None:
            picture = encode_jpeg(outlined_picture(field.rgb, result), 82)
            text = words.text("field.picture", name=field.name)
        else:
            picture = encode_jpeg(_scaled(field.rgb, PICTURE_WIDTH // 2), 82)
            text = words.text("report.field.refused-picture", name=field.name)
    return FieldSection(
        field.name,
        result.refused is not None,
        _verdict(result, words),
        picture,
        text or "",
        tuple(_check_row(check, words) for check in result.quality.checks),
    )


def _verdict(result: FieldResult, words: Catalogue) -> str:
    if result.refused is not None:
        return words.text("report.field.refused", reason=words.message(result.refused))
    white = len(result.white_cells)
    return words.text(
        "report.field.counted-white" if white else "report.field.counted",
        parasitized=result.parasitized_count,
        cells=result.cell_count,
        white=white,
        width=result.width,
        height=result.height,
        cell_width=result.cell_width,
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


def crop_around(rgb: Rgb, box: Box, side: int = _CROP_SIDE) -> Rgb:
    """Cut a cell out with a little of what is around it.

    Args:
        rgb: the field, uint8 (h, w, 3).
        box: of the cell.
        side: longer side of the result at most, px.

    Returns:
        RGB uint8, at most `side` px wide and high, at least 1.
    """
    x, y, w, h = box
    margin = round(_CROP_MARGIN * max(w, h))
    crop = rgb[max(y - margin, 0) : y + h + margin, max(x - margin, 0) : x + w + margin]
    scale = side / max(crop.shape[:2])
    size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, size, interpolation=method), np.uint8)


def outlined_picture(rgb: Rgb, result: FieldResult, width: int = PICTURE_WIDTH) -> Rgb:
    """Draw a field's cells by verdict, scaled down to a width in px."""
    small = _scaled(rgb, width)
    scale = small.shape[1] / rgb.shape[1]
    cells = [_outlined(cell, scale) for cell in result.cells]
    for x, y, w, h in result.white_cells:
        box = (round(x * scale), round(y * scale), max(round(w * scale), 1), max(round(h * scale), 1))
        cells.append(OutlinedCell(box, None, counted=False))
    return draw_field(small, cells)


def _scaled(rgb: Rgb, width: int) -> Rgb:
    """Scale a picture down to a width, never up."""
    scale = min(width / rgb.shape[1], 1.0)
    if scale == 1.0:
        return rgb
    size = (max(round(rgb.shape[1] * scale), 1), max(round(rgb.shape[0] * scale), 1))
    return np.asarray(cv2.resize(rgb, size, interpolation=cv2.INTER_AREA), np.uint8)


def _outlined(cell: JudgedCell, scale: float) -> OutlinedCell:
    """Scale a judged cell for drawing."""
    x, y, w, h = cell.box
    left, top = round(x * scale), round(y * scale)
    size = (max(round((x + w) * scale) - left, 1), max(round((y + h) * scale) - top, 1))
    mask = cv2.resize(cell.mask, size, interpolation=cv2.INTER_NEAREST)
    return OutlinedCell(
        (left, top, *size), cell.label, cell.probability, cell.counted, np.asarray(mask, np.uint8)
    )


def encode_jpeg(rgb: Rgb, quality: int) -> bytes:
    """Encode a picture for embedding.

    Args:
        rgb: uint8 (h, w, 3).
        quality: 1 to 100.

    Raises:
        ImageError: OpenCV could not encode it.
    """
    done, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    if not done:
        raise ImageError(Code.PICTURE_NOT_ENCODED)
    return encoded.tobytes()
