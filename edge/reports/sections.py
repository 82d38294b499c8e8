"""Pieces of the report's page: pictures of fields and cells, tables, sentences; each as escaped HTML."""

import base64
import html
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np

from edge.drawing.contact_sheet import OutlinedCell, draw_field
from edge.errors import ImageError
from edge.fields.analyser import JudgedCell
from edge.fields.files import JudgedField
from edge.fields.quality import Check
from edge.parasitaemia.estimate import Parasitaemia
from edge.reports.charts import interval_chart
from edge.types import Label, Rgb

PICTURE_WIDTH = 1000
"""Width of a field in the page, px."""
_LONGEST_NAME = 22  # characters of a file name under a cell
_CROP_SIDE = 128
_CROP_MARGIN = 0.2  # of the cell's longer side: a little of what is around tells dirt from parasite


class GalleryCell(NamedTuple):
    """A cell on its way into the gallery, ordered by probability.

    Attributes:
        probability: Of Parasitized, [0, 1].
        order: Breaks ties: no two cells have the same.
        field: Name of the file.
        number: Number of the cell in its field, from 1, as in cells.csv.
        label: Verdict.
        jpeg: Its picture.
    """

    probability: float
    order: int
    field: str
    number: int
    label: Label
    jpeg: bytes


def crop_around(rgb: Rgb, box: tuple[int, int, int, int], side: int = _CROP_SIDE) -> Rgb:
    """Cut a cell out with a little of what is around it.

    Args:
        rgb: The field, uint8 (h, w, 3).
        box: x, y, w, h of the cell, px.
        side: Longer side of the result at most, px.

    Returns:
        RGB uint8, at most ``side`` px wide and high, at least 1.
    """
    x, y, w, h = box
    margin = round(_CROP_MARGIN * max(w, h))
    crop = rgb[max(y - margin, 0) : y + h + margin, max(x - margin, 0) : x + w + margin]
    scale = side / max(crop.shape[:2])
    size = (max(round(crop.shape[1] * scale), 1), max(round(crop.shape[0] * scale), 1))
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    return np.asarray(cv2.resize(crop, size, interpolation=method), np.uint8)


def outlined_picture(field: JudgedField, width: int = PICTURE_WIDTH) -> Rgb:
    """Draw a field's cells by verdict, scaled down to a width.

    Raises:
        ValueError: The file could not be read.
    """
    if field.rgb is None or field.result is None:
        raise ValueError(f"{field.name} has no picture.")
    small = _scaled(field.rgb, width)
    scale = small.shape[1] / field.rgb.shape[1]
    cells = [_outlined(cell, scale) for cell in field.result.cells]
    for x, y, w, h in field.result.white_cells:
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
        raise ImageError("A picture of the report could not be encoded.")
    return encoded.tobytes()


def _data_url(jpeg: bytes) -> str:
    return f"data:image/jpeg;base64,{base64.b64encode(jpeg).decode('ascii')}"


def gallery_figure(cell: GalleryCell) -> str:
    """One cell with its probability, field and number."""
    name = html.escape(_short(Path(cell.field).name))
    kind, symbol = ("parasitized", "▲") if cell.label == Label.PARASITIZED else ("uninfected", "○")
    alt = f"Cell {cell.number} of {name}, {cell.label}, probability {cell.probability:.3f}"
    return (
        f'<figure><img src="{_data_url(cell.jpeg)}" alt="{alt}" title="{html.escape(cell.field)}">'
        f'<figcaption><span class="{kind}">{symbol} P {cell.probability:.3f}</span><br>'
        f'<span class="faint">cell {cell.number} of {name}</span></figcaption></figure>'
    )


def _short(name: str) -> str:
    """Cut a long file name in its middle; the whole one is in the picture's title."""
    return name if len(name) <= _LONGEST_NAME else f"{name[:10]}…{name[-9:]}"


def field_section(field: JudgedField, *, with_picture: bool) -> str:
    """One file: name, verdict in words, picture with outlines, table of checks."""
    name = html.escape(field.name)
    if field.result is None:
        return (
            f'<section class="field refused"><h3>{name}</h3>'
            f'<p class="verdict">Could not be read: {html.escape(str(field.error))}</p></section>'
        )
    result = field.result
    size = f"{result.width} x {result.height} px"
    if result.refused is not None:
        verdict = f"Refused, not counted: {result.refused}"
    else:
        number = len(result.white_cells)
        white = f"; {number} white cell{'' if number == 1 else 's'} seen" if number else ""
        verdict = (
            f"{result.parasitized_count} of {result.cell_count} red cells called parasitised{white}; {size}, "
            f"cells {result.cell_width:.0f} px wide."
        )
    parts = [
        f'<section class="field{" refused" if result.refused is not None else ""}"><h3>{name}</h3>',
        f'<p class="verdict">{html.escape(verdict)}</p>',
    ]
    if with_picture and field.rgb is not None:
        if result.refused is None:
            picture = outlined_picture(field)
            alt = f"Field {name}, {result.parasitized_count} of {result.cell_count} cells outlined as parasitised"
        else:
            picture, alt = _scaled(field.rgb, PICTURE_WIDTH // 2), f"Refused field {name}"
        parts.append(f'<img src="{_data_url(encode_jpeg(picture, 82))}" alt="{alt}">')
    rows = "".join(_check_row(check) for check in result.quality.checks)
    if rows:
        parts.append(
            "<details open><summary>Quality checks</summary><table><thead><tr><th scope=col>Check</th>"
            '<th scope=col class="figure">Measured</th><th scope=col class="figure">Limit</th>'
            f"<th scope=col>Result</th></tr></thead><tbody>{rows}</tbody></table></details>"
        )
    return "".join([*parts, "</section>"])


def _check_row(check: Check) -> str:
    """One quality check: a symbol and a word, never colour alone."""
    outcome = "✓ passed" if check.passed else f"✕ failed: {html.escape(str(check.message))}"
    kind = "" if check.passed else ' class="failed"'
    return (
        f'<tr><th scope="row">{html.escape(check.name)}</th><td class="figure">{check.value:.4g}</td>'
        f'<td class="figure">{html.escape(_limit(check.limit))}</td><td{kind}>{outcome}</td></tr>'
    )


def _limit(limit: tuple[float, float]) -> str:
    """Write the range that passes; an end that is infinite is none."""
    low, high = limit
    if not np.isfinite(high):
        return f"at least {low:.4g}"
    if not np.isfinite(low):
        return f"at most {high:.4g}"
    return f"{low:.4g} to {high:.4g}"


def chart_with_caption(parasitaemia: Parasitaemia) -> str:
    """The chart of the interval with its legend."""
    caption = (
        "Circle: estimate. Bar: 95 % interval. Broken line: the least that this many cells and this "
        "false-alarm rate tell reliably from none. Axis: share of red cells, and parasitised cells per µL."
    )
    return (
        f'<figure class="wide">{interval_chart(parasitaemia)}'
        f'<figcaption class="faint">{caption}</figcaption></figure>'
    )


def facts_table(facts: Mapping[str, str]) -> str:
    """Names and values as a table."""
    rows = "".join(
        f'<tr><th scope="row">{html.escape(name)}</th><td>{html.escape(value)}</td></tr>'
        for name, value in facts.items()
    )
    return f'<table class="facts"><tbody>{rows}</tbody></table>'
