"""What a frame shows, and what the network says of the cells in it that are new.

Finding is done on every frame that is worth it, classifying only on cells that were never judged: a stage
that moves by a third of a field costs a third of the inference.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.fields.analyser import cut_cell
from edge.fields.quality import QualityReport, judge_quality
from edge.inference.classifier import Classifier
from edge.inference.levelling import level, typical_logit
from edge.inference.preprocessing import MIN_CELL_SIDE
from edge.segmentation.finder import CellFinder, FoundCell
from edge.types import Box

CROP_SIDE = 96
"""Longest side of a stored crop, pixels: what a reviewer needs, at 2 to 3 kB a cell."""
CROP_MARGIN = 0.25
"""What a crop shows around the cell's box, as a share of the box's longer side."""
_JPEG_QUALITY = 90


class FieldLook(NamedTuple):
    """What was found in a frame.

    Attributes:
        cells: everything found, cut and clumped cells included.
        cell_width: usual width of a red cell, pixels.
        quality: its checks.
    """

    cells: tuple[FoundCell, ...]
    cell_width: float
    quality: QualityReport


class FieldReader(Protocol):
    """Finds cells and judges them; tests hand in one that needs no network."""

    def look(self, rgb: NDArray[np.uint8], cell_width: float | None) -> FieldLook:
        """Find the cells of a frame and check its quality."""
        ...

    def judge(self, rgb: NDArray[np.uint8], cells: Sequence[FoundCell]) -> list[float]:
        """Give each cell's probability of Parasitized."""
        ...


class NetworkReader:
    """The reader that counts with the shipped networks.

    Args:
        classifier: judges the cells.
        finder: finds them; by default the shipped one.

    Raises:
        ModelFileError: the finder's model is damaged.
    """

    def __init__(self, classifier: Classifier, finder: CellFinder | None = None) -> None:
        self._classifier = classifier
        self._finder = finder or CellFinder()
        self._typical: float | None = None

    def look(self, rgb: NDArray[np.uint8], cell_width: float | None) -> FieldLook:
        """Find the cells of a frame and check its quality."""
        found = self._finder.find(rgb, cell_width)
        quality = judge_quality(rgb, found)
        cells = tuple(cell for cell in found.cells if min(cell.box[2:]) >= MIN_CELL_SIDE)
        return FieldLook(cells, found.cell_width, quality)

    def judge(self, rgb: NDArray[np.uint8], cells: Sequence[FoundCell]) -> list[float]:
        """Give each cell's probability of Parasitized, levelled by the slide's typical cell.

        That is taken from these cells where they are enough, else from the last ones that were: of a frame that
        overlaps the ones before it, only new cells are judged.
        """
        size = self._classifier.input_size
        if not cells:
            return []
        inputs = np.stack([cut_cell(rgb, cell, size) for cell in cells])
        said = self._classifier.probabilities(inputs)
        typical = typical_logit(said)
        self._typical = self._typical if typical is None else typical
        return [float(one) for one in level(said, self._classifier.model.levelling, self._typical)]


def crop_jpeg(rgb: NDArray[np.uint8], box: Box) -> bytes:
    """Cut a small JPEG of a cell and a little around it.

    Args:
        rgb: the frame, RGB, uint8, shape (h, w, 3).
        box: of the cell in the frame.
    """
    x, y, width, height = box
    margin = round(CROP_MARGIN * max(width, height))
    crop = rgb[max(0, y - margin) : y + height + margin, max(0, x - margin) : x + width + margin]
    scale = CROP_SIDE / max(crop.shape[:2])
    if scale < 1:
        size = (max(1, round(crop.shape[1] * scale)), max(1, round(crop.shape[0] * scale)))
        crop = np.asarray(cv2.resize(crop, size, interpolation=cv2.INTER_AREA), np.uint8)
    return jpeg(crop, _JPEG_QUALITY)


def jpeg(rgb: NDArray[np.uint8], quality: int) -> bytes:
    """Encode a picture as JPEG.

    Args:
        rgb: RGB, uint8, shape (h, w, 3), at least one pixel.
        quality: 1 to 100.
    """
    _, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    return data.tobytes()
