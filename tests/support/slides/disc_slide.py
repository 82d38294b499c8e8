"""A slide of painted discs, and a reader that finds them by a threshold: the live count without a network."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fields.analyser import ClassifiedCell, FoundField
from edge.fields.quality import Check, CheckName, QualityReport
from edge.fields.quality.judging import MOST_BLUR
from edge.messages.codes import Code
from edge.messages.message import Message
from edge.segmentation.outlines import CellKind, FoundCell
from edge.types import Label, Rgb

CELL_WIDTH = 30
_GLASS, _CELL, _INFECTED = (225, 215, 220), (170, 90, 130), (90, 60, 160)


class DiscSlide:
    """Discs that do not touch, strewn at random, one in twenty infected.

    Args:
        seed: decides where they lie.
        side: of the slide, pixels.
    """

    def __init__(self, seed: int = 1, side: int = 1600) -> None:
        rng = np.random.default_rng(seed)
        kept: list[tuple[float, float]] = []
        taken: set[tuple[int, int]] = set()
        for x, y in rng.uniform(CELL_WIDTH, side - CELL_WIDTH, (6 * (side // CELL_WIDTH) ** 2, 2)):
            column, row = int(x // (1.2 * CELL_WIDTH)), int(y // (1.2 * CELL_WIDTH))
            around = {(column + i, row + j) for i in (-1, 0, 1) for j in (-1, 0, 1)}
            if not around & taken:
                taken.add((column, row))
                kept.append((float(x), float(y)))
        self.centres = np.array(kept)
        self.infected = rng.random(len(kept)) < 0.05
        self.radii = CELL_WIDTH // 2 - rng.integers(0, 3, len(kept))
        picture = np.full((side, side, 3), _GLASS, np.uint8)
        for (x, y), radius, infected in zip(kept, self.radii, self.infected, strict=True):
            cv2.circle(picture, (round(x), round(y)), int(radius), _INFECTED if infected else _CELL, -1)
        self.picture = picture

    def view(self, x: int, y: int, width: int = 640, height: int = 480) -> NDArray[np.uint8]:
        """What a camera at (x, y) sees."""
        return self.picture[y : y + height, x : x + width]

    def whole_in(self, views: Sequence[tuple[int, int]], width: int = 640, height: int = 480) -> int:
        """How many discs lie wholly within at least one of the views."""
        seen = np.zeros(len(self.centres), bool)
        middles, reach = np.rint(self.centres), self.radii[:, None] + 1
        for x, y in views:
            low = middles - reach >= np.array([x, y])
            high = middles + reach <= np.array([x + width, y + height]) - 1
            seen |= (low & high).all(axis=1)
        return int(seen.sum())


def passed() -> QualityReport:
    """The report of a field that passes."""
    return QualityReport((Check(CheckName.BLUR, 0.02, (0.0, MOST_BLUR), True, None),))


def out_of_focus() -> QualityReport:
    """The report of a field that is refused."""
    why = Message(Code.FIELD_OUT_OF_FOCUS)
    return QualityReport((Check(CheckName.BLUR, 0.2, (0.0, MOST_BLUR), False, why),))


class DiscReader:
    """A `FieldReader` that finds dark discs and calls the bluest of them parasitised."""

    def __init__(self) -> None:
        self.quality = passed()
        self.classified = self.finds = 0

    def find(self, rgb: Rgb, cell_width: float | None = None) -> FoundField:  # noqa: ARG002
        """Find the discs."""
        self.finds += 1
        height, width = rgb.shape[:2]
        dark = (rgb[:, :, 1] < 150).astype(np.uint8)
        _, labels, stats, centres = cv2.connectedComponentsWithStats(dark, connectivity=8)
        cells = []
        for label, (x, y, w, h, area) in enumerate(stats[1:].tolist(), start=1):
            if area < 60:
                continue
            mask = (labels[y : y + h, x : x + w] == label).astype(np.uint8) * 255
            cut = x == 0 or y == 0 or x + w == width or y + h == height
            centre = (float(centres[label][0]), float(centres[label][1]))
            cells.append(FoundCell((x, y, w, h), centre, mask, CellKind.RED, cut, False, label))
        widths = [cell.box[2] for cell in cells if not cell.cut_by_border]
        usual = float(np.median(widths)) if widths else float(CELL_WIDTH)
        return FoundField(width, height, tuple(cells), self.quality, usual, _GLASS)

    def classify(
        self,
        rgb: Rgb,
        cells: Sequence[FoundCell],
        *,
        typical: bool = True,  # noqa: ARG002
        grainy: bool = False,  # noqa: ARG002
    ) -> list[ClassifiedCell]:
        """0.99 for the bluest, 0.01 for the others, at a threshold of 0.5."""
        self.classified += len(cells)
        blue = [rgb[round(c.centre[1]), round(c.centre[0]), 0] < 130 for c in cells]
        return [
            ClassifiedCell(cell, 0.99, Label.PARASITIZED, doubtful=False)
            if infected
            else ClassifiedCell(cell, 0.01, Label.UNINFECTED, doubtful=False)
            for cell, infected in zip(cells, blue, strict=True)
        ]
