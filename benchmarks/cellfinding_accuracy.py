"""How well cells are found, and how well bad fields are refused, on annotated fields.

Run it with ``python -m benchmarks.cellfinding_accuracy --data ../shared/fields``. A detection and an annotated
cell match one to one, nearest first, when each one's centre lies in the other's box; cells cut by the border are
left out of both.
"""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from edge.cellfinding import CellFinder, FieldCells
from edge.cellnetwork import CellNetwork
from edge.imaging import read_image
from edge.quality import judge_quality

Box = tuple[float, float, float, float]
# Annotators draw boxes to the border's last pixels or nearly so.
BORDER = 2


class Detections(NamedTuple):
    """Detections of one annotated field."""

    annotated: int
    found: int
    matched: int
    dice: float


def match_boxes(annotated: list[Box], found: list[Box]) -> list[tuple[int, int]]:
    """Match one to one, nearest centres first, where each centre lies in the other's box.

    Args:
        annotated: x, y, width, height, px.
        found: likewise.

    Returns:
        Pairs of indices into both lists.
    """
    if not annotated or not found:
        return []
    a, b = np.asarray(annotated, float), np.asarray(found, float)
    a_centre, b_centre = a[:, :2] + a[:, 2:] / 2, b[:, :2] + b[:, 2:] / 2

    def inside(points: NDArray[np.float64], boxes: NDArray[np.float64]) -> NDArray[np.bool_]:
        away = points[:, None] - boxes[None, :, :2]
        return np.all((away >= 0) & (away <= boxes[None, :, 2:]), axis=2)

    distance = np.linalg.norm(a_centre[:, None] - b_centre[None], axis=2)
    distance[~(inside(a_centre, b) & inside(b_centre, a).T)] = np.inf
    pairs: list[tuple[int, int]] = []
    for index in np.argsort(distance, axis=None):
        row, column = divmod(int(index), len(found))
        if not np.isfinite(distance[row, column]):
            continue
        pairs.append((row, column))
        distance[row], distance[:, column] = np.inf, np.inf
    return pairs


def _whole(box: Box, width: int, height: int) -> bool:
    x, y, w, h = box
    return x > BORDER and y > BORDER and x + w < width - BORDER and y + h < height - BORDER


def compare_boxes(found: FieldCells, boxes: list[Box], truth: NDArray[np.uint8]) -> Detections:
    """Compare a field's red cells with annotated boxes, and all its cells with the annotated mask."""
    height, width = truth.shape
    annotated = [box for box in boxes if _whole(box, width, height)]
    red = [tuple(float(v) for v in cell.box) for cell in found.cells if cell.counted]
    matched = match_boxes(annotated, [(b[0], b[1], b[2], b[3]) for b in red])
    drawn = np.zeros((height, width), bool)
    for cell in found.cells:
        if cell.kind != "fragment":
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
        if cell.kind == "fragment":
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


def annotated_boxes(folder: Path) -> dict[str, list[Box]]:
    """Boxes of the red cells by picture, from `boxes.csv`; white cells left out."""
    boxes: dict[str, list[Box]] = defaultdict(list)
    with (folder / "boxes.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            if row["label"] != "leukocyte":
                x, y, w, h = (float(row[key]) for key in "xywh")
                boxes[row["image"]].append((x, y, w, h))
    return boxes


def _points(folder: Path) -> dict[str, list[tuple[int, int]]]:
    points: dict[str, list[tuple[int, int]]] = defaultdict(list)
    with (folder / "points.csv").open(newline="") as file:
        for row in csv.DictReader(file):
            points[row["image"]].append((int(row["x"]), int(row["y"])))
    return points


class Refusals:
    """Counts fields and refusals by kind of field."""

    def __init__(self) -> None:
        self._counts: dict[str, list[int]] = defaultdict(lambda: [0, 0])

    def add(self, kind: str, refused: str | None) -> None:
        """Add one field."""
        self._counts[kind][0] += 1
        self._counts[kind][1] += refused is not None

    def to_json(self) -> dict[str, dict[str, int]]:
        """Fields and refused fields of each kind."""
        return {kind: {"fields": n, "refused": k} for kind, (n, k) in self._counts.items()}


def measure(
    data: Path, finder: CellFinder, tell: Callable[[str], None], *, every: int = 1, spoil_every: int = 5
) -> dict[str, Any]:
    """Measure all of it.

    Args:
        data: folder with `bbbc041`, `chula_rbc12` and `not_thin_smear`.
        finder: the cell finder.
        tell: told of each field.
        every: takes every n-th field of the annotated sets.
        spoil_every: spoils every n-th of those.

    Returns:
        Figures by set.
    """
    refusals = Refusals()
    fields: list[Detections] = []
    in_one = points_all = counted = empty = 0

    def look(name: str, path: Path, kind: str, index: int) -> FieldCells:
        tell(name)
        rgb = read_image(path)
        found = finder.find(rgb)
        refusals.add(kind, judge_quality(rgb, found).refused)
        if index % spoil_every == 0:
            for way, picture in spoilt(rgb, found.cell_width):
                refusals.add(f"{kind}, {way}", judge_quality(picture, finder.find(picture)).refused)
        return found

    boxes = annotated_boxes(data / "bbbc041")
    for index, name in enumerate(sorted(boxes)[::every]):
        found = look(name, data / "bbbc041" / "images" / name, "bbbc041", index)
        truth = cv2.imread(str(data / "bbbc041" / "masks" / f"{Path(name).stem}.png"), cv2.IMREAD_GRAYSCALE)
        if truth is None:
            raise click.ClickException(f"The mask of {name} cannot be read.")
        fields.append(compare_boxes(found, boxes[name], truth))
    marked = _points(data / "chula_rbc12")
    for index, name in enumerate(sorted(marked)[::every]):
        found = look(name, data / "chula_rbc12" / "images" / name, "chula_rbc12", index)
        one, n, without = compare_points(found, marked[name])
        in_one, points_all = in_one + one, points_all + len(marked[name])
        counted, empty = counted + n, empty + without
    for path in sorted((data / "not_thin_smear").rglob("*.jpg")):
        tell(path.name)
        rgb = read_image(path)
        refusals.add("not_thin_smear", judge_quality(rgb, finder.find(rgb)).refused)
    annotated, found_all, matched = (sum(column) for column in list(zip(*fields, strict=True))[:3])
    return {
        "bbbc041": {
            "f1": 2 * matched / (annotated + found_all),
            "recall": matched / annotated,
            "precision": matched / found_all,
            "count_error": found_all / annotated - 1,
            "fields_within_10_percent": float(
                np.mean([abs(f.found / f.annotated - 1) <= 0.1 for f in fields])
            ),
            "dice": float(np.mean([f.dice for f in fields])),
        },
        "chula_rbc12": {
            "points_in_one_cell": in_one / points_all,
            "detections_without_point": empty / counted,
        },
        "refusals": refusals.to_json(),
    }


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, path_type=Path),
    required=True,
    help="Folder with bbbc041, chula_rbc12 and not_thin_smear.",
)
@click.option("--every", default=1, show_default=True, help="Take every n-th annotated field.")
@click.option("--threads", default=2, show_default=True, help="Threads of the network.")
@click.option(
    "--model", type=click.Path(path_type=Path), help="Cell finder's model; default: the shipped one."
)
def main(data: Path, every: int, threads: int, model: Path | None) -> None:
    """Measure how well cells are found and bad fields refused; prints one JSON object.

    Example: python -m benchmarks.cellfinding_accuracy --data ../shared/fields
    """
    finder = CellFinder(CellNetwork(model, threads=threads))
    figures = measure(data, finder, lambda name: click.echo(name, err=True), every=every)
    click.echo(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
