"""A drawn slide under a virtual camera whose stage moves by itself: the whole live count without a device."""

import time
from collections.abc import Callable

from edge.live.sources.base import GrabbedImage
from edge.simulation.placement import SlideSettings
from edge.simulation.slide import SimulatedSlide

FRAME_SECONDS = 0.1
"""Ten frames a second, as a USB camera of 1.2 megapixels gives."""
_GLIDE_SECONDS, _REST_SECONDS = 0.6, 1.0
_EXPOSURE_SECONDS = 0.02
_OVERLAP = 0.3


class SimulatorSource:
    """A stage that goes over a drawn slide field by field: it glides, rests, and glides on, there and back.

    Args:
        seed: decides what is on the slide.
        settings: what is on it; by default 2 % of the cells infected.
        size: of a frame, width and height in pixels.
        clock: seconds, monotonic.
        pause: waits for seconds.
    """

    live = True
    record = None

    def __init__(
        self,
        seed: int = 0,
        settings: SlideSettings | None = None,
        *,
        size: tuple[int, int] = (1280, 960),
        clock: Callable[[], float] = time.monotonic,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self.name = f"simulator, slide {seed}"
        self.slide = SimulatedSlide(seed, settings)
        self._size = size
        self._clock = clock
        self._pause = pause
        self._stops = self._raster()
        self._began: float | None = None
        self._frames = 0

    def open(self) -> None:
        """Begin at the first field; the stage stands where it stood when opened again."""
        if self._began is None:
            self._began = self._clock()

    def read(self) -> GrabbedImage:
        """Wait until the next frame is due, and draw what the camera sees."""
        began = self._began if self._began is not None else self._clock()
        elapsed = self._clock() - began
        self._frames = max(self._frames + 1, int(elapsed / FRAME_SECONDS))
        self._pause(max(0.0, self._frames * FRAME_SECONDS - elapsed))
        at = self._frames * FRAME_SECONDS
        (x, y), (later_x, later_y) = self.position(at), self.position(at + _EXPOSURE_SECONDS)
        rgb = self.slide.view(
            round(x), round(y), *self._size, motion=(later_x - x, later_y - y), noise=self._frames
        )
        return GrabbedImage(rgb, self.name)

    def close(self) -> None:
        """Nothing is held open."""

    def position(self, seconds: float) -> tuple[float, float]:
        """Where the upper left corner of the frame lies so long after the beginning, pixels of the slide."""
        period = _GLIDE_SECONDS + _REST_SECONDS
        leg, into = divmod(seconds, period)
        start = self._stops[int(leg) % len(self._stops)]
        end = self._stops[(int(leg) + 1) % len(self._stops)]
        share = max(0.0, into - _REST_SECONDS) / _GLIDE_SECONDS
        # A stage starts and stops softly: a cosine from 0 to 1 (here its polynomial of third order).
        eased = share * share * (3 - 2 * share)
        return start[0] + eased * (end[0] - start[0]), start[1] + eased * (end[1] - start[1])

    def _raster(self) -> list[tuple[int, int]]:
        """Stops that cover the slide in lines, then the same way back."""
        width, height = self.slide.size
        across = _steps(width, self._size[0])
        down = _steps(height, self._size[1])
        stops = [(x, y) for line, y in enumerate(down) for x in (across if line % 2 == 0 else across[::-1])]
        return [*stops, *stops[-2:0:-1]]


def _steps(length: int, window: int) -> list[int]:
    room = max(0, length - window)
    return [*range(0, room, round(window * (1 - _OVERLAP))), room]
