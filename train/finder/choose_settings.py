"""Choose what the finder believes its network from, on fields that the network has not seen.

``python -m train.finder.choose_settings --data DATA --model FILE`` tries values of each setting in turn and prints
how well cells are found with them. The fields are those held out of training (every fourth of Chula RBC-12 and of
TXL-PBC) and drawn ones; no other real field has a say. The best settings are then written into
`edge.segmentation.settings.FinderSettings` by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import click
import numpy as np
from numpy.typing import NDArray

from edge.segmentation.finder import CellFinder, FieldCells
from edge.segmentation.network import CellNetwork, SegmentationMaps
from edge.segmentation.outlines import CellKind
from edge.segmentation.settings import FinderSettings
from edge.simulation.field import FieldSettings, draw_field
from edge.simulation.scene import BystanderKind
from train.finder.annotations import AnnotatedField, Mark, read_chula, read_txl

TRIED = {
    "centre": (0.2, 0.3, 0.4, 0.5, 0.6),
    "sure_centre": (0.3, 0.45, 0.55, 0.62, 0.7),
    "sure_cell": (0.75, 0.8, 0.85, 0.9, 0.93),
    "outline": (0.3, 0.35, 0.4, 0.45, 0.5),
    "white": (0.5, 0.6, 0.7, 0.8, 0.9, 0.93),
}
DRAWN = 16


class Score(NamedTuple):
    """Red cells, white cells and pixels right and wrong, over fields."""

    matched: int = 0
    missed: int = 0
    extra: int = 0
    white_right: int = 0
    white_wrong: int = 0
    pixels_both: int = 0
    pixels_either: int = 0

    def plus(self, other: Score) -> Score:
        """Add another field."""
        return Score(*(a + b for a, b in zip(self, other, strict=True)))

    @property
    def f1(self) -> float:
        """Of the red cells."""
        return 2 * self.matched / max(2 * self.matched + self.missed + self.extra, 1)

    @property
    def white_f1(self) -> float:
        """Of the white cells, taken for red ones or red ones for them."""
        return 2 * self.white_right / max(2 * self.white_right + self.white_wrong, 1)

    @property
    def dice(self) -> float:
        """Of the masks, where they are known."""
        return self.pixels_both / max(self.pixels_either, 1)

    @property
    def total(self) -> float:
        """What is maximised."""
        return self.f1 + 0.2 * self.white_f1 + self.dice


class RememberingNetwork(CellNetwork):
    """The network, which looks at each picture once.

    Args:
        path: model file; by default the shipped one.
    """

    def __init__(self, path: Path | None) -> None:
        super().__init__(path)
        self._seen: dict[bytes, SegmentationMaps] = {}

    def predict(self, picture: NDArray[np.uint8]) -> SegmentationMaps:
        """Run the network, or take what it gave before."""
        key = picture.tobytes()
        if key not in self._seen:
            self._seen[key] = super().predict(picture)
        return self._seen[key]


def score(field: AnnotatedField, found: FieldCells, mask: NDArray[np.uint8] | None) -> Score:
    """Compare what was found with the marks; a mark is found by the one cell whose mask holds it.

    Args:
        field: marked.
        found: in it.
        mask: uint8 (h, w), 255 on red cells, where known.
    """
    matched = missed = right = wrong = 0
    taken: set[int] = set()
    height, width = field.rgb.shape[:2]
    for mark in field.marks:
        holds = [i for i, cell in enumerate(found.cells) if _in_mask(mark, cell.mask, cell.box)]
        kinds = {found.cells[i].kind for i in holds}
        taken |= set(holds)
        if mark.kind == CellKind.WHITE:
            right += CellKind.WHITE in kinds
            wrong += CellKind.WHITE not in kinds
        elif mark.kind == CellKind.RED and 0 < mark.x < width and 0 < mark.y < height:
            wrong += CellKind.WHITE in kinds
            one = sum(found.cells[i].kind == CellKind.RED for i in holds) == 1
            matched += one
            missed += not one
    extra = sum(cell.counted and i not in taken for i, cell in enumerate(found.cells))
    both = either = 0
    if mask is not None:
        drawn = np.zeros((height, width), bool)
        for cell in found.cells:
            if cell.kind == CellKind.RED:
                x, y, w, h = cell.box
                drawn[y : y + h, x : x + w] |= cell.mask > 0
        both = 2 * int(np.count_nonzero(drawn & (mask > 0)))
        either = int(np.count_nonzero(drawn)) + int(np.count_nonzero(mask))
    return Score(matched, missed, extra, right, wrong, both, either)


def _in_mask(mark: Mark, mask: NDArray[np.uint8], box: tuple[int, int, int, int]) -> bool:
    x, y = int(mark.x) - box[0], int(mark.y) - box[1]
    return 0 <= x < box[2] and 0 <= y < box[3] and bool(mask[y, x])


def drawn_fields(count: int, seed: int) -> list[tuple[AnnotatedField, NDArray[np.uint8]]]:
    """Drawn fields with their marks and masks: stains, sizes and crowding differ, cells overlap.

    Args:
        count: fields.
        seed: of all of them.
    """
    rng = np.random.default_rng(seed)
    fields: list[tuple[AnnotatedField, NDArray[np.uint8]]] = []
    for number in range(count):
        settings = FieldSettings(
            width=800,
            height=600,
            cells=int(rng.integers(30, 110)),
            cell_width=float(rng.uniform(45, 75)),
            parasitaemia=0.2,
            overlap=float(rng.uniform(0, 0.3)),
            white_cells=int(rng.integers(0, 3)),
        )
        drawn = draw_field(int(rng.integers(2**31)), settings)
        marks = [Mark(cell.x, cell.y) for cell in drawn.cells]
        marks += [
            Mark(b.x, b.y, kind=CellKind.WHITE) for b in drawn.bystanders if b.kind == BystanderKind.WHITE
        ]
        fields.append((AnnotatedField(f"drawn {number}", drawn.rgb, tuple(marks), True), drawn.mask()))
    return fields


@click.command()
@click.option(
    "--data", type=click.Path(exists=True, path_type=Path), required=True, help="Folder of the data sets."
)
@click.option(
    "--model", type=click.Path(path_type=Path), help="Finder's model file; default: the shipped one."
)
@click.option("--seed", default=11, show_default=True, help="Seed of the drawn fields.")
def main(data: Path, model: Path | None, seed: int) -> None:
    """Try the finder's settings one after the other, each from the best of those before it.

    Example: python -m train.finder.choose_settings --data DATA --model edge/models/cellfinder-int8.tflite
    """
    network = RememberingNetwork(model)
    real = [*read_chula(data / "fields" / "chula_rbc12"), *read_txl(data / "fields" / "txl_pbc")]
    fields: list[tuple[AnnotatedField, NDArray[np.uint8] | None]] = [(f, None) for f in real if f.held_out]
    fields += drawn_fields(DRAWN, seed)

    def of(settings: FinderSettings) -> Score:
        finder, total = CellFinder(network, settings), Score()
        for field, mask in fields:
            total = total.plus(score(field, finder.find(field.rgb), mask))
        return total

    best = FinderSettings()
    for name, values in TRIED.items():
        scores = {value: of(best._replace(**{name: value})) for value in values}
        for value, found in scores.items():
            click.echo(
                f"{name} {value:g}: F1 {found.f1:.4f} (missed {found.missed}, extra {found.extra}), white cells "
                f"{found.white_right} right, {found.white_wrong} wrong, Dice {found.dice:.4f}"
            )
        best = best._replace(**{name: max(values, key=lambda value: scores[value].total)})
    click.echo(f"{best}")


if __name__ == "__main__":
    main()
