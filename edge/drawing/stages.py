"""The stages of a field's analysis as pictures, so that one sees why a cell was or was not counted."""

import json
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from edge.atomic_file import write_atomically
from edge.drawing.field_overlay import draw_field
from edge.drawing.marks import (
    INCONCLUSIVE_COLOUR,
    INK,
    UNINFECTED_COLOUR,
    UNJUDGED_COLOUR,
    Colour,
    draw_dashes,
    write,
)
from edge.errors import SourceError
from edge.fields.analyser import FieldResult
from edge.images.encode import encode_jpeg, encode_png
from edge.inference.preprocessing import MIN_CELL_SIDE
from edge.messages.codes import Code
from edge.messages.message import system_reason
from edge.segmentation.background import glass_picture
from edge.segmentation.finder import CellFinder, FieldCells
from edge.segmentation.network import chances
from edge.segmentation.outlines import CellKind, FoundCell
from edge.types import Rgb

_QUALITY = 92
_KIND_COLOURS: dict[CellKind, Colour] = {
    CellKind.RED: UNINFECTED_COLOUR,
    CellKind.WHITE: (140, 60, 160),
    CellKind.FRAGMENT: UNJUDGED_COLOUR,
}


def write_stages(
    folder: Path, rgb: Rgb, result: FieldResult, finder: CellFinder, cell_width: float | None
) -> None:
    """Write the stages of one field: glass, density, mask, objects, cells, verdicts, and a record of all cells.

    The field is searched once more for it; the finder gives the same cells each time.

    Args:
        folder: is made where it is absent.
        rgb: the field, uint8 (h, w, 3).
        result: what the analysis says of it.
        finder: as the analysis used.
        cell_width: as it was given to the analysis.

    Raises:
        SourceError: the folder cannot be written to.
    """
    found = finder.find(rgb, cell_width)
    files: dict[str, bytes | str] = {
        "1-glass.jpg": encode_jpeg(glass_picture(found.background, rgb.shape[:2]), _QUALITY),
        "2-density.png": encode_png(found.picture),
        "3-mask.png": encode_png(_grey(255 * chances(found.maps.cell))),
        "4-objects.png": encode_png(_coloured(found.labels)),
        "5-cells.jpg": encode_jpeg(_outlined(rgb, found.cells), _QUALITY),
        "6-verdicts.jpg": encode_jpeg(draw_field(rgb, result.cells), _QUALITY),
        "field.json": json.dumps(_record(found, result), indent=1, ensure_ascii=False) + "\n",
    }
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_atomically(folder / name, content)
    except OSError as error:
        raise SourceError(Code.FILE_NOT_WRITTEN, path=folder, reason=system_reason(error)) from error


def why_not_counted(cell: FoundCell, result: FieldResult) -> str | None:
    """Say in a few words why a found object is not counted; None where it is."""
    if result.refused is not None:
        return "the field is refused"
    if min(cell.box[2:]) < MIN_CELL_SIDE:
        return f"under {MIN_CELL_SIDE} px wide or high"
    if cell.kind != CellKind.RED:
        return f"a {cell.kind}" + (" cell" if cell.kind == CellKind.WHITE else "")
    if cell.cut_by_border:
        return "cut by the border"
    return "a clump" if cell.clump else None


def _record(found: FieldCells, result: FieldResult) -> dict[str, Any]:
    """Everything that the analysis knows of the field and of each object, by the number that the pictures show."""
    verdicts = {cell.cell.label: cell for cell in result.cells}
    cells: list[dict[str, Any]] = []
    for number, cell in enumerate(found.cells, 1):
        verdict = verdicts.get(cell.label)
        cells.append(
            {
                "number": number,
                "box": list(cell.box),
                "kind": cell.kind,
                "solidity": round(cell.solidity, 3),
                "counted": why_not_counted(cell, result) is None,
                "why_not": why_not_counted(cell, result),
                "probability": None if verdict is None else round(verdict.probability, 6),
                "label": None if verdict is None else verdict.label,
            }
        )
    return {
        "image": result.name,
        "cell_width": round(found.cell_width, 1),
        "lit_share": round(found.lit_share, 4),
        "glass": list(found.background.colour),
        "refused": None if result.refused is None else str(result.refused),
        "quality": result.found.quality.to_json(),
        "cells": cells,
    }


def _grey(levels: np.ndarray) -> Rgb:
    return np.repeat(levels.astype(np.uint8)[..., None], 3, axis=2)


def _coloured(labels: np.ndarray) -> Rgb:
    """Each object in a colour of its own, neighbours apart; glass black."""
    # The golden angle keeps the hues of successive numbers far from one another.
    hues = (np.arange(labels.max() + 1) * 0.381966 % 1 * 180).astype(np.uint8)
    hsv = np.stack(
        [hues[labels], np.full(labels.shape, 200, np.uint8), np.where(labels > 0, 255, 0)], axis=-1
    )
    return np.asarray(cv2.cvtColor(hsv.astype(np.uint8), cv2.COLOR_HSV2RGB), np.uint8)


def _outlined(rgb: Rgb, cells: tuple[FoundCell, ...]) -> Rgb:
    """The field with every object's outline and number: counted cells whole, others broken, clumps orange."""
    canvas, pen = rgb.copy(), max(1, round(rgb.shape[1] / 800))
    for number, cell in enumerate(cells, 1):
        colour = INCONCLUSIVE_COLOUR if cell.clump else _KIND_COLOURS[cell.kind]
        points = cell.contour()
        if cell.counted:
            cv2.polylines(canvas, [points], True, colour, pen, cv2.LINE_AA)
        else:
            draw_dashes(canvas, points, colour, pen, 6 * pen)
        x, y = map(round, cell.centre)
        write(canvas, str(number), (x - 4 * pen, y), 0.3 * pen, INK)
    return canvas
