"""Pictures that show nothing: black, or of one colour."""

from edge.fields.quality.judging import LEAST_GLASS
from edge.images.encode import shrink
from edge.types import Rgb

# What shows nothing is looked at this small (shorter side, px); it is told first by every 16th pixel in each direction.
_EMPTY_SIDE, _SAMPLED = 480, 16
# A picture whose every channel spans no more levels than this is of one colour.
_LEAST_RANGE = 4


def seen_small_if_empty(rgb: Rgb) -> Rgb | None:
    """A small copy of a picture that shows nothing, black or of one colour; None of every other.

    Such a picture is a few kilobytes of PNG at any size, and its cells would be looked for at every scale: seconds of
    work to say that it is too dark.
    """
    if not _shows_nothing(rgb[::_SAMPLED, ::_SAMPLED]):
        return None
    small = shrink(rgb, _EMPTY_SIDE / min(rgb.shape[:2]))
    return small if _shows_nothing(small) else None


def _shows_nothing(rgb: Rgb) -> bool:
    low, high = rgb.min(axis=(0, 1)).astype(int), rgb.max(axis=(0, 1)).astype(int)
    return bool(high.max() < LEAST_GLASS or (high - low).max() <= _LEAST_RANGE)
