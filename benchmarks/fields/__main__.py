"""Measures fields: cells found, bad fields refused, cells judged, white cells, a site's threshold, cost, memory.

Run it with `python -m benchmarks.fields --data DATA/fields`: one JSON object on standard output, progress on
standard error. A detection and an annotated cell match one to one,
nearest first, when each one's centre is in the other's box; cells cut by the border are left out of both.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.fields.classification import figures_of, judge_annotated, site_trial
from benchmarks.fields.cost import measure_cost, measure_memory
from edge.fields.quality import judge_quality
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.inference.classifier import Classifier
from edge.segmentation.finder import CellFinder, FieldCells
from edge.segmentation.network import CellNetwork
from edge.segmentation.outlines import CellKind
from train.data.field_annotations import (
    WHITE_LABEL,
    Box,
    LabelledBox,
    annotated_boxes,
    annotated_mask,
    annotated_points,
    is_whole,
    match_boxes,
)
from train.finder.annotations import is_held_out, read_txl

SECTIONS = ("finding", "refusals", "judging", "cost", "memory")


class Detections(NamedTuple):
    """Detections of one annotated field."""

    annotated: int
    found: int
    matched: int
    dice: float


def compare_boxes(found: FieldCells, boxes: list[LabelledBox], truth: NDArray[np.uint8]) -> Detections:
    """Compare a field's red cells with annotated boxes, and all its cells with the annotated mask."""
    height, width = truth.shape
    annotated = [b.box for b in boxes if b.label != WHITE_LABEL and is_whole(b.box, width, height)]
    red: list[Box] = [cell.box for cell in found.cells if cell.counted]
    matched = match_boxes(annotated, red)
    drawn = np.zeros((height, width), bool)
    for cell in found.cells:
        if cell.kind != CellKind.FRAGMENT:
            x, y, w, h = cell.box
            drawn[y : y + h, x : x + w] |= cell.mask > 0
    both = int(np.count_nonzero(drawn & (truth > 0)))
    dice = 2 * both / max(int(np.count_nonzero(drawn)) + int(np.count_nonzero(truth)), 1)
    return Detections(len(annotated), len(red), len(matched), dice)


def compare_points(found: FieldCells, points: list[tuple[int, int]]) -> tuple[int, int, int]:
    """Compare with one point per cell.

    Returns:
        Points that lie in exactly one detected cell, counted detections, and those of them without a point.
    """
    hits = np.zeros(len(points), int)
    counted = empty = 0
    for cell in found.cells:
        if cell.kind == CellKind.FRAGMENT:
            continue
        x, y, w, h = cell.box
        own = [
            i
            for i, (px, py) in enumerate(points)
            if x <= px < x + w and y <= py < y + h and cell.mask[py - y, px - x]
        ]
        hits[own] += 1
        if cell.counted:
            counted += 1
            empty += not own
    return int((hits == 1).sum()), counted, empty


def spoilt(rgb: NDArray[np.uint8], cell_width: float) -> Iterator[tuple[str, NDArray[np.uint8]]]:
    """The field blurred by a tenth of a cell, blown out, and black; each with its name."""
    light = rgb.astype(np.float32)
    yield "blurred", cv2.GaussianBlur(rgb, (0, 0), 0.1 * cell_width)
    # Exposed so long that even the darkest tenth of the field nearly reaches white.
    gain = 245 / max(float(np.percentile(light.mean(axis=2), 10)), 1.0)
    yield "blown out", np.clip(light * gain, 0, 255).astype(np.uint8)
    yield "black", np.clip(light * 0.04, 0, 255).astype(np.uint8)


class Refusals:
    """Counts fields and refusals by kind of field."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def add(self, kind: str, refused: object) -> None:
        """Add one field."""
        self._counts[kind][0] += 1
        self._counts[kind][1] += refused is not None

    def to_json(self) -> dict[str, dict[str, int]]:
        """Fields and refused fields of each kind."""
        return {kind: {"fields": n, "refused": k} for kind, (n, k) in self._counts.items()}


def measure_finding(
    data: Path, finder: CellFinder, tell: Callable[[str], None], every: int
) -> dict[str, Any]:
    """Cells found on bbbc041, chula_rbc12 and txl_pbc.

    Args:
        data: folder of the sets.
        finder: the cell finder.
        tell: told of each field.
        every: takes every n-th field.
    """
    fields: list[Detections] = []
    boxes = annotated_boxes(data / "bbbc041")
    for name in sorted(boxes)[::every]:
        tell(name)
        found = finder.find(read_image(data / "bbbc041" / "images" / name))
        fields.append(compare_boxes(found, boxes[name], annotated_mask(data / "bbbc041", name)))
    marked = annotated_points(data / "chula_rbc12")
    by_point: dict[bool, list[tuple[int, ...]]] = {True: [], False: []}
    for index, name in enumerate(sorted(marked)[::every]):
        tell(name)
        found = finder.find(read_image(data / "chula_rbc12" / "images" / name))
        by_point[is_held_out(index * every)].append((len(marked[name]), *compare_points(found, marked[name])))
    annotated, found_all, matched = (sum(column) for column in list(zip(*fields, strict=True))[:3])
    return {
        "bbbc041": {
            "fields": len(fields),
            "f1": 2 * matched / (annotated + found_all),
            "recall": matched / annotated,
            "precision": matched / found_all,
            "count_error": found_all / annotated - 1,
            "fields_within_10_percent": float(
                np.mean([abs(f.found / f.annotated - 1) <= 0.1 for f in fields])
            ),
            "dice": float(np.mean([f.dice for f in fields])),
        },
        "chula_rbc12": _point_figures(by_point[True] + by_point[False]),
        "chula_rbc12, every fourth": _point_figures(by_point[True]),
        "txl_pbc": _white_cells(data / "txl_pbc", finder, tell, every),
    }


def _point_figures(fields: list[tuple[int, ...]]) -> dict[str, Any]:
    if not fields:
        return {"fields": 0}
    points, in_one, counted, empty = (sum(column) for column in zip(*fields, strict=True))
    return {
        "fields": len(fields),
        "points_in_one_cell": in_one / points,
        "detections_without_point": empty / max(counted, 1),
    }


def _white_cells(folder: Path, finder: CellFinder, tell: Callable[[str], None], every: int) -> dict[str, Any]:
    """White cells told, counted as red ones, and red cells taken for white ones, on TXL-PBC."""
    marked = told = counted = mistaken = 0
    for field in read_txl(folder)[::every]:
        tell(field.name)
        cells = finder.find(field.rgb).cells
        whites = [mark for mark in field.marks if mark.kind == CellKind.WHITE]
        for mark in whites:
            here = [
                cell
                for cell in cells
                if abs(cell.centre[0] - mark.x) < mark.w / 3 and abs(cell.centre[1] - mark.y) < mark.h / 3
            ]
            marked += 1
            told += any(cell.kind == CellKind.WHITE for cell in here)
            counted += any(cell.counted for cell in here)
        mistaken += sum(
            cell.kind == CellKind.WHITE
            and not any(
                abs(cell.centre[0] - mark.x) < mark.w / 2 and abs(cell.centre[1] - mark.y) < mark.h / 2
                for mark in whites
            )
            for cell in cells
        )
    return {"white_cells": marked, "told": told, "counted_as_red": counted, "red_taken_for_white": mistaken}


def measure_refusals(
    data: Path, finder: CellFinder, tell: Callable[[str], None], every: int, spoil_every: int
) -> dict[str, dict[str, int]]:
    """Fields refused of each set, as they are and spoilt.

    Args:
        data: folder of the sets.
        finder: the cell finder.
        tell: told of each field.
        every: takes every n-th field.
        spoil_every: spoils every n-th of those of bbbc041 and chula_rbc12.
    """
    refusals = Refusals()
    for kind in (
        "bbbc041/images",
        "chula_rbc12/images",
        "uninfected_abnormal_rbc",
        "phone",
        "not_thin_smear",
    ):
        paths = sorted(p for p in (data / kind).rglob("*") if p.suffix.lower() in IMAGE_SUFFIXES)
        name = kind.split("/")[0]
        for index, path in enumerate(paths[::every]):
            tell(f"{name}: {path.name}")
            rgb = read_image(path)
            found = finder.find(rgb)
            refusals.add(name, judge_quality(rgb, found).refused)
            if kind.endswith("images") and index % spoil_every == 0:
                for way, picture in spoilt(rgb, found.cell_width):
                    refusals.add(f"{name}, {way}", judge_quality(picture, finder.find(picture)).refused)
    return refusals.to_json()


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="Folder with bbbc041, chula_rbc12, txl_pbc, not_thin_smear, phone and uninfected_abnormal_rbc.",
)
@click.option(
    "--only", multiple=True, type=click.Choice(SECTIONS), help="Only this section; may be repeated."
)
@click.option("--every", default=1, show_default=True, help="Take every n-th field of each set.")
@click.option("--spoil-every", default=5, show_default=True, help="Spoil every n-th of the fields taken.")
@click.option(
    "--small-fields", default=3000, show_default=True, help="Fields judged to see memory stay flat."
)
@click.option("--repeats", default=20, show_default=True, help="Rounds of the timing.")
@click.option("--threads", default=2, show_default=True, help="Inference threads.")
@click.option(
    "--model", type=click.Path(path_type=Path), help="Cell finder's model; default: the shipped one."
)
def main(
    *,
    data: Path,
    only: tuple[str, ...],
    every: int,
    spoil_every: int,
    small_fields: int,
    repeats: int,
    threads: int,
    model: Path | None,
) -> None:
    """Measure annotated fields and print one JSON object.

    Example: python -m benchmarks.fields --data DATA/fields
    """
    finder = CellFinder(CellNetwork(model, threads=threads))
    classifier = Classifier.open(threads=threads)

    def tell(name: str) -> None:
        click.echo(name, err=True)

    figures: dict[str, Any] = {}
    for section in only or SECTIONS:
        if section == "finding":
            figures[section] = measure_finding(data, finder, tell, every)
        elif section == "refusals":
            figures[section] = measure_refusals(data, finder, tell, every, spoil_every)
        elif section == "judging":
            judging = judge_annotated(data / "bbbc041", finder, classifier, tell, every)
            threshold = classifier.model.operating_point("field").threshold
            figures[section] = {**figures_of(judging, threshold), "site": site_trial(judging)}
        elif section == "cost":
            figures[section] = measure_cost(finder, classifier, repeats)
        else:
            figures[section] = measure_memory(small_fields)
        # At once: a run that is cut off has told what it measured.
        tell(json.dumps({section: figures[section]}))
    click.echo(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
