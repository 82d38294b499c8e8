"""The simulator's stage for a number of frames, its clock moved on by the frames alone."""

import numpy as np

from edge.live.sources.base import EndOfSourceError, GrabbedImage
from edge.live.sources.simulated import SimulatorSource
from edge.messages.codes import Code
from edge.simulation.placement import SlideSettings
from tests.support.cameras.live_sources import Clock

_SIZE, _CELL_WIDTH = (640, 480), 40.0
"""A small camera: memory that is not given back grows with frames, not with pixels."""


class SteppedStage:
    """A simulated stage that waits for nobody.

    Args:
        frames: it ends after so many.
        side: of the slide, pixels each way.
        seed: of the slide.
    """

    live = False
    record = None

    def __init__(self, frames: int, side: int, seed: int) -> None:
        self._clock = Clock()
        self.stage = SimulatorSource(
            seed,
            SlideSettings(width=side, height=side, cell_width=_CELL_WIDTH, cache_megabytes=8),
            size=_SIZE,
            clock=self._clock,
            pause=self._clock.pause,
        )
        self.name = self.stage.name
        self._left = frames
        self.corners: list[tuple[float, float]] = []

    def open(self) -> None:
        """Begin at the first field."""
        self.stage.open()

    def read(self) -> GrabbedImage:
        """Draw the next frame at once."""
        if self._left == 0:
            raise EndOfSourceError(Code.SOURCE_PLAYED, source=self.name)
        self._left -= 1
        picture = self.stage.read()
        self.corners.append(self.stage.position(self._clock()))
        return picture

    def close(self) -> None:
        """Nothing is held open."""

    def rests(self) -> bool:
        """Whether the last frame was of the stage at rest."""
        return _is_rest(self.corners[-1])

    def cells_shown(self) -> int:
        """Count the cells that lay wholly within at least one frame of the stage at rest."""
        rests = sorted({at for at in self.corners if _is_rest(at)})
        boxes = np.array([cell.box for cell in self.stage.slide.all_cells()])
        return int(whole_within(boxes, rests, _SIZE).sum())


def _is_rest(corner: tuple[float, float]) -> bool:
    return corner == (int(corner[0]), int(corner[1]))


def whole_within(boxes: np.ndarray, corners: list[tuple[float, float]], size: tuple[int, int]) -> np.ndarray:
    """Tell for each box (x, y, w, h) whether it lies wholly within at least one view, bool (n,)."""
    seen = np.zeros(len(boxes), bool)
    for corner in corners:
        low = boxes[:, :2] >= np.array(corner)
        high = boxes[:, :2] + boxes[:, 2:] <= np.array(corner) + np.array(size)
        seen |= (low & high).all(axis=1)
    return seen
