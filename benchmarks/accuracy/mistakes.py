"""What a model gets wrong at a laboratory, to look at: the infected cells missed, and the false alarms."""

from pathlib import Path
from typing import NamedTuple

from edge.drawing.contact_sheet import VerdictTile, draw_verdicts
from edge.fields.analyser import ClassifiedCell
from edge.images.encode import crop_cell, write_png
from edge.types import Rgb
from train.data.annotated_laboratories import LabelledField
from train.data.parasite_marks import INFECTED

_SIDE = 144
_MOST = 48
"""Cells of a sheet: the worst ones."""


class _Mistake(NamedTuple):
    """A cell by how wrong its verdict is, 0..1, and where it lies."""

    wrong: float
    tile: VerdictTile


class Mistakes:
    """Collects the worst mistakes of a model at a laboratory while its fields are judged.

    Args:
        threshold: probability from which on a cell is called parasitised.
    """

    def __init__(self, threshold: float) -> None:
        self._threshold = threshold
        self._missed: list[_Mistake] = []
        self._alarms: list[_Mistake] = []

    def look(self, field: LabelledField, cell: ClassifiedCell, label: int) -> None:
        """Keep a cell if its verdict is wrong and among the worst."""
        called = cell.probability >= self._threshold
        infected = label == INFECTED
        if called == infected:
            return
        kept = self._missed if infected else self._alarms
        wrong = 1 - cell.probability if infected else cell.probability
        kept.append(_Mistake(wrong, _tile(field.rgb, field.name, cell)))
        kept.sort(key=lambda one: -one.wrong)
        del kept[_MOST:]

    def write(self, folder: Path, name: str) -> list[Path]:
        """Draw the sheets that are not empty, ``NAME-missed.png`` and ``NAME-false-alarms.png``.

        Raises:
            OSError: the folder cannot be written to.
        """
        folder.mkdir(parents=True, exist_ok=True)
        written = []
        for kind, kept in (("missed", self._missed), ("false-alarms", self._alarms)):
            if kept:
                path = folder / f"{name}-{kind}.png"
                sheet = draw_verdicts([one.tile for one in kept], columns=8, title=f"{name}, {kind}")
                write_png(path, sheet)
                written.append(path)
        return written


def _tile(rgb: Rgb, name: str, cell: ClassifiedCell) -> VerdictTile:
    return VerdictTile(crop_cell(rgb, cell.cell.box, _SIDE), name, cell.label, cell.probability)
