"""What a poor view costs: infected cells still called in fields made worse step by step, and what is measured of them.

Run it with `python -m benchmarks.fields.views --data DATA/fields`: a table in Markdown on standard output, progress on
standard error. The limits of `edge/fields/quality/judging.py` are laid by it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fields.analyser import FieldAnalyser, red_cells
from edge.fields.quality import CheckName
from edge.images.files import read_image
from edge.inference.classifier import Classifier
from edge.simulation.placement import SlideSettings
from edge.simulation.slide import SimulatedSlide
from edge.types import Label, Rgb
from train.data.field_annotations import Box, annotated_boxes

SCALE = 0.7
"""Of BBBC041's fields: their cells are then 72 px wide."""
Spoiler = Callable[[Rgb, float], Rgb]


class Field(NamedTuple):
    """A field and the boxes of its infected cells, px."""

    group: str
    rgb: Rgb
    infected: list[Box]


class Way(NamedTuple):
    """A way to make a field worse: its name, the check that is for it, and what it does."""

    name: str
    check: CheckName
    spoil: Spoiler


def fields_of(data: Path, count: int) -> Iterator[Field]:
    """The fields of BBBC041 with most infected cells, and as many drawn ones as half of them."""
    boxes = annotated_boxes(data / "bbbc041")
    order = sorted(boxes, key=lambda name: -sum(box.infected for box in boxes[name]))
    for name in order[:count]:
        rgb = read_image(data / "bbbc041" / "images" / name)
        small = cv2.resize(rgb, None, fx=SCALE, fy=SCALE, interpolation=cv2.INTER_AREA)
        marked = [_scaled(box.box) for box in boxes[name] if box.infected]
        yield Field("BBBC041", np.asarray(small, np.uint8), marked)
    for seed in (7, 3, 11)[: (count + 1) // 2]:
        slide = SimulatedSlide(
            seed, SlideSettings(width=1680, height=1360, cell_width=70.0, parasitaemia=0.08)
        )
        window = (200, 200, 1280, 960)
        cells = slide.cells_within(*window, whole=True)
        infected = [
            (float(c.box[0] - 200), float(c.box[1] - 200), float(c.box[2]), float(c.box[3]))
            for c in cells
            if c.infected
        ]
        yield Field("drawn", slide.view(*window), infected)


def _scaled(box: Box) -> Box:
    x, y, w, h = (SCALE * side for side in box)
    return x, y, w, h


def ways() -> list[Way]:
    """Everything that is done to a field, the first of them nothing."""
    return [
        Way("nothing", CheckName.BLUR, lambda rgb, _: rgb),
        *(
            Way(f"motion of {x} cell widths", CheckName.MOTION, _motion(x))
            for x in (0.05, 0.1, 0.15, 0.2, 0.3)
        ),
        *(Way(f"blur of {x} cell widths", CheckName.BLUR, _defocus(x)) for x in (0.02, 0.035, 0.05, 0.07)),
        *(Way(f"noise of {x} grey levels", CheckName.NOISE, _noise(x)) for x in (4, 7, 11)),
        *(Way(f"JPEG of quality {x}", CheckName.COMPRESSION, _jpeg(x)) for x in (75, 50, 40, 15)),
        Way("lamp that flickers by 6 %", CheckName.FLICKER, _bands(0.06)),
        Way("rows shifted by 0.06 cell widths", CheckName.INTERLACED, _comb(0.06)),
    ]


def _motion(length: float) -> Spoiler:
    def spoil(rgb: Rgb, cell_width: float) -> Rgb:
        px = length * cell_width
        side = int(np.ceil(px)) // 2 * 2 + 1
        kernel = np.ones((1, side), np.float32)
        kernel[0, [0, -1]] = (px - (side - 2)) / 2 if side > 1 else 1
        return np.asarray(cv2.filter2D(rgb, -1, kernel / kernel.sum()), np.uint8)

    return spoil


def _defocus(sigma: float) -> Spoiler:
    return lambda rgb, width: np.asarray(cv2.GaussianBlur(rgb, (0, 0), sigma * width), np.uint8)


def _noise(sigma: float) -> Spoiler:
    def spoil(rgb: Rgb, _: float) -> Rgb:
        noise = np.random.default_rng(1).standard_normal(rgb.shape, np.float32)
        return np.clip(np.rint(rgb + sigma * noise), 0, 255).astype(np.uint8)

    return spoil


def _jpeg(quality: int) -> Spoiler:
    def spoil(rgb: Rgb, _: float) -> Rgb:
        bgr = cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR)
        data = cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
        return np.asarray(cv2.cvtColor(cv2.imdecode(data, cv2.IMREAD_COLOR), cv2.COLOR_BGR2RGB), np.uint8)

    return spoil


def _bands(amplitude: float) -> Spoiler:
    def spoil(rgb: Rgb, _: float) -> Rgb:
        at = np.arange(len(rgb)) / len(rgb)
        light = 1 + amplitude * np.sin(2 * np.pi * 4.3 * at)
        return np.clip(rgb * light[:, None, None], 0, 255).astype(np.uint8)

    return spoil


def _comb(shift: float) -> Spoiler:
    def spoil(rgb: Rgb, width: float) -> Rgb:
        moved = rgb.copy()
        moved[1::2] = np.roll(rgb[1::2], round(shift * width), axis=1)
        return moved

    return spoil


class Seen(NamedTuple):
    """What is said of a field, whatever the checks say.

    Attributes:
        called: centres of the cells that are called, (n, 2).
        cell_width: px, of a typical cell.
        values: what the checks measured.
        refused: whether one of them refuses the field.
    """

    called: NDArray[np.float64]
    cell_width: float
    values: dict[CheckName, float]
    refused: bool


def see(analyser: FieldAnalyser, rgb: Rgb) -> Seen:
    """Find and judge the cells of a field."""
    found = analyser.find(rgb)
    cells = analyser.classify(rgb, red_cells(found.cells), grainy=found.quality.grainy)
    centres = [one.cell.centre for one in cells if one.counted and one.label == Label.PARASITIZED]
    values = {check.name: check.value for check in found.quality.checks}
    refused = found.quality.refused is not None
    return Seen(np.array(centres, np.float64).reshape(-1, 2), found.cell_width, values, refused)


def _within(point: NDArray[np.float64], boxes: list[Box]) -> bool:
    return any(x <= point[0] <= x + w and y <= point[1] <= y + h for x, y, w, h in boxes)


class Kept(NamedTuple):
    """What a worse view left of a field: the check's value, cells still called, those called before, refusal."""

    value: float
    again: int
    before: int
    refused: bool


def measure(
    analyser: FieldAnalyser, fields: Iterator[Field], chosen: list[Way], tell: Callable[[str], None]
) -> list[str]:
    """The table's rows: for each way and group what was measured, and what became of the infected cells."""
    kept: dict[tuple[str, str], list[Kept]] = {}
    for number, field in enumerate(fields, start=1):
        tell(f"{field.group}: field {number}")
        whole = see(analyser, field.rgb)
        infected = [point for point in whole.called if _within(point, field.infected)]
        for way in chosen:
            worse = see(analyser, way.spoil(field.rgb, whole.cell_width))
            again = sum(
                bool(len(worse.called)) and np.hypot(*(worse.called - point).T).min() < whole.cell_width / 2
                for point in infected
            )
            entry = Kept(worse.values[way.check], int(again), len(infected), worse.refused)
            kept.setdefault((way.name, field.group), []).append(entry)
    rows = [
        "| made worse by | of | infected called as it is | still called | fields refused | still called or refused "
        "| measured |",
        "|---|---|---|---|---|---|---|",
    ]
    for (name, group), entries in kept.items():
        before = max(sum(entry.before for entry in entries), 1)
        again = sum(entry.again for entry in entries)
        told = sum(entry.before if entry.refused else entry.again for entry in entries)
        refused = sum(entry.refused for entry in entries)
        rows.append(
            f"| {name} | {group} | {before} | {again / before:.0%} | {refused} of {len(entries)} "
            f"| {told / before:.0%} | {np.mean([entry.value for entry in entries]):.4f} |"
        )
    return rows


@click.command()
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder with bbbc041."
)
@click.option("--fields", default=5, show_default=True, help="Fields of BBBC041.")
@click.option(
    "--way", "names", multiple=True, help="A way to make fields worse; may be repeated.  [default: all]"
)
@click.option("--model", help="Name or file of the classifier; default: the model in use.")
@click.option("--threads", default=2, show_default=True, help="Threads of the networks.")
def main(*, data: Path, fields: int, names: tuple[str, ...], model: str | None, threads: int) -> None:
    """Measure what poor views cost.

    Example: python -m benchmarks.fields.views --data DATA/fields
    """
    analyser = FieldAnalyser(Classifier.open(model, threads=threads))
    chosen = [way for way in ways() if not names or way.name in names]
    rows = measure(analyser, fields_of(data, fields), chosen, lambda text: click.echo(text, err=True))
    click.echo("\n".join(rows))


if __name__ == "__main__":
    main()
