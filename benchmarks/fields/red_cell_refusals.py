"""What ``classify`` refuses of red cells of each laboratory, and of pictures of anything else.

``python -m benchmarks.fields.red_cell_refusals --data DATA`` judges all sets there are by the device's
own code, no network: whole pictures and squares of chance from pictures of other things, the test patients'
single cells, and the cells of fields, each once cut out on black and once with glass and neighbours round it.
"""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import click
import cv2
import numpy as np
from scipy.stats import binomtest

from benchmarks.accuracy.heldout import choose_held_out
from benchmarks.accuracy.labelled import largest_piece
from benchmarks.accuracy.refusals import cut_squares_of, is_refused
from edge.cells.isolation import isolate
from edge.images.files import IMAGE_SUFFIXES, read_image
from edge.images.inputs import list_inputs
from edge.inference.model_store import model_in_use
from edge.messages.catalogue import Catalogue
from edge.segmentation.finder import CellFinder
from edge.segmentation.outlines import CellKind
from edge.types import Box, Rgb
from train.data.field_annotations import RED_LABEL, annotated_boxes, annotated_mask
from train.data.patients import read_patients
from train.finder.annotations import AnnotatedField, Mark, read_chula, read_txl
from train.options import language_option
from train.red_cell.positives import overlap

_MARGINS = (0.0, 0.12, 0.3)
"""Glass left round a box on each side, in cell widths, in turn."""


class Case(NamedTuple):
    """One picture to be refused or not: its set, and RGB, uint8, (h, w, 3)."""

    group: str
    rgb: Rgb


def other_pictures(folder: Path, seed: int) -> Iterator[Case]:
    """Pictures of other things: whole and as squares, by the folder that they lie in."""
    rng = np.random.default_rng(seed)
    for path in _pictures(folder):
        whole, *squares = cut_squares_of(read_image(path), rng)
        yield Case("other things, whole", whole)
        for square in squares:
            yield Case("other things, squares", square)
            yield Case(f"other things, squares, {path.parent.name}", square)


def single_cells(folder: Path, model: Path, most: int) -> Iterator[Case]:
    """The single cells of the patients that a model was tested on, by their published label."""
    keeps = choose_held_out(model, []).keeps
    owner = read_patients(folder / "patients.csv")
    files = [
        file.source for file in list_inputs([folder / "cell_images"]).files if isinstance(file.source, Path)
    ]
    listed = [path for path in files if keeps(owner[path.stem])]
    step = max(1, len(listed) // most)
    for path in listed[::step]:
        yield Case(f"NIH test patients, {path.parent.name}", read_image(path))


def boxed_cells(folder: Path) -> Iterator[Case]:
    """The red cells that boxes mark, cut out by the mask and with glass left round them."""
    for name, boxes in annotated_boxes(folder).items():
        rgb, whole = read_image(folder / "images" / name), annotated_mask(folder, name)
        for number, (box, label) in enumerate(boxes):
            if label == RED_LABEL or boxes[number].infected:
                x, y, w, h = (max(0, int(value)) for value in box)
                mask = largest_piece(whole[y : y + h, x : x + w])
                yield from _both_ways(folder.name, rgb, (x, y, w, h), mask, number)


def found_cells(folder: Path) -> Iterator[Case]:
    """The red cells of fields as the device's finder cuts them, likewise; all that it counts."""
    finder = CellFinder()
    for path in _pictures(folder):
        yield from _found(finder, folder.name, read_image(path), None)


def marked_cells(fields: Iterable[AnnotatedField]) -> Iterator[Case]:
    """Those of marked fields that somebody marked as red cells, by box or by point."""
    finder = CellFinder()
    for field in fields:
        red = [mark for mark in field.marks if mark.kind == CellKind.RED]
        yield from _found(finder, field.name.split()[0], field.rgb, red)


def _is_marked(box: Box, red: list[Mark]) -> bool:
    x, y, w, h = box
    inside = (mark for mark in red if x < mark.x < x + w and y < mark.y < y + h)
    return any(
        not mark.w or overlap(box, (mark.x - mark.w / 2, mark.y - mark.h / 2, mark.w, mark.h)) > 0.5
        for mark in inside
    )


def _found(finder: CellFinder, name: str, rgb: Rgb, red: list[Mark] | None) -> Iterator[Case]:
    for number, cell in enumerate(finder.find(rgb).cells):
        if cell.counted and (red is None or _is_marked(cell.box, red)):
            yield from _both_ways(name, rgb, cell.box, cell.mask, number)


def _both_ways(name: str, rgb: Rgb, box: Box, mask: Rgb | None, number: int) -> Iterator[Case]:
    x, y, w, h = box
    if mask is not None:
        cut = cv2.copyTo(np.ascontiguousarray(rgb[y : y + h, x : x + w]), mask)
        yield Case(f"{name}, on black", np.asarray(cv2.copyMakeBorder(cut, 1, 1, 1, 1, cv2.BORDER_CONSTANT)))
    margin = round(_MARGINS[number % len(_MARGINS)] * max(w, h))
    left, top = max(0, x - margin), max(0, y - margin)
    crop = np.ascontiguousarray(rgb[top : y + h + margin, left : x + w + margin])
    yield Case(f"{name}, on glass", crop)


def _pictures(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.suffix.lower() in IMAGE_SUFFIXES)
    return sorted(path for path in found if path.parent.name != "masks")


def tally(cases: Iterable[Case]) -> dict[str, tuple[int, int, int]]:
    """Count (refused, of them with nothing that stands out, all) by group."""
    counts: dict[str, tuple[int, int, int]] = {}
    for group, rgb in cases:
        refused, empty, number = counts.get(group, (0, 0, 0))
        counts[group] = (refused + is_refused(rgb), empty + (isolate(rgb) is None), number + 1)
    return counts


@click.command()
@click.option("--data", type=click.Path(path_type=Path, exists=True, file_okay=False), required=True)
@click.option("--most", type=click.IntRange(1), default=10_000, help="No more single cells than about this.")
@click.option("--seed", type=int, default=1, help="Random seed of the squares.")
@click.option("--json", "as_json", is_flag=True, help="Counts as JSON.")
@language_option
def main(data: Path, most: int, seed: int, as_json: bool, words: Catalogue) -> None:
    """Print which share of each set is refused, with its 95 % interval."""
    cv2.setNumThreads(1)
    fields = data / "fields"
    sets = (
        single_cells(data / "nih-malaria", model_in_use(), most),
        boxed_cells(fields / "bbbc041"),
        found_cells(fields / "uninfected_abnormal_rbc"),
        other_pictures(fields / "not_thin_smear", seed),
        marked_cells(read_txl(fields / "txl_pbc")),
        marked_cells(read_chula(fields / "chula_rbc12")),
    )
    counts: dict[str, tuple[int, int, int]] = {}
    for cases in sets:
        found = tally(cases)
        counts |= found
        for group, (refused, empty, number) in sorted(found.items()) if not as_json else ():
            low, high = binomtest(refused, number).proportion_ci()
            share = f"{refused / number:7.2%} [{low:.2%}, {high:.2%}]"
            counted = words.text("refusals.counted", refused=refused, pictures=number, empty=empty)
            click.echo(f"{group:45s} {share:26s} {counted}")
    if as_json:
        click.echo(json.dumps(counts))


if __name__ == "__main__":
    main()
