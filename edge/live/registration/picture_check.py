"""Whether two fields show the same where they are said to overlap: the pictures are asked, not only the cells."""

from collections.abc import Callable, Mapping, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from edge.live.registration.motion import Thumbnail, overlaps_agree
from edge.live.registration.slide_map import Place, SeenField

LEAST_SHARE = 0.04
"""Smallest share of a field that must be common for its picture to say anything."""
_ASKED = 3
"""Stored fields that are asked at most, those of the largest overlap."""
_SCALE, _MIDDLE = 200.0, 128.0
"""Relative light to grey levels and back."""


def pack_thumbnail(thumbnail: Thumbnail) -> bytes:
    """A thumbnail as a small grey JPEG, for the store."""
    grey = np.clip(np.rint(thumbnail.picture * _SCALE + _MIDDLE), 0, 255).astype(np.uint8)
    return cv2.imencode(".jpg", grey, [cv2.IMWRITE_JPEG_QUALITY, 80])[1].tobytes()


def unpack_thumbnail(data: bytes, size: tuple[int, int]) -> Thumbnail:
    """A thumbnail out of the store; its sharpness is not known any more.

    Args:
        data: of `pack_thumbnail`.
        size: width and height of the field, pixels.
    """
    grey = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_GRAYSCALE)
    if grey is None:  # damaged: an even picture of another size agrees with nothing
        grey = np.full((1, 1), _MIDDLE, np.uint8)
    picture = ((grey.astype(np.float32) - _MIDDLE) / _SCALE).astype(np.float32)
    return Thumbnail(picture, size[0] / picture.shape[1], 0.0, size)


def turn_thumbnail(thumbnail: Thumbnail, turn: float) -> Thumbnail:
    """Turn a thumbnail about its middle by so many degrees clockwise; what comes in from outside is even glass."""
    if not turn:
        return thumbnail
    height, width = thumbnail.picture.shape
    matrix = cv2.getRotationMatrix2D(((width - 1) / 2, (height - 1) / 2), -turn, 1.0)
    picture: NDArray[np.float32] = cv2.warpAffine(thumbnail.picture, matrix, (width, height)).astype(
        np.float32
    )
    return thumbnail._replace(picture=picture)


def shows_the_same(
    thumbnail: Thumbnail,
    place: Place,
    fields: Sequence[SeenField],
    thumbnails: Callable[[Sequence[int]], Mapping[int, bytes]],
) -> bool:
    """Whether a field shows what the stored fields show that it would overlap at a place.

    Args:
        thumbnail: of the field.
        place: where it is said to lie.
        fields: the stored ones.
        thumbnails: gives the packed thumbnails of fields by their numbers; some may have none.

    Returns:
        Whether one of those that overlap most agrees; also where none has a thumbnail, for then only cells can tell.
    """
    asked = overlapping(place, thumbnail.size, fields)[:_ASKED]
    kept = thumbnails([one.number for one in asked])
    own = turn_thumbnail(thumbnail, place.turn)
    known = [one for one in asked if one.number in kept]
    return not known or any(
        overlaps_agree(
            turn_thumbnail(unpack_thumbnail(kept[one.number], one.size), one.place.turn),
            own,
            place.x - one.place.x,
            place.y - one.place.y,
            least_overlap=LEAST_SHARE,
        )
        for one in known
    )


def overlapping(place: Place, size: tuple[int, int], fields: Sequence[SeenField]) -> list[SeenField]:
    """The fields of the same size that a field at a place has enough in common with, the most first."""
    width, height = size
    found = []
    for one in fields:
        if one.place.island != place.island or one.size != size:
            continue
        wide, high = width - abs(place.x - one.place.x), height - abs(place.y - one.place.y)
        if wide > 0 and high > 0 and wide * high >= LEAST_SHARE * width * height:
            found.append((wide * high, one))
    return [one for _, one in sorted(found, key=lambda pair: -pair[0])]
